/** A plan by phase: each in a colour of its own and with its number, the earlier the thicker. */
import type { ExpressionSpecification } from 'maplibre-gl';
import type { Sheet, SheetInks } from '../map/sheetmap.ts';
import { PHASE_COLOURS } from './phases.ts';
import { byZoom, marked, sites } from './sheets.ts';

const NUMBERS = Array.from({ length: PHASE_COLOURS }, (_, at) => at + 1);
const round = { 'line-cap': 'round', 'line-join': 'round' } as const;

function byColour(inks: SheetInks): ExpressionSpecification {
  return ['match', ['get', 'colour'], ...NUMBERS.flatMap((colour) => [colour, inks[`series-${colour}`]]), inks.muted] as unknown as ExpressionSpecification;
}

/** As thick as it is early. */
function width(low_px: number, high_px: number): ExpressionSpecification {
  const of = (px: number): unknown => ['-', px, ['*', px * 0.09, ['-', ['get', 'colour'], 1]]];
  return ['interpolate', ['linear'], ['zoom'], 12, of(low_px), 17, of(high_px)] as unknown as ExpressionSpecification;
}

export const PHASE_SHEET: Sheet = {
  sources: ['ways', 'places', 'marked', 'sites'],
  layers: (inks) => [
    { id: 'phases-edge', type: 'line', source: 'ways', layout: round, paint: { 'line-color': inks.paper, 'line-width': width(4.4, 9.5) } },
    { id: 'phases', type: 'line', source: 'ways', layout: round, paint: { 'line-color': byColour(inks), 'line-width': width(2.8, 6.5) } },
    {
      id: 'places',
      type: 'circle',
      source: 'places',
      paint: { 'circle-radius': byZoom(12, 1, 15, 2.6, 18, 5), 'circle-color': byColour(inks), 'circle-stroke-color': inks.paper, 'circle-stroke-width': byZoom(13, 0.4, 16, 1.2) },
    },
    ...marked(inks),
    {
      id: 'phase-numbers',
      type: 'symbol',
      source: 'ways',
      layout: { 'icon-image': ['concat', 'phase-', ['to-string', ['get', 'colour']]], 'icon-size': byZoom(12, 0.6, 17, 0.9), 'symbol-placement': 'line-center', 'icon-rotation-alignment': 'viewport', 'icon-padding': 14 },
    },
    ...sites().filter(({ id }) => id !== 'closure'),
  ],
  hits: ['places', 'phases'],
};
