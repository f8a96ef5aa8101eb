/** How a plan lies on the map: each kind of thing by its width, its dashes or its sign, and only then by its colour. */
import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import type { Sheet, SheetInks } from '../map/sheetmap.ts';

type Grouped = LayerSpecification & { metadata?: { group: string } };

export const byZoom = (...stops: number[]): ExpressionSpecification => ['interpolate', ['linear'], ['zoom'], ...stops] as unknown as ExpressionSpecification;
const round = { 'line-cap': 'round', 'line-join': 'round' } as const;
const group = (name: string): { metadata: { group: string } } => ({ metadata: { group: name } });
const is = (property: string, value: string): ExpressionSpecification => ['==', ['get', property], value];

/** Groups that a reader may hide, in the order of the legend. */
export const GROUPS = ['feeder', 'distribution', 'drop', 'office', 'cabinet', 'closure', 'premises', 'ground', 'plant', 'faults'] as const;
export type Group = (typeof GROUPS)[number];

function ground(inks: SheetInks): Grouped[] {
  return [
    {
      id: 'ground',
      type: 'line',
      source: 'ground',
      ...group('ground'),
      filter: ['get', 'usable'],
      layout: round,
      paint: { 'line-color': inks.muted, 'line-width': byZoom(12, 0.3, 17, 1.2), 'line-opacity': byZoom(13, 0.2, 15.5, 0.6) },
    },
    {
      id: 'ground-shut',
      type: 'line',
      source: 'ground',
      ...group('ground'),
      filter: ['!', ['get', 'usable']],
      paint: { 'line-color': inks.muted, 'line-width': byZoom(12, 0.4, 17, 1.2), 'line-dasharray': [1, 3], 'line-opacity': byZoom(13, 0.2, 15.5, 0.6) },
    },
  ];
}

function rules(inks: SheetInks): Grouped[] {
  const line = { source: 'rules', type: 'line' as const };
  return [
    { id: 'rules-closed', ...line, filter: is('rule', 'closed'), paint: { 'line-color': inks.ink, 'line-width': byZoom(12, 3, 17, 9), 'line-dasharray': [0.25, 0.5], 'line-opacity': 0.7 } },
    { id: 'rules-locked', ...line, filter: is('rule', 'locked'), paint: { 'line-color': inks.ink, 'line-width': byZoom(12, 1, 17, 1.6), 'line-gap-width': byZoom(12, 5, 17, 11) } },
    {
      id: 'rules-signs',
      type: 'symbol',
      source: 'rules',
      layout: { 'icon-image': ['get', 'rule'], 'icon-size': byZoom(12, 0.5, 17, 0.9), 'symbol-placement': 'line-center', 'icon-rotation-alignment': 'viewport', 'icon-padding': 12 },
    },
  ];
}

function ways(inks: SheetInks): Grouped[] {
  const drawn = (role: string, colour: string, low_px: number, high_px: number): Grouped[] => [
    {
      id: `${role}-edge`,
      type: 'line',
      source: 'ways',
      ...group(role),
      filter: is('carries', role),
      layout: round,
      paint: { 'line-color': inks.paper, 'line-width': byZoom(12, low_px + 1.4, 17, high_px + 3) },
    },
    { id: role, type: 'line', source: 'ways', ...group(role), filter: is('carries', role), layout: round, paint: { 'line-color': colour, 'line-width': byZoom(12, low_px, 17, high_px) } },
  ];
  return [...drawn('drop', inks.fibre, 0.8, 1.6), ...drawn('distribution', inks.fibre, 1.6, 4.2), ...drawn('feeder', inks.ink, 2.2, 6)];
}

function premises(inks: SheetInks): Grouped[] {
  return [
    {
      id: 'drops',
      type: 'line',
      source: 'premises',
      ...group('premises'),
      minzoom: 14.5,
      filter: ['get', 'served'],
      paint: { 'line-color': inks.fibre, 'line-width': byZoom(14.5, 0.5, 18, 1.4), 'line-opacity': byZoom(14.5, 0, 15, 0.9) },
    },
    {
      id: 'places',
      type: 'circle',
      source: 'places',
      ...group('premises'),
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 12, ['case', ['get', 'critical'], 2.4, 1], 15, ['case', ['get', 'critical'], 5, 2.4], 18, ['case', ['get', 'critical'], 9, 5]] as unknown as ExpressionSpecification,
        'circle-color': ['case', ['get', 'served'], inks.ink, inks.paper],
        'circle-stroke-color': ['case', ['get', 'served'], inks.paper, inks.ink],
        'circle-stroke-width': byZoom(13, 0.4, 16, 1.2),
      },
    },
    {
      id: 'critical',
      type: 'circle',
      source: 'places',
      ...group('premises'),
      filter: ['get', 'critical'],
      paint: { 'circle-radius': byZoom(12, 4, 15, 7, 18, 12), 'circle-color': 'transparent', 'circle-stroke-color': inks.ink, 'circle-stroke-width': 1.2 },
    },
  ];
}

export function sites(): Grouped[] {
  const sign = (kind: string, low: number, high: number): Grouped => ({
    id: kind,
    type: 'symbol',
    source: 'sites',
    ...group(kind),
    ...(kind === 'closure' ? { minzoom: 14 } : {}),
    filter: is('kind', kind),
    layout: { 'icon-image': kind, 'icon-size': byZoom(12, low, 17, high), 'icon-allow-overlap': true, 'icon-ignore-placement': true },
  });
  return [sign('closure', 0.35, 0.8), sign('cabinet', 0.7, 1.05), sign('office', 0.9, 1.2)];
}

