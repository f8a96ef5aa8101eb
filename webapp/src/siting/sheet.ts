/** How sites lie on the map: new ones full, those that stand hollow, gateways as diamonds, places that were not taken as dots. */
import type { ExpressionSpecification } from 'maplibre-gl';
import type { Sheet } from '../map/sheetmap.ts';

type Layer = ReturnType<Sheet['layers']>[number];

const byZoom = (...stops: number[]): ExpressionSpecification => ['interpolate', ['linear'], ['zoom'], ...stops] as unknown as ExpressionSpecification;

export const SITING_SHEET: Sheet = {
  sources: ['candidates', 'gateways', 'today', 'sites', 'marked'],
  layers: (inks) => {
    const circle = (source: string, paint: object): Layer => ({ id: source, type: 'circle', source, paint }) as Layer;
    return [
      circle('candidates', { 'circle-radius': byZoom(12, 1.2, 17, 3.2), 'circle-color': inks.muted, 'circle-opacity': 0.7 }),
      { id: 'gateways', type: 'symbol', source: 'gateways', layout: { 'icon-image': 'cabinet', 'icon-size': 0.9, 'icon-allow-overlap': true } },
      circle('today', { 'circle-radius': byZoom(12, 3.5, 17, 8), 'circle-color': inks.paper, 'circle-stroke-color': inks.ink, 'circle-stroke-width': 2 }),
      circle('sites', { 'circle-radius': byZoom(12, 4, 17, 10), 'circle-color': inks.fibre, 'circle-stroke-color': inks.paper, 'circle-stroke-width': 2 }),
      circle('marked', { 'circle-radius': byZoom(12, 9, 17, 16), 'circle-color': 'transparent', 'circle-stroke-color': inks.ink, 'circle-stroke-width': 2.5 }),
    ];
  },
  hits: ['sites'],
};
