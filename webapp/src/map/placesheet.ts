/** A sheet with a mark for each place, one of them chosen: nothing else lies on the plan, and nothing on it lives. */
import type { Feature, FeatureCollection, Point } from 'geojson';
import type { Sheet } from './sheetmap.ts';

/** What has a mark: its place, where it is known. */
export interface Marked {
  id: string;
  lon: number | null;
  lat: number | null;
}

export const PLACE_SHEET: Sheet = {
  sources: ['places'],
  layers: (inks) => [
    {
      id: 'places',
      type: 'circle',
      source: 'places',
      paint: {
        'circle-radius': ['case', ['get', 'chosen'], 9, 6],
        'circle-color': ['case', ['get', 'chosen'], inks.fibre, inks.ink],
        'circle-stroke-color': inks.paper,
        'circle-stroke-width': 2,
      },
    },
  ],
  hits: ['places'],
  hit_px: 12,
  isAlone: true,
};

/** The marks of places. */
export function marksOf(places: readonly Marked[], chosen: string | null): FeatureCollection<Point, { id: string; chosen: boolean }> {
  const features = places.flatMap(({ id, lon, lat }): Feature<Point, { id: string; chosen: boolean }>[] =>
    lon === null || lat === null ? [] : [{ type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties: { id, chosen: id === chosen } }],
  );
  return { type: 'FeatureCollection', features };
}
