import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SitingAnswer, SitingFigures } from '../src/server/answers.siting.ts';
import { emptyDraft, gatewaysOf, wishOf } from '../src/siting/draft.ts';
import { besideOf, sentenceOf } from '../src/siting/told.ts';
import { Format } from '../src/words/format.ts';
import { planWords } from '../src/words/plan.ts';

const format = new Format('en-GB', 'Europe/Helsinki');
const FIGURES = { objective: 'coverage', audience: 'people', currency: 'EUR', sites: 2, standing: 3, cost_cents: 500_000, value: 900, bound: 945, gap: 0.05, is_optimal: false, today: 400, elsewhere: 700, greedy: 880, chance: 600, audience_total: 1_200 } as SitingFigures;

test('gateways are read a line each, and the first that is none is named', () => {
  assert.deepEqual(gatewaysOf('60.17, 24.94, 30\n\n60.18 24.95'), [
    { id: 'gateway-1', lat: 60.17, lon: 24.94, height_m: 30 },
    { id: 'gateway-2', lat: 60.18, lon: 24.95 },
  ]);
  assert.equal(gatewaysOf('60.17, 24.94\nroof'), 'roof');
});

test('a form becomes a wish, of which what is empty is left out', () => {
  const plain = wishOf({ ...emptyDraft(), budget: '1200.5', registry: ' Lamp ' }, []);
  assert.deepEqual(plain, { aim: 'people', count: 10, budget_cents: 120_050, radius_m: 150, is_on_foot: true, spread: 500, kind: 'lamp_post', registry: { type: 'Lamp' }, has_mobile: true, gateways: [], seconds: 30 });
  const map = wishOf({ ...emptyDraft(), aim: 'map', count: '', candidates: 'a.csv' }, []);
  assert.deepEqual([map.covariance, map.candidates, map.spread, map.count], [{ range_m: 300 }, { file: 'a.csv' }, undefined, undefined]);
});

test('an answer is told in a sentence, and beside other choices', () => {
  const siting = { state: 'chosen', stage: '', figures: FIGURES, trouble: null } as SitingAnswer;
  assert.equal(sentenceOf(siting, format, planWords), '2 new sites and what stands cover 900 of 1,200 people, for €5,000 with their connection; no choice comes beyond 945 people, a gap of 5%.');
  assert.deepEqual(besideOf(FIGURES).map(({ key, sensors }) => [key, sensors]), [['chosen', 5], ['today', 3], ['elsewhere', 3], ['greedy', null], ['chance', null], ['bound', null]]);
  assert.deepEqual(besideOf({ ...FIGURES, standing: 0, elsewhere: null }).map(({ key }) => key), ['chosen', 'greedy', 'chance', 'bound']);
});
