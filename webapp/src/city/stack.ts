/** The measures of a sensor's stack, the same on the map, in the table and in search. In CSS pixels. */
import { BARS } from './sensor.ts';

export const PITCH_PX = 3;
export const LINE_PX = 1.25;
export const SOLID_PX = 3;
export const STACK_WIDTH_PX = BARS * PITCH_PX;
export const STACK_HEIGHT_PX = 32;
/** A reading of nothing is still a reading: a bar never vanishes. */
export const LEAST_BAR_PX = 1.5;

export function barHeight(level: number, height_px: number): number {
  return Math.max(LEAST_BAR_PX, level * height_px);
}
