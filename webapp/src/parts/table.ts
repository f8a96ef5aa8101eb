/** How a table is described: its columns, and which slice of its rows is drawn. */
export interface Column {
  key: string;
  title: string;
  /** A CSS grid track, such as 80px or minmax(120px, 1fr). */
  width: string;
  numeric?: boolean;
  sortable?: boolean;
  /** Has no place of its own below this width of the table, in pixels. */
  from_px?: number;
  /** The title is read out, not drawn. */
  bare?: boolean;
}

/** Between two columns, and at both ends of a row. */
const GAP_PX = 16;
const ENDS_PX = 16;
/** What a column that only takes its share needs at least. */
const SHARE_PX = 72;

/** The least width of a track: 80 of 80px and of minmax(80px, 1fr). */
export function least_px(track: string): number {
  const match = /^(?:minmax\()?(\d+)px/.exec(track);
  return match ? Number(match[1]) : SHARE_PX;
}

/** The columns that a table so wide has room for: its first always, of the others the last are given up first. */
export function fitting(columns: readonly Column[], width_px: number): Column[] {
  const fit = columns.filter(({ from_px }) => width_px >= (from_px ?? 0));
  const needed = (): number => ENDS_PX + fit.reduce((sum, { width }) => sum + least_px(width), 0) + GAP_PX * (fit.length - 1);
  while (fit.length > 1 && needed() > width_px) fit.pop();
  return fit;
}

/** Rows beyond the window that are drawn all the same, so that a scroll meets no blank. */
const SPARE_ROWS = 8;

export interface Slice {
  first: number;
  last: number;
}

/** The rows to draw of `count`, each `row_px` high, scrolled by `top_px` in a window of `window_px`. */
export function slice(count: number, row_px: number, top_px: number, window_px: number): Slice {
  const first = Math.max(0, Math.floor(top_px / row_px) - SPARE_ROWS);
  const last = Math.min(count, Math.ceil((top_px + window_px) / row_px) + SPARE_ROWS);
  return { first: Math.min(first, last), last };
}
