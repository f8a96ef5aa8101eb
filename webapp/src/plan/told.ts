/** A scenario, a project, all of them: each in a sentence made of its figures. */
import type { Outcome, ProjectAnswer, ScenarioAnswer } from '../server/answers.plan.ts';
import type { Format } from '../words/format.ts';
import type { PlanWords } from '../words/plan.ts';
import { gapOf, isChosen } from './closing.ts';

/** A gap that is told as none. */
const NOTHING = 0.0005;

/** So many of all who were to be reached, with those to whom no street leads; alone where that is all of them. */
export function toldServed({ served, premises, lone = 0 }: Outcome, format: Format, said: PlanWords): string {
  const all = premises + lone;
  return served === all ? format.count(served) : said.of(format.count(served), format.count(all));
}

/** Who is reached, for how much, and what is proved of that: of the choice where a budget made one, and of the cost otherwise. */
function plannedSentence(outcome: Outcome, currency: string, format: Format, { told }: PlanWords): string {
  const { served, premises, lone = 0 } = outcome;
  const all = premises + lone;
  const reached = served === all ? told.all(format.counted(served)) : told.some(format.counted(served), format.counted(all));
  const alone = lone > 0 ? ` ${told.lone(format.counted(lone), served === premises)}` : '';
  const cost = format.money(outcome.cost_cents, currency);
  const gap = gapOf(outcome) ?? 0;
  if (isChosen(outcome)) return told.chosen(reached, cost, format.money(outcome.budget_cents ?? 0, currency), gap < NOTHING ? null : format.share1(gap)) + alone;
  return (gap < NOTHING ? told.proved(reached, cost) : told.planned(reached, cost, format.share1(gap), format.money(outcome.bound_cents, currency))) + alone;
}

export function sentenceOf({ state, stage, outcome, progress, trouble, findings, wish }: ScenarioAnswer, currency: string, format: Format, said: PlanWords): string {
  const { told } = said;
  const last = progress.at(-1);
  if (state === 'planned' && outcome) return plannedSentence(outcome, currency, format, said);
  if (state === 'running' && stage === 'planning' && last) {
    if (isChosen(last)) return told.choosing(format.count(last.points), format.money(last.cost_cents, currency), format.share1(gapOf(last) ?? 0));
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
  const cost = format.shortMoney(best.cost_cents, best.currency);
  const reached = { n: best.served, text: toldServed(best, format, said) };
  const gap = format.share1(gapOf(best) ?? 0);
  return isChosen(best) ? told.projectChosen(project.name, count, reached, cost, gap) : told.project(project.name, count, reached, cost, gap);
}
