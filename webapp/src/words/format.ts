/**
 * How numbers, values with their units, times and lengths of time are written: each in one way, here and nowhere else.
 * They follow the locale of the words, so that a page never mixes two. The server's sentences keep to the same rules
 * (broadstreet/portal/words.py), and tests/told.json holds both to them. Times are told in the city's zone, not the
 * reader's: a reading belongs to its street.
 */

/** How many, and how that is written: what a plural is made from. */
export interface Counted {
  n: number;
  text: string;
}

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const MINUS = '\u2212';
const SPACE = '\u00a0';
const PERCENT = '%';
const DEGREE = '°';
/** A rate is told in whole numbers from here on. */
const FAST = 10;

function remembered<K extends unknown[], V>(make: (...key: K) => V): (...key: K) => V {
  const kept = new Map<string, V>();
  return (...key) => {
    const name = JSON.stringify(key);
    let value = kept.get(name);
    if (value === undefined) {
      value = make(...key);
      kept.set(name, value);
    }
    return value;
  };
}

const numberFormat = remembered((locale: string, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options));
const timeFormat = remembered((locale: string, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options));

/** How many decimals a size deserves. What would round up to a hundred is told as one. */
function decimals(value: number): number {
  const size = Math.abs(value);
  return size >= 99.95 ? 0 : size >= 0.995 ? 1 : 2;
}

/** How a tick of a time axis is told: by the clock, or by its date. */
export type TickStyle = 'second' | 'minute' | 'day' | 'month' | 'year';

export class Format {
  readonly locale: string;
  readonly zone: string;
  readonly #now: () => number;

  constructor(locale: string, zone: string, now: () => number = Date.now) {
    this.locale = locale;
    this.zone = zone;
    this.#now = now;
  }

  /** A number that somebody chose, such as a limit: whole from a hundred on, one decimal below, two below one; a whole one stays whole. */
  value(value: number): string {
    return this.decimal(value, Number.isInteger(value) ? 0 : decimals(value));
  }

  /** What a sensor measured: as `value`, but 18 °C is 18.0 °C, for the next may be 18.1. Percentages and bare counts stay whole. */
  reading(value: number, unit: string): string {
    if (unit === PERCENT) return this.decimal(value, value === 0 || Math.abs(value) >= 1 ? 0 : 1);
    return unit === '' || value === 0 ? this.value(value) : this.decimal(value, decimals(value));
  }

  /** What stands between a value and its unit: nothing before a degree, and what the locale puts before a per cent. */
  gap(unit: string): string {
    if (unit === '' || unit === DEGREE) return '';
    return unit !== PERCENT || /\s/.test(this.share(0.5)) ? SPACE : '';
  }

  /** A reading with its unit: 31.2 µg/m³, 40%. */
  quantity(value: number, unit: string): string {
    return this.reading(value, unit) + this.gap(unit) + unit;
  }

  /** A limit with its unit: 200 µg/m³, 95%. */
  limit(value: number, unit: string): string {
    return this.value(value) + this.gap(unit) + unit;
  }

  /** So many a second: 1,240, but 4.5. */
  rate(value: number): string {
    return this.decimal(value, value === 0 || value >= FAST ? 0 : 1);
  }

  count(value: number): string {
    return this.#number(value, { maximumFractionDigits: 0 });
  }

  /** For words that have a plural. */
  counted(n: number): Counted {
    return { n, text: this.count(n) };
  }

  /** What is only estimated, to three figures: 4,310,000. */
  about(value: number): string {
    return this.#number(value, { maximumSignificantDigits: 3 });
  }

  decimal(value: number, digits: number): string {
    return this.#number(value, { maximumFractionDigits: digits, minimumFractionDigits: digits });
  }

  /** 0.713 as 71 %. */
  share(value: number): string {
    return this.#number(value, { style: 'percent', maximumFractionDigits: 0 });
  }

  /** 0.0736 as 7.4%. */
  share1(value: number): string {
    return this.#number(value, { style: 'percent', maximumFractionDigits: 1 });
  }

  /** Whole cents in a currency, without its cents: €2,450,888. */
  money(cents: number, currency: string): string {
    return this.#number(cents / 100, { style: 'currency', currency, maximumFractionDigits: 0 });
  }

  /** The same to three figures, where there is little room: €2.45m. */
  shortMoney(cents: number, currency: string): string {
    return this.#number(cents / 100, { style: 'currency', currency, notation: 'compact', maximumSignificantDigits: 3 });
  }

  bytes(value: number): string {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
    const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
    const scaled = value / 1000 ** step;
    return this.#number(scaled, { style: 'unit', unit: units[step] ?? 'byte', unitDisplay: step === 0 ? 'long' : 'short', maximumFractionDigits: scaled < 10 && step > 0 ? 1 : 0 });
  }

