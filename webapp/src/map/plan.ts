/**
 * The street plan, as an engraver would cut it: houses hatched, water in waterlines, green stippled, streets left as
 * paper between two fine lines, names in italics along them. Drawn from our own vector tiles; without a base map there is
 * only paper. Nothing here comes from another host.
 */
import italicExtUrl from '@fontsource/newsreader/files/newsreader-latin-ext-400-italic.woff2?url';
import italicUrl from '@fontsource/newsreader/files/newsreader-latin-400-italic.woff2?url';
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { metresPerPixel } from './mercator.ts';

export interface Inks {
  paper: string;
  ink: string;
  muted: string;
  line: string;
  edge: string;
}

const SOURCE = 'plan';
/** Two kerbs, a fine line each. */
const KERBS_PX = 1.4;
const NAMES_FACE = 'Newsreader Italic';
const HOUSES_FROM_ZOOM = 13.5;
const NAMES_FROM_ZOOM = 14.5;

/** Widths of streets, in metres, kerb to kerb. */
const WIDTH_M: Record<string, number> = { motorway: 18, primary: 16, secondary: 14, tertiary: 11, pedestrian: 8, minor: 8, service: 4, path: 2 };

/** A street's true width as pixels, which double with every zoom, and so much wider for its kerbs. */
function widthPx(latitude: number, wider_px: number): ExpressionSpecification {
  const at = (zoom: number): unknown[] => {
    const metre_px = 1 / metresPerPixel(latitude, zoom);
    const cases = Object.entries(WIDTH_M).flatMap(([name, width_m]) => [name, width_m * metre_px + wider_px]);
    return ['match', ['get', 'class'], ...cases, wider_px];
  };
  const stops = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20].flatMap((zoom) => [zoom, at(zoom)]);
  return ['interpolate', ['exponential', 2], ['zoom'], ...stops] as unknown as ExpressionSpecification;
}

const fade = (from: number, to: number, low: number, high: number): ExpressionSpecification => ['interpolate', ['linear'], ['zoom'], from, low, to, high];

function layers(inks: Inks, latitude: number): LayerSpecification[] {
  const planned = { source: SOURCE } as const;
  const above: ExpressionSpecification = ['!', ['to-boolean', ['get', 'tunnel']]];
  const carriage: ExpressionSpecification = ['all', above, ['!', ['in', ['get', 'class'], ['literal', ['path', 'service']]]]];
  return [
    { id: 'paper', type: 'background', paint: { 'background-color': inks.paper } },
    { id: 'water', type: 'fill', ...planned, 'source-layer': 'water', paint: { 'fill-pattern': 'waterlines' } },
    { id: 'shore', type: 'line', ...planned, 'source-layer': 'water', paint: { 'line-color': inks.ink, 'line-width': 0.9, 'line-opacity': 0.75 } },
    { id: 'green', type: 'fill', ...planned, 'source-layer': 'green', paint: { 'fill-pattern': 'stipple', 'fill-opacity': 0.8 } },
    { id: 'green-edge', type: 'line', ...planned, 'source-layer': 'green', paint: { 'line-color': inks.edge, 'line-width': 0.5, 'line-opacity': 0.5 } },
    { id: 'squares', type: 'fill', ...planned, 'source-layer': 'squares', paint: { 'fill-color': inks.paper } },
    { id: 'squares-edge', type: 'line', ...planned, 'source-layer': 'squares', paint: { 'line-color': inks.edge, 'line-width': 0.5, 'line-opacity': 0.6 } },
    {
      id: 'paths',
      type: 'line',
      ...planned,
      'source-layer': 'streets',
      minzoom: 15.5,
      filter: ['all', above, ['in', ['get', 'class'], ['literal', ['path', 'service']]]],
      paint: { 'line-color': inks.edge, 'line-width': 0.7, 'line-dasharray': [4, 3], 'line-opacity': fade(15.5, 16.5, 0, 0.55) },
    },
    {
      id: 'kerbs',
      type: 'line',
      ...planned,
      'source-layer': 'streets',
      filter: carriage,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': inks.edge, 'line-width': widthPx(latitude, KERBS_PX), 'line-opacity': 0.8 },
    },
    {
      id: 'carriageways',
      type: 'line',
      ...planned,
      'source-layer': 'streets',
      minzoom: 13,
      filter: carriage,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': inks.paper, 'line-width': widthPx(latitude, 0) },
    },
    {
      id: 'houses',
      type: 'fill',
      ...planned,
      'source-layer': 'buildings',
      minzoom: 13,
      paint: { 'fill-pattern': 'hatch', 'fill-opacity': fade(13, HOUSES_FROM_ZOOM, 0, 1) },
    },
    {
      id: 'walls',
      type: 'line',
      ...planned,
      'source-layer': 'buildings',
      minzoom: HOUSES_FROM_ZOOM,
      paint: { 'line-color': inks.ink, 'line-width': fade(14, 17, 0.4, 0.9), 'line-opacity': fade(HOUSES_FROM_ZOOM, 15, 0.35, 0.7) },
    },
    {
      id: 'sleepers',
      type: 'line',
      ...planned,
      'source-layer': 'rails',
      minzoom: 13,
      paint: { 'line-color': inks.edge, 'line-width': fade(13, 17, 2.5, 6), 'line-dasharray': [0.3, 1.2], 'line-opacity': 0.7 },
    },
    { id: 'rails', type: 'line', ...planned, 'source-layer': 'rails', paint: { 'line-color': inks.edge, 'line-width': 0.8, 'line-opacity': 0.8 } },
    {
      id: 'names',
      type: 'symbol',
      ...planned,
      'source-layer': 'streets',
      minzoom: NAMES_FROM_ZOOM,
      filter: ['all', ['has', 'name'], above],
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 320,
        'text-field': ['get', 'name'],
        'text-font': [NAMES_FACE],
        'text-size': ['interpolate', ['linear'], ['zoom'], 14.5, 12, 17, 15, 19, 18],
        'text-letter-spacing': 0.06,
        'text-max-angle': 30,
        'text-padding': 6,
      },
      paint: { 'text-color': inks.ink, 'text-halo-color': inks.paper, 'text-halo-width': 1.6, 'text-opacity': fade(14.5, 15, 0, 0.9) },
    },
  ];
}

/** The whole style. `basemap` is the PMTiles file's address, or null where no plan has been imported. */
export function planStyle(basemap: string | null, latitude: number, inks: Inks): StyleSpecification {
  const all = layers(inks, latitude);
  return {
    version: 8,
    'font-faces': {
      [NAMES_FACE]: [
        { url: new URL(italicUrl, location.href).href, 'unicode-range': ['U+0000-00FF', 'U+2000-206F'] },
        { url: new URL(italicExtUrl, location.href).href, 'unicode-range': ['U+0100-02FF', 'U+1E00-1E9F', 'U+2C60-2C7F', 'U+A720-A7FF'] },
      ],
    },
    transition: { duration: 0, delay: 0 },
    sources: basemap ? { [SOURCE]: { type: 'vector', url: `pmtiles://${new URL(basemap, location.href).href}` } } : {},
    layers: basemap ? all : all.filter(({ type }) => type === 'background'),
  };
}
