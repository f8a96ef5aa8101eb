/** The words of the page of questions. */
export { query as queryWords } from './en.query.ts';
