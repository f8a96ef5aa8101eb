/**
 * The city as it lives: loaded once, then changed in place by what is heard. Structure (who is there, in which state)
 * and values are counted apart, because a table may re-sort on the first and must not on the second.
 */
import type { Answer, CityAnswer, SystemEvent } from '../server/answers.ts';
import { Asked } from '../server/asked.svelte.ts';
import { listen, type Batch } from '../server/live.ts';
import { HOUR_MS, hear, readingsByType, sensorOf, setState, type Reading, type Sensor } from './sensor.ts';

/** Without a word from the stream for so long, what is shown is stale. */
const STALE_AFTER_MS = 20_000;
/** Why a sensor fell silent, that its device was disabled, or who a stranger is, is the server's to say; it is asked a little later, once for all. */
const RELOAD_AFTER_MS = 5_000;
/** The hour's turn is asked for a little late, and not by all clients at one instant. */
const HOUR_SLACK_MS = 5_000;

export type BatchHearer = (changed: ReadonlySet<string>) => void;

class City {
  readonly asked = new Asked<CityAnswer>();
  sensors = $state.raw<Sensor[]>([]);
  readings = $state.raw<Map<string, Reading>>(new Map());
  answer = $state.raw<Answer | null>(null);
  system = $state.raw<SystemEvent | null>(null);
  /** Counts batches of values. */
  beat = $state(0);
  /** Counts changes of who is there and in which state. */
  structure = $state(0);
  linked = $state(false);
  heardAt_ms = $state<number | null>(null);
  barsFrom_ms = $state(0);

  #byId = new Map<string, Sensor>();
  #hearers = new Set<BatchHearer>();
  #close: (() => void) | null = null;
  #hour = 0;
  #soon = 0;
  /** Heard, but not of the city as it was loaded. Each is asked after once. */
  #strangers = new Set<string>();

  start(): void {
    if (this.#close) return;
    void this.load();
    const close = listen({
      batch: (batch) => this.#apply(batch),
      link: (up) => {
        this.linked = up;
        if (!up) return;
        // What changed between the city's answer and the stream's begin was told to nobody.
        if (this.sensors.length > 0) this.#loadSoon();
        this.heardAt_ms = Date.now();
      },
      back: () => void this.load(),
    });
    this.#close = () => {
      close();
      window.clearTimeout(this.#hour);
      window.clearTimeout(this.#soon);
      this.#soon = 0;
    };
  }

  stop(): void {
    this.#close?.();
    this.#close = null;
    this.sensors = [];
    this.#byId.clear();
    this.asked.forget();
  }

  async load(): Promise<void> {
    const value = await this.asked.ask('/portal/api/city');
    if (!value) return;
    this.readings = readingsByType(value.types, value.scales);
    this.sensors = value.sensors.map((answer) => sensorOf(answer, this.readings));
    this.#byId = new Map(this.sensors.map((sensor) => [sensor.id, sensor]));
    this.answer = value.answer;
    this.barsFrom_ms = value.bars_from_ms;
    this.heardAt_ms = Date.now();
    this.structure += 1;
    this.beat += 1;
    window.clearTimeout(this.#hour);
    const untilTurn_ms = HOUR_MS - (Date.now() % HOUR_MS) + HOUR_SLACK_MS * (1 + Math.random());
    this.#hour = window.setTimeout(() => void this.load(), untilTurn_ms);
  }

  get(id: string): Sensor | undefined {
    return this.#byId.get(id);
  }

  readingOf(sensor: Sensor): Reading | undefined {
    return this.readings.get(sensor.type);
  }

  /** Stale since when, or null while the stream lives. */
  staleSince(now_ms: number): number | null {
    if (this.linked || this.heardAt_ms === null) return null;
    return now_ms - this.heardAt_ms > STALE_AFTER_MS ? this.heardAt_ms : null;
  }

  onBatch(hearer: BatchHearer): () => void {
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }

  #apply(batch: Batch): void {
    const changed = new Set<string>();
    let restructured = false;
    for (const answer of batch.appeared) {
      restructured = this.#add(sensorOf(answer, this.readings)) || restructured;
      changed.add(answer.id);
    }
    for (const { items } of batch.gone) restructured = this.#drop(items) || restructured;
    for (const { items } of batch.readings) {
      for (const [id, attribute, value, observed_ms, beyond] of items) {
        const sensor = this.#byId.get(id);
        if (!sensor) {
          this.#meet(id);
          continue;
        }
        restructured = hear(sensor, this.readings.get(sensor.type), { attribute, value, observed_ms, beyond }) || restructured;
        changed.add(id);
      }
    }
    for (const { items } of batch.states) {
      for (const [id, state, heard_at] of items) {
        const sensor = this.#byId.get(id);
        if (!sensor) continue;
        if (state !== 'live') this.#loadSoon();
        restructured = setState(sensor, state, heard_at === null ? null : Date.parse(heard_at)) || restructured;
        changed.add(id);
      }
    }
    for (const { items } of batch.renamed) {
      for (const [id, title] of items) {
        const sensor = this.#byId.get(id);
        if (!sensor) continue;
        sensor.title = title;
        restructured = true;
        changed.add(id);
      }
    }
    if (batch.system) this.system = batch.system;
    if (batch.answer) this.answer = batch.answer;
    this.heardAt_ms = Date.now();
    if (restructured) this.structure += 1;
    if (changed.size === 0) return;
    this.beat += 1;
    for (const hearer of this.#hearers) hearer(changed);
  }

  #meet(stranger: string): void {
    if (this.#strangers.has(stranger)) return;
    this.#strangers.add(stranger);
    this.#loadSoon();
  }

  /** Once for all that ask until then: who asks again and again does not put it off. */
  #loadSoon(): void {
    if (this.#soon !== 0) return;
    this.#soon = window.setTimeout(() => {
      this.#soon = 0;
      void this.load();
    }, RELOAD_AFTER_MS);
  }

  #drop(ids: string[]): boolean {
    const gone = new Set(ids.filter((id) => this.#byId.delete(id)));
    if (gone.size > 0) this.sensors = this.sensors.filter(({ id }) => !gone.has(id));
    return gone.size > 0;
  }

  #add(sensor: Sensor): boolean {
    if (this.#byId.has(sensor.id)) return false;
    this.#byId.set(sensor.id, sensor);
    this.sensors = [...this.sensors, sensor];
    return true;
  }
}

export const city = new City();
