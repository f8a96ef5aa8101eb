/** One line over time on uPlot, in our inks. Fetched only when a chart is first shown. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { inkOf } from '../theme.svelte.ts';
import type { Format } from '../words/format.ts';
import { nearestPoint, tickStyle, valueRange, type Columns, type Window } from './series.ts';

export interface Sketch {
  columns: Columns;
  window: Window;
  gaps_ms: readonly [number, number][];
  limit: number | null;
  expected: boolean;
  fromZero: boolean;
  label: string;
  series: number;
  words: { limit: string };
  format: Format;
}

/** Points are told by their times, in seconds: an index would mean another point as soon as new data is drawn. */
export interface ChartEvents {
  selected(window: Window): void;
  picked(t_s: number): void;
  pointed(t_s: number | null): void;
  /** It stands, and its cursor can be set. */
  ready(drawing: Drawing): void;
}

const HEIGHT_PX = 300;
const FONT = "13px 'IBM Plex Mono', monospace";
const LEAST_DRAG_PX = 6;
/** A click this far beside the plot still means the point at its edge. */
const BESIDE_PX = 16;
/** The columns behind a line, as `columnsOf` orders them. */
const VALUE = 1;
const LOW = 2;
const HIGH = 3;
const EXPECTED_LOW = 4;
const EXPECTED_HIGH = 5;

function alpha(colour: string, share: number): string {
  return colour.replace(/^rgb\((.*)\)$/, `rgb($1, ${share})`).replace(/rgb\(([\d.]+), ([\d.]+), ([\d.]+), /, 'rgba($1, $2, $3, ');
}

/** Hatches the gaps, and draws what lies beyond the limit in vermilion. */
function hooks(sketch: Sketch, ink: string): uPlot.Hooks.Arrays {
  return {
    drawClear: [
      (plot) => {
        const { ctx: pen, bbox } = plot;
        pen.save();
        pen.fillStyle = alpha(ink, 0.06);
        for (const [from, to] of sketch.gaps_ms) {
          const left = Math.max(bbox.left, plot.valToPos(from / 1000, 'x', true));
          const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1000, 'x', true));
          if (right > left) pen.fillRect(left, bbox.top, right - left, bbox.height);
        }
        pen.restore();
      },
    ],
    draw: [
      (plot) => {
        if (sketch.limit === null) return;
        const { ctx: pen, bbox } = plot;
        const y = plot.valToPos(sketch.limit, 'y', true);
        if (y < bbox.top || y > bbox.top + bbox.height) return;
        const ratio = devicePixelRatio;
        pen.save();
        pen.strokeStyle = inkOf('muted');
        pen.fillStyle = inkOf('muted');
        pen.lineWidth = ratio;
        pen.setLineDash([6 * ratio, 4 * ratio]);
        pen.beginPath();
        pen.moveTo(bbox.left, y);
        pen.lineTo(bbox.left + bbox.width, y);
        pen.stroke();
        pen.font = `${13 * ratio}px 'Atkinson Hyperlegible Next', sans-serif`;
        pen.textAlign = 'right';
        pen.setLineDash([]);
        pen.lineWidth = 4 * ratio;
        pen.strokeStyle = inkOf('paper');
        const said = `${sketch.words.limit} ${sketch.format.value(sketch.limit)}`;
        const right = bbox.left + bbox.width - 6 * ratio;
        pen.strokeText(said, right, y - 6 * ratio);
        pen.fillText(said, right, y - 6 * ratio);
        pen.restore();
      },
    ],
  };
}

/** The line's colour: ink, and vermilion above the limit. */
function stroke(plot: uPlot, ink: string, limit: number | null): string | CanvasGradient {
  if (limit === null) return ink;
  const { top, height } = plot.bbox;
  const y = plot.valToPos(limit, 'y', true);
  const share = (y - top) / height;
  if (!Number.isFinite(share) || share <= 0) return ink;
  if (share >= 1) return inkOf('vermilion');
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  for (const [at, colour] of [
    [0, inkOf('vermilion')],
    [share, inkOf('vermilion')],
    [share, ink],
    [1, ink],
  ] as const) {
    gradient.addColorStop(at, colour);
  }
  return gradient;
}

