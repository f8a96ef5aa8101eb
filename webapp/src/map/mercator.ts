/** The Web Mercator square: 0 to 1, x to the east, y to the south; and how large it is in pixels at a zoom. */
export const TILE_PX = 512;

export function mercatorX(lon: number): number {
  return (lon + 180) / 360;
}

export function mercatorY(lat: number): number {
  return (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2;
}

export function worldSize(zoom: number): number {
  return TILE_PX * 2 ** zoom;
}

const EARTH_CIRCUMFERENCE_M = 40_075_016.7;

/** Metres on the ground that one pixel covers. */
export function metresPerPixel(lat: number, zoom: number): number {
  return (EARTH_CIRCUMFERENCE_M * Math.cos((lat * Math.PI) / 180)) / worldSize(zoom);
}

/** Lengths a scale bar may have, in metres. */
const ROUND_M = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];

/** The longest round length that fits into `most_px`. */
export function scaleLength(lat: number, zoom: number, most_px: number): { length_m: number; width_px: number } {
  const metre_px = 1 / metresPerPixel(lat, zoom);
  const length_m = ROUND_M.findLast((candidate) => candidate * metre_px <= most_px) ?? 1;
  return { length_m, width_px: length_m * metre_px };
}
