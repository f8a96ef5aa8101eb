/** The words the portal speaks. Another language is another set of files of the same shape, chosen here and in `design.ts`. */
import { en } from './en.ts';

export type Words = typeof en;

export const words: Words = en;
