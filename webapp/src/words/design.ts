/** The words of the page of the design. */
export { design as designWords } from './en.design.ts';
