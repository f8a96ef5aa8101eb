/** The best and its bound as two stairs on uPlot, what lies between them hatched with the fibre's colour. Fetched only when it is shown. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { inkOf } from '../theme.svelte.ts';
import { timeRange, valueRange, type Steps } from './closing.ts';

const FONT = "13px 'IBM Plex Mono', monospace";
const NAMES_FONT = "13px 'Atkinson Hyperlegible Next', sans-serif";
const BEST = 1;
const BOUND = 2;
const BETWEEN = 0.14;
const STAIRS = uPlot.paths.stepped?.({ align: 1 });

export interface ClosingWords {
  best: string;
  bound: string;
  /** How seconds and values are written on the axes. */
  seconds: (value: number) => string;
  value: (value: number) => string;
}

/** Names the two lines at their ends, so that nobody need look for a legend. */
function names(plot: uPlot, said: ClosingWords): void {
  const { ctx: pen, bbox, data } = plot;
  const ratio = devicePixelRatio;
  pen.save();
  pen.font = NAMES_FONT.replace('13px', `${13 * ratio}px`);
  pen.lineWidth = 4 * ratio;
  pen.strokeStyle = inkOf('paper');
  const [over_px, under_px] = [-9, 18];
  const isUnder = (data[BEST]?.at(-1) ?? 0) < (data[BOUND]?.at(-1) ?? 0);
  for (const [series, text, ink, off_px] of [[BEST, said.best, 'ink', isUnder ? under_px : over_px], [BOUND, said.bound, 'fibre', isUnder ? over_px : under_px]] as const) {
    const value = data[series]?.at(-1);
    if (typeof value !== 'number') continue;
    const y = plot.valToPos(value, 'y', true) + off_px * ratio;
    const end = plot.valToPos(data[0].at(-1) ?? 0, 'x', true);
    const fits = end - bbox.left > pen.measureText(text).width;
    pen.textAlign = fits ? 'right' : 'left';
    pen.fillStyle = inkOf(ink);
    pen.strokeText(text, fits ? end - 4 * ratio : bbox.left + 4 * ratio, y);
    pen.fillText(text, fits ? end - 4 * ratio : bbox.left + 4 * ratio, y);
  }
  pen.restore();
}

function faded(colour: string): string {
  return colour.replace(/^rgba?\(([\d.]+)[ ,]+([\d.]+)[ ,]+([\d.]+).*\)$/, `rgba($1, $2, $3, ${BETWEEN})`);
}

/** most_s: how long it is sought. */
export function drawClosing(place: HTMLElement, steps: Steps, most_s: number, width: number, height: number, said: ClosingWords): uPlot {
  const line = { ...(STAIRS ? { paths: STAIRS } : {}), points: { show: steps[0].length < 3, size: 6 } };
  const isUnder = (steps[1].at(-1) ?? 0) < (steps[2].at(-1) ?? 0);
  const axis = { stroke: inkOf('muted'), font: FONT, ticks: { show: false } };
  return new uPlot(
    {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      padding: [12, 28, 0, 0],
      scales: { x: { time: false, range: [0, timeRange(steps, most_s)] }, y: { range: valueRange(steps) } },
      axes: [
        { ...axis, grid: { show: false }, space: 72, values: (_plot, ticks) => ticks.map(said.seconds) },
        { ...axis, grid: { stroke: inkOf('line'), width: 1 }, size: 76, space: 44, values: (_plot, ticks) => ticks.map(said.value) },
      ],
      series: [{}, { ...line, stroke: inkOf('ink'), width: 2.2 }, { ...line, stroke: inkOf('fibre'), width: 2.2, dash: [7, 4] }],
      bands: [{ series: isUnder ? [BOUND, BEST] : [BEST, BOUND], fill: faded(inkOf('fibre')) }],
      hooks: { draw: [(plot) => names(plot, said)] },
    },
    steps,
    place,
  );
}
