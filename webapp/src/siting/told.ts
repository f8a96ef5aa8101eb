/** A question where sensors go in a sentence, and what it reaches as it is told: people, customers, metres, a variance. */
import type { SitingAnswer, SitingFigures } from '../server/answers.siting.ts';
import type { Format } from '../words/format.ts';
import type { PlanWords } from '../words/plan.ts';

const VARIANCE_DIGITS = 3;

type Kind = Pick<SitingFigures, 'objective' | 'audience'>;

/** How much is reached; of a map, how uncertain it is left. */
export function reachedTold(value: number, { objective, audience }: Kind, format: Format, said: PlanWords): string {
  if (objective === 'variance') return format.decimal(value, VARIANCE_DIGITS);
  return said.siting.told[audience](audience === 'streets' ? format.metres(value) : format.count(value));
}

export function sentenceOf({ state, stage, figures, trouble }: SitingAnswer, format: Format, said: PlanWords): string {
  const { told, running, statesWhy } = said.siting;
  if (state === 'chosen' && figures) {
    const value = reachedTold(figures.value, figures, format, said);
    const cost = format.money(figures.cost_cents, figures.currency);
    const sites = format.counted(figures.sites);
    const what = figures.objective === 'variance' ? told.lowers(sites, value, cost) : told.covers(sites, figures.audience === 'streets' ? value : format.count(figures.value), reachedTold(figures.audience_total, figures, format, said), cost);
    return told.whole(what, figures.is_optimal ? told.best : told.gap(reachedTold(figures.bound, figures, format, said), format.share1(figures.gap)));
  }
  if (state === 'running') return running.stages[stage];
  if (state === 'failed') return told.failed(trouble?.detail.split('; ')[0] ?? '');
  return statesWhy[state];
}

export interface Beside {
  key: 'chosen' | 'today' | 'elsewhere' | 'greedy' | 'chance' | 'bound';
  sensors: number | null;
  value: number;
}

/** What other choices come to, beside this one. */
export function besideOf({ sites, standing, value, today, elsewhere, greedy, chance, bound }: SitingFigures): Beside[] {
  return [
    { key: 'chosen', sensors: sites + standing, value },
    ...(standing > 0 ? [{ key: 'today' as const, sensors: standing, value: today }] : []),
    ...(elsewhere === null ? [] : [{ key: 'elsewhere' as const, sensors: standing, value: elsewhere }]),
    { key: 'greedy', sensors: null, value: greedy },
    { key: 'chance', sensors: null, value: chance },
    { key: 'bound', sensors: null, value: bound },
  ];
}
