/** What there is to ask about: the types, the attributes of the one that was chosen, and what sort of values they have. */
import type { Sort } from './condition.ts';
import { PATH } from './draft.ts';
import { attributesOf, sortOf, toldOf, type Told, type Units } from './row.ts';
import type { EntityAnswer, TypeAnswer, TypeInfoAnswer } from '../server/answers.ngsild.ts';
import { ask, Problem, withQuery } from '../server/ask.ts';
import { Asked } from '../server/asked.svelte.ts';
import { format } from '../words/speaking.svelte.ts';

/** Entities that are looked at to see what an attribute is like. */
const SAMPLE = 10;

export interface Attribute {
  name: string;
  kinds: string[];
  sort: Sort;
  example: Told | null;
}

/** The answer, or null where there is none. */
async function tried<T>(path: string): Promise<T | null> {
  return ask<T>(path).catch((error: unknown) => {
    if (error instanceof Problem) return null;
    throw error;
  });
}

export class Known {
  readonly types = new Asked<TypeAnswer[]>();
  units = $state.raw<Units>({});
  info = $state.raw<TypeInfoAnswer | null>(null);
  #sample = $state.raw<EntityAnswer[]>([]);
  #type = '';

  readonly attributes: Attribute[] = $derived.by(() => {
    const details = this.info?.attributeDetails ?? [];
    const examples = new Map(this.#sample.flatMap(attributesOf).reverse());
    return details.map(({ attributeName: name, attributeTypes: kinds }) => {
      const example = examples.get(name);
      const sort = example ? sortOf(example) : kinds.length === 1 && kinds[0] !== 'Property' ? sortOf({ type: kinds[0] ?? '' }) : 'unknown';
      return { name, kinds, sort, example: example ? toldOf(name, example, this.units, format()) : null };
    });
  });

  /** Names to choose from: of the chosen type, else of all. */
  readonly names: string[] = $derived(
    this.info ? this.attributes.map(({ name }) => name) : [...new Set((this.types.value ?? []).flatMap(({ attributeNames }) => attributeNames))].sort(),
  );

  constructor() {
    void this.types.ask('/ngsi-ld/v1/types?details=true');
    void tried<Units>('/portal/api/units').then((units) => (this.units = units ?? {}));
  }

  sortOf = (name: string): Sort => this.attributes.find((one) => one.name === name)?.sort ?? 'unknown';

  /** Looks closer at a type, if there is one of this name. */
  async choose(type: string): Promise<void> {
    if (type === this.#type) return;
    this.#type = type;
    this.info = null;
    this.#sample = [];
    if (type === '' || /[,;|()*]/.test(type)) return;
    const path = withQuery(PATH, { type, limit: SAMPLE });
    const [info, sample] = await Promise.all([tried<TypeInfoAnswer>(`/ngsi-ld/v1/types/${encodeURIComponent(type)}`), tried<EntityAnswer[]>(path)]);
    if (this.#type !== type) return;
    this.#sample = sample ?? [];
    this.info = info;
  }
}
