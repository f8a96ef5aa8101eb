/**
 * The colours by which fibres are told apart: twelve, in the order of TIA-598-D, and tubes of twelve in the same order.
 * They are what a splicer sees in the cable, so they are the same in every theme; a word stands beside each.
 */
export const FIBRES_PER_TUBE = 12;

const COLOURS = [
  ['blue', '#1f5fbf'],
  ['orange', '#f08a24'],
  ['green', '#2e8b3d'],
  ['brown', '#7a4a21'],
  ['slate', '#7d868c'],
  ['white', '#f7f7f2'],
  ['red', '#cc2b2b'],
  ['black', '#161616'],
  ['yellow', '#f2d233'],
  ['violet', '#7c4aa5'],
  ['rose', '#f0a3b8'],
  ['aqua', '#3fc1c9'],
] as const;

export type ColourName = (typeof COLOURS)[number][0];

export interface Colour {
  name: ColourName;
  css: string;
  tube: number;
  tubeName: ColourName;
}

/** fibre: from 1. */
export function colourOf(fibre: number): Colour {
  const [at, tube] = [(fibre - 1) % FIBRES_PER_TUBE, Math.floor((fibre - 1) / FIBRES_PER_TUBE)];
  const [name, css] = COLOURS[at] ?? COLOURS[0];
  const [tubeName] = COLOURS[tube % COLOURS.length] ?? COLOURS[0];
  return { name, css, tube: tube + 1, tubeName };
}
