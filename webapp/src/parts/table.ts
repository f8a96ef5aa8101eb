/** How a table is described: its columns, and which slice of its rows is drawn. */
export interface Column {
  key: string;
  title: string;
  /** A CSS grid track, such as 80px or minmax(120px, 1fr). */
  width: string;
  numeric?: boolean;
  sortable?: boolean;
  /** Left out below this width of the table, in pixels. */
  from_px?: number;
  /** The title is read out, not drawn. */
  bare?: boolean;
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