  /** A length of time in its largest sensible unit: 12 seconds, 90 minutes, 7 hours, 2 days. */
  duration(seconds: number): string {
    return this.#length(seconds, 'long');
  }

  /** The same where it is part of a drawing, beside a sensor's stack: 12s, 90m, 7h, 2d. */
  mark(seconds: number): string {
    return this.#length(seconds, 'narrow');
  }

  metres(length_m: number): string {
    return length_m >= 1000
      ? this.#number(length_m / 1000, { style: 'unit', unit: 'kilometer', maximumFractionDigits: 1 })
      : this.#number(length_m, { style: 'unit', unit: 'meter', maximumFractionDigits: 0 });
  }

  /** 14:02, or 14:02:07. */
  clock(at_ms: number, seconds = false): string {
    return this.#time(at_ms, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(seconds ? { second: '2-digit' } : {}) });
  }

  /** 3 Mar, 14:02:07; with its year where that is not this one. */
  moment(at_ms: number, seconds = true): string {
    return `${this.date(at_ms)}, ${this.clock(at_ms, seconds)}`;
  }

  /** 3 Mar, or 3 Mar 2012 where the year is not this one. */
  date(at_ms: number): string {
    const year = (moment_ms: number): string => this.#time(moment_ms, { year: 'numeric' });
    return this.#time(at_ms, { day: 'numeric', month: 'short', ...(year(at_ms) === year(this.#now()) ? {} : { year: 'numeric' }) });
  }

  /** 3 March 2026. */
  day(at_ms: number): string {
    return this.#time(at_ms, { day: 'numeric', month: 'long', year: 'numeric' });
  }

  /** A moment on an axis: as much of it as tells it from its neighbours. */
  tick(at_ms: number, style: TickStyle): string {
    if (style === 'second' || style === 'minute') return this.clock(at_ms, style === 'second');
    if (style === 'day') return this.date(at_ms);
    return this.#time(at_ms, { year: 'numeric', ...(style === 'month' ? { month: 'short' } : {}) });
  }

  /** Everything there is to say of a moment, for a title or a report. */
  full(at_ms: number): string {
    return `${this.day(at_ms)}, ${this.clock(at_ms, true)} ${this.zoneName(at_ms)}`;
  }

  zoneName(at_ms: number): string {
    const part = timeFormat('en', { timeZone: this.zone, timeZoneName: 'short' })
      .formatToParts(at_ms)
      .find(({ type }) => type === 'timeZoneName');
    return part?.value ?? this.zone;
  }

  /** How far the zone's clocks are ahead of UTC at a moment. */
  offset_ms(at_ms: number): number {
    const parts = timeFormat('en-GB', {
      timeZone: this.zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }).formatToParts(at_ms);
    const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
    const local_ms = Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second'));
    return local_ms - Math.floor(at_ms / 1000) * 1000;
  }

  /** The moment at which a wall clock in the city shows this date and time. */
  fromWall(year: number, month: number, day: number, hour = 0, minute = 0): number {
    const wall_ms = Date.UTC(year, month - 1, day, hour, minute);
    const guess_ms = wall_ms - this.offset_ms(wall_ms);
    return wall_ms - this.offset_ms(guess_ms);
  }

  /** Midnight in the city, `days` days away from the day of `at_ms`. */
  dayStart(at_ms: number, days = 0): number {
    const wall = new Date(at_ms + this.offset_ms(at_ms));
    return this.fromWall(wall.getUTCFullYear(), wall.getUTCMonth() + 1, wall.getUTCDate() + days);
  }

  /** The value of a datetime-local input: the city's wall clock. */
  wallInput(at_ms: number): string {
    return new Date(at_ms + this.offset_ms(at_ms)).toISOString().slice(0, 16);
  }

  parseWallInput(text: string): number | null {
    const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})/.exec(text);
    if (!match) return null;
    const [year, month, day, hour, minute] = match.slice(1).map(Number) as [number, number, number, number, number];
    return this.fromWall(year, month, day, hour, minute);
  }

  #length(seconds: number, unitDisplay: 'long' | 'narrow'): string {
    const size = Math.max(0, seconds);
    const [amount, unit] =
      size < MINUTE_S ? [size, 'second'] : size < 2 * HOUR_S ? [size / MINUTE_S, 'minute'] : size < 2 * DAY_S ? [size / HOUR_S, 'hour'] : [size / DAY_S, 'day'];
    return this.#number(Math.floor(amount), { style: 'unit', unit, unitDisplay });
  }

  #number(value: number, options: Intl.NumberFormatOptions): string {
    return numberFormat(this.locale, options).format(value).replace(/^-/, MINUS);
  }

  #time(at_ms: number, options: Intl.DateTimeFormatOptions): string {
    return timeFormat(this.locale, { timeZone: this.zone, ...options }).format(at_ms);
  }
}
