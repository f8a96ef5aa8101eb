/** Where the map looks, as the URL keeps it: longitude, latitude, zoom. */
import type { View } from '../map/citymap.ts';

const PLACES = 5;

export function viewOf(query: URLSearchParams): View | null {
  const parts = (query.get('at') ?? '').split(',').map(Number);
  const [lon, lat, zoom] = parts;
  if (parts.length !== 3 || lon === undefined || lat === undefined || zoom === undefined || parts.some(Number.isNaN)) return null;
  return { lon, lat, zoom };
}

export function viewText({ lon, lat, zoom }: View): string {
  return `${lon.toFixed(PLACES)},${lat.toFixed(PLACES)},${zoom.toFixed(2)}`;
}
