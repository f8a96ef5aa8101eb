/**
 * The city's live events. What arrives is gathered and handed over once a second at most, before a frame is drawn: the
 * page works by the batch, never by the message, and rests in between; what comes after a while of rest is handed over
 * at once. When the stream comes back after a break, `back` is called, since
 * what happened meanwhile was not heard.
 */
import type { Answer, GoneEvent, ReadingsEvent, RenamedEvent, SensorAnswer, StatesEvent, SystemEvent } from './answers.ts';

export interface Batch {
  readings: ReadingsEvent[];
  states: StatesEvent[];
  appeared: SensorAnswer[];
  gone: GoneEvent[];
  renamed: RenamedEvent[];
  system: SystemEvent | null;
  answer: Answer | null;
}

export interface Hearer {
  batch(batch: Batch): void;
  link(up: boolean): void;
  back(): void;
}

/** A city speaks tens of times a second; drawn as often, its map alone keeps a processor busy. */
const EVERY_MS = 1_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 15_000;

function emptyBatch(): Batch {
  return { readings: [], states: [], appeared: [], gone: [], renamed: [], system: null, answer: null };
}

/** Opens the stream; returns what closes it. */
export function listen(hearer: Hearer): () => void {
  let source: EventSource | null = null;
  let batch = emptyBatch();
  let waiting = 0;
  let frame = 0;
  let flushed_ms = Number.NEGATIVE_INFINITY;
  let retry = 0;
  let retryMs = RETRY_MIN_MS;
  let wasUp = false;

  function soon(): void {
    if (waiting !== 0 || frame !== 0) return;
    waiting = window.setTimeout(draw, Math.max(0, flushed_ms + EVERY_MS - performance.now()));
  }

  function draw(): void {
    waiting = 0;
    // A hidden page gets no frames, and its batch is to be emptied all the same.
    if (document.hidden) flush();
    else frame = requestAnimationFrame(flush);
  }

  function flush(): void {
    frame = 0;
    flushed_ms = performance.now();
    const full = batch;
    batch = emptyBatch();
    hearer.batch(full);
  }

  function open(): void {
    source = new EventSource('/portal/api/live');
    source.onopen = () => {
      retryMs = RETRY_MIN_MS;
      hearer.link(true);
      if (wasUp) hearer.back();
      wasUp = true;
    };
    source.onerror = () => {
      hearer.link(false);
      if (source?.readyState !== EventSource.CLOSED) return;
      // The server refused: the browser gives up, we ask again, ever more seldom.
      window.clearTimeout(retry);
      retry = window.setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
    };
    source.addEventListener('readings', (event) => {
      batch.readings.push(JSON.parse(event.data) as ReadingsEvent);
      soon();
    });
    source.addEventListener('states', (event) => {
      batch.states.push(JSON.parse(event.data) as StatesEvent);
      soon();
    });
    source.addEventListener('appeared', (event) => {
      batch.appeared.push(JSON.parse(event.data) as SensorAnswer);
      soon();
    });
    source.addEventListener('gone', (event) => {
      batch.gone.push(JSON.parse(event.data) as GoneEvent);
      soon();
    });
    source.addEventListener('renamed', (event) => {
      batch.renamed.push(JSON.parse(event.data) as RenamedEvent);
      soon();
    });
    source.addEventListener('system', (event) => {
      batch.system = JSON.parse(event.data) as SystemEvent;
      soon();
    });
    source.addEventListener('answer', (event) => {
      batch.answer = JSON.parse(event.data) as Answer;
      soon();
    });
  }

  open();
  return () => {
    source?.close();
    window.clearTimeout(retry);
    window.clearTimeout(waiting);
    cancelAnimationFrame(frame);
  };
}