/** Networks that stand: spans that have no route are dashed, nodes are small rings. */
function plant(inks: SheetInks): Grouped[] {
  const line = { source: 'spans', type: 'line' as const, ...group('plant') };
  const isStraight: ExpressionSpecification = ['to-boolean', ['get', 'straight']];
  return [
    { id: 'spans-edge', ...line, layout: round, paint: { 'line-color': inks.paper, 'line-width': byZoom(8, 2.4, 17, 7) } },
    { id: 'spans', ...line, layout: round, filter: ['!', isStraight], paint: { 'line-color': inks.ink, 'line-width': byZoom(8, 1.2, 17, 3.6) } },
    { id: 'spans-straight', ...line, filter: isStraight, paint: { 'line-color': inks.ink, 'line-width': byZoom(8, 1, 17, 2.4), 'line-dasharray': [2, 2] } },
    {
      id: 'nodes',
      type: 'circle',
      source: 'nodes',
      ...group('plant'),
      paint: { 'circle-radius': byZoom(8, 2.2, 17, 5), 'circle-color': inks.paper, 'circle-stroke-color': inks.ink, 'circle-stroke-width': byZoom(8, 1, 17, 1.8) },
    },
  ];
}

export function marked(inks: SheetInks): Grouped[] {
  const line: ExpressionSpecification = ['==', ['geometry-type'], 'LineString'];
  const point: ExpressionSpecification = ['==', ['geometry-type'], 'Point'];
  return [
    { id: 'marked-under', type: 'line', source: 'marked', filter: line, layout: round, paint: { 'line-color': inks.paper, 'line-width': byZoom(12, 8, 17, 15) } },
    { id: 'marked-edge', type: 'line', source: 'marked', filter: line, layout: round, paint: { 'line-color': inks.ink, 'line-width': byZoom(12, 6, 17, 12) } },
    { id: 'marked-line', type: 'line', source: 'marked', filter: line, layout: round, paint: { 'line-color': inks.paper, 'line-width': byZoom(12, 3.4, 17, 8) } },
    { id: 'marked-core', type: 'line', source: 'marked', filter: line, layout: round, paint: { 'line-color': inks.fibre, 'line-width': byZoom(12, 1.6, 17, 4) } },
    { id: 'marked-ring', type: 'circle', source: 'marked', filter: point, paint: { 'circle-radius': 14, 'circle-color': 'transparent', 'circle-stroke-color': inks.paper, 'circle-stroke-width': 6 } },
    { id: 'marked-point', type: 'circle', source: 'marked', filter: point, paint: { 'circle-radius': 14, 'circle-color': 'transparent', 'circle-stroke-color': inks.ink, 'circle-stroke-width': 2.5 } },
  ];
}

function faults(): Grouped[] {
  return [
    {
      id: 'faults',
      type: 'symbol',
      source: 'faults',
      ...group('faults'),
      layout: { 'icon-image': 'fault', 'icon-size': byZoom(12, 0.3, 15, 0.55, 18, 0.9), 'icon-allow-overlap': true, 'icon-ignore-placement': true },
    },
  ];
}

/** A plan, or a ground on which none is yet. */
export const PLAN_SHEET: Sheet = {
  sources: ['ground', 'rules', 'spans', 'nodes', 'ways', 'premises', 'places', 'marked', 'sites', 'faults'],
  layers: (inks) => [...ground(inks), ...rules(inks), ...plant(inks), ...ways(inks), ...premises(inks), ...marked(inks), ...sites(), ...faults()],
  hits: ['faults', 'office', 'cabinet', 'closure', 'nodes', 'places', 'feeder', 'distribution', 'drop', 'spans', 'spans-straight', 'ground', 'ground-shut'],
};

/** Two plans on one map: what only the first opens is solid, what only the second opens is dashed, what both open is fine. */
export const COMPARISON_SHEET: Sheet = {
  sources: ['both', 'first', 'second', 'marked', 'sites'],
  layers: (inks) => [
    { id: 'both', type: 'line', source: 'both', ...group('both'), layout: round, paint: { 'line-color': inks.muted, 'line-width': byZoom(12, 0.9, 17, 2) } },
    { id: 'first-edge', type: 'line', source: 'first', ...group('first'), layout: round, paint: { 'line-color': inks.paper, 'line-width': byZoom(12, 4.4, 17, 9) } },
    { id: 'first', type: 'line', source: 'first', ...group('first'), layout: round, paint: { 'line-color': inks.ink, 'line-width': byZoom(12, 2.6, 17, 6) } },
    { id: 'second-edge', type: 'line', source: 'second', ...group('second'), paint: { 'line-color': inks.paper, 'line-width': byZoom(12, 4.4, 17, 9) } },
    { id: 'second', type: 'line', source: 'second', ...group('second'), paint: { 'line-color': inks.fibre, 'line-width': byZoom(12, 2.6, 17, 6), 'line-dasharray': [1.6, 0.9] } },
    ...marked(inks),
    ...sites(),
  ],
  hits: ['first', 'second', 'both'],
};

/** An area that is drawn, the offices in it, and what is there already. */
export const AREA_SHEET: Sheet = {
  sources: ['area', 'corners', 'sites'],
  layers: (inks) => [
    { id: 'area', type: 'fill', source: 'area', paint: { 'fill-color': inks.fibre, 'fill-opacity': 0.1 } },
    { id: 'area-edge', type: 'line', source: 'area', paint: { 'line-color': inks.fibre, 'line-width': 2, 'line-dasharray': [3, 1.5] } },
    { id: 'corners', type: 'circle', source: 'corners', paint: { 'circle-radius': 5, 'circle-color': inks.paper, 'circle-stroke-color': inks.fibre, 'circle-stroke-width': 2 } },
    ...sites(),
  ],
  hits: [],
};