function options(sketch: Sketch, width: number, events: ChartEvents): uPlot.Options {
  const ink = inkOf(`series-${sketch.series}`);
  const text = inkOf('muted');
  const grid = { stroke: inkOf('line'), width: 1 };
  const band = (fill: string): Partial<uPlot.Series> => ({ stroke: 'transparent', width: 0, fill, points: { show: false } });
  const span_s = (sketch.window.to_ms - sketch.window.from_ms) / 1000;
  const range = valueRange(sketch.columns, sketch.limit, sketch.fromZero);
  return {
    width,
    height: HEIGHT_PX,
    legend: { show: false },
    padding: [12, 12, 0, 0],
    cursor: {
      drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG_PX },
      points: { size: 9, fill: inkOf('paper'), stroke: ink, width: 2 },
      focus: { prox: -1 },
    },
    scales: {
      x: { time: true, range: [sketch.window.from_ms / 1000, sketch.window.to_ms / 1000] },
      y: { range },
    },
    axes: [
      {
        stroke: text,
        font: FONT,
        grid: { show: false },
        ticks: { ...grid, stroke: inkOf('edge'), size: 5 },
        space: 96,
        values: (_plot, ticks, _axis, _space, step_s) =>
          ticks.map((t_s) => {
            const at_ms = t_s * 1000;
            return sketch.format.tick(at_ms, tickStyle(step_s, span_s, sketch.format.clock(at_ms) === '00:00'));
          }),
      },
      { stroke: text, font: FONT, grid, ticks: { show: false }, size: 64, values: (_plot, ticks) => ticks.map((value) => sketch.format.value(value)) },
    ],
    series: [
      {},
      { label: sketch.label, stroke: (plot) => stroke(plot, ink, sketch.limit), width: 1.5, points: { show: sketch.columns[0].length < 60, size: 5, fill: ink }, spanGaps: false },
      band('transparent'),
      band('transparent'),
      band('transparent'),
      band('transparent'),
    ],
    bands: [
      { series: [HIGH, LOW], fill: alpha(ink, 0.2) },
      ...(sketch.expected ? [{ series: [EXPECTED_HIGH, EXPECTED_LOW] as [number, number], fill: alpha(inkOf('fibre'), 0.18) }] : []),
    ],
    tzDate: (t_s) => uPlot.tzDate(new Date(t_s * 1000), sketch.format.zone),
    hooks: {
      ...hooks(sketch, inkOf('ink')),
      setSelect: [
        (plot) => {
          const { left, width: chosen } = plot.select;
          if (chosen < LEAST_DRAG_PX) return;
          events.selected({ from_ms: plot.posToVal(left, 'x') * 1000, to_ms: plot.posToVal(left + chosen, 'x') * 1000 });
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      setCursor: [({ cursor, posToVal }) => events.pointed(cursor.left !== undefined && cursor.left >= 0 ? timeNear(sketch.columns, posToVal(cursor.left, 'x')) : null)],
    },
  };
}

/** The time of the point nearest to a time, null where there is none. */
function timeNear(columns: Columns, t_s: number): number | null {
  return columns[0][nearestPoint(columns, t_s)] ?? null;
}

export class Drawing {
  readonly #plot: uPlot;
  readonly #mark = document.createElement('i');
  #marked_s: number | null = null;

  constructor(place: HTMLElement, sketch: Sketch, width: number, events: ChartEvents) {
    const chosen = options(sketch, width, events);
    this.#plot = new uPlot({ ...chosen, hooks: { ...chosen.hooks, draw: [...(chosen.hooks?.draw ?? []), () => this.#placeMark()] } }, sketch.columns as uPlot.AlignedData, place);
    this.#mark.className = 'picked';
    this.#mark.hidden = true;
    this.#plot.over.append(this.#mark);
    queueMicrotask(() => events.ready(this)); // uPlot lays itself out in a microtask of its own, queued before
    let down_px = 0;
    this.#plot.root.addEventListener('pointerdown', ({ clientX }) => (down_px = clientX));
    this.#plot.root.addEventListener('click', ({ clientX, clientY }) => {
      const plot = this.#plot.over.getBoundingClientRect();
      const beside = clientX < plot.left - BESIDE_PX || clientX > plot.right + BESIDE_PX || clientY < plot.top || clientY > plot.bottom;
      if (beside || Math.abs(clientX - down_px) > LEAST_DRAG_PX) return;
      const t_s = timeNear(sketch.columns, this.#plot.posToVal(Math.min(plot.width, Math.max(0, clientX - plot.left)), 'x'));
      if (t_s !== null) events.picked(t_s);
    });
  }

  /** Sets the cursor on a point. */
  point(index: number): void {
    const left = this.#plot.valToPos(this.#plot.data[0][index] ?? 0, 'x');
    const value = this.#plot.data[VALUE]?.[index];
    this.#plot.setCursor({ left, top: typeof value === 'number' ? this.#plot.valToPos(value, 'y') : 0 });
  }

  /** Marks the picked point, or none; the mark stays while the cursor goes elsewhere. */
  mark(t_s: number | null): void {
    this.#marked_s = t_s;
    this.#placeMark();
  }

  #placeMark(): void {
    const index = this.#marked_s === null ? -1 : this.#plot.data[0].indexOf(this.#marked_s);
    const value = this.#plot.data[VALUE]?.[index];
    this.#mark.hidden = typeof value !== 'number';
    if (typeof value !== 'number') return;
    this.#mark.style.left = `${this.#plot.valToPos(this.#marked_s ?? 0, 'x')}px`;
    this.#mark.style.top = `${this.#plot.valToPos(value, 'y')}px`;
  }

  remove(): void {
    this.#plot.destroy();
  }
}
