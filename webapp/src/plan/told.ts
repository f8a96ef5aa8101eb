/** A scenario, a project, all of them: each in a sentence made of its figures. */
import type { ProjectAnswer, ScenarioAnswer } from '../server/answers.plan.ts';
import type { Format } from '../words/format.ts';
import type { PlanWords } from '../words/plan.ts';
import { gapOf } from './closing.ts';

export function sentenceOf({ state, stage, outcome, progress, trouble, findings, wish }: ScenarioAnswer, currency: string, format: Format, said: PlanWords): string {
  const { told } = said;
  const last = progress.at(-1);
  if (state === 'planned' && outcome) {
    const reached = outcome.served === outcome.premises ? told.all(format.counted(outcome.served)) : told.some(format.counted(outcome.served), format.count(outcome.premises));
    return told.planned(reached, format.money(outcome.cost_cents, currency), format.share1(outcome.gap), format.money(outcome.bound_cents, currency));
  }
  if (state === 'running' && stage === 'planning' && last) {
    return told.closing(format.money(last.cost_cents, currency), format.money(last.bound_cents, currency), format.share1(gapOf(last) ?? 0));
  }
  if (state === 'running') return told.stages[stage];
  if (state === 'failed') return findings.length > 0 ? told.wrong(format.counted(findings.length)) : told.failed(trouble?.detail.split('; ')[0] ?? '');
  if (state === 'draft') return told.draft(format.duration(wish.seconds ?? 30));
  return state === 'waiting' ? told.waiting : told.cancelled;
}

/** The scenario that reaches most, and of those the cheapest. */
export function bestOf(scenarios: readonly ScenarioAnswer[]): ScenarioAnswer | null {
  const planned = scenarios.filter(({ state, outcome }) => state === 'planned' && outcome !== null);
  const served = (one: ScenarioAnswer): number => one.outcome?.served ?? 0;
  const cost = (one: ScenarioAnswer): number => one.outcome?.cost_cents ?? 0;
  return planned.reduce<ScenarioAnswer | null>((best, one) => (best === null || served(one) > served(best) || (served(one) === served(best) && cost(one) < cost(best)) ? one : best), null);
}

export function projectSentence(project: ProjectAnswer, scenarios: readonly ScenarioAnswer[], format: Format, said: PlanWords): string {
  const { told } = said;
  const best = bestOf(scenarios)?.outcome;
  if (scenarios.length === 0) return told.noScenario(project.name);
  const count = format.counted(scenarios.length);
  if (!best) return told.nonePlanned(project.name, count);
  return told.project(project.name, count, format.counted(best.served), format.shortMoney(best.cost_cents, best.currency), format.share1(best.gap));
}
