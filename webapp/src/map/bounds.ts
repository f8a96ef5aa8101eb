/** Around what is drawn: west, south, east, north. */
import type { FeatureCollection, Geometry } from 'geojson';

export type Bounds = [west: number, south: number, east: number, north: number];
export type Shapes = FeatureCollection<Geometry, unknown>;

/** Null where nothing is drawn. */
export function boundsOf(shapes: Shapes | null): Bounds | null {
  const found: Bounds = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const walk = (place: unknown): void => {
    if (!Array.isArray(place)) return;
    const [lon, lat] = place as unknown[];
    if (typeof lon === 'number' && typeof lat === 'number') {
      found[0] = Math.min(found[0], lon);
      found[1] = Math.min(found[1], lat);
      found[2] = Math.max(found[2], lon);
      found[3] = Math.max(found[3], lat);
    } else place.forEach(walk);
  };
  for (const { geometry } of shapes?.features ?? []) if ('coordinates' in geometry) walk(geometry.coordinates);
  return found[0] <= found[2] ? found : null;
}

/** Bounds with so much around one place that one sees where it is: streets, not paving stones. */
export function roomy(bounds: Bounds | null, least_deg = 0.005): Bounds | null {
  if (!bounds) return null;
  const [west, south, east, north] = bounds;
  const across = Math.max(0, least_deg - (east - west)) / 2;
  const up = Math.max(0, least_deg / 2 - (north - south)) / 2;
  return [west - across, south - up, east + across, north + up];
}

/** Bounds on a map that is drawn of a city alone: where they reach beyond it, the city is in sight with them. */
export function inSight(bounds: Bounds | null, city: Bounds | null): Bounds | null {
  if (!bounds || !city) return bounds;
  const isWithin = bounds[0] >= city[0] && bounds[1] >= city[1] && bounds[2] <= city[2] && bounds[3] <= city[3];
  if (isWithin) return bounds;
  return [Math.min(bounds[0], city[0]), Math.min(bounds[1], city[1]), Math.max(bounds[2], city[2]), Math.max(bounds[3], city[3])];
}
