import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSight, roomy } from '../src/map/bounds.ts';
import { gapOf, stepsOf, valueRange } from '../src/plan/closing.ts';
import { colourOf } from '../src/plan/colour.ts';
import { byWhat, differenceOf, onlyIn } from '../src/plan/comparison.ts';
import { areaOf, cornersOf, emptyDraft, inputsOf, sourceName } from '../src/plan/draft.ts';
import { pickedOf, textOf } from '../src/plan/picked.ts';
import { plainSite } from '../src/plan/site.ts';
import { carriedBy, isNameless, piecesOf, streetsOf } from '../src/plan/streets.ts';
import { phasesOf, phasesOfColour, colourOfPhase } from '../src/plan/phases.ts';
import { readArchitecture, USUAL } from '../src/plan/architecture.ts';
import { draftOf, wishOf } from '../src/plan/wishdraft.ts';
import { bestOf, sentenceOf } from '../src/plan/told.ts';
import { changed, ruled, ruleOf } from '../src/plan/whatif.ts';
import type { DifferentWays, OpenedWay, Outcome, PremisesFacts, ScenarioAnswer, Ways, Wish } from '../src/server/answers.plan.ts';
import { Format } from '../src/words/format.ts';
import { planWords } from '../src/words/plan.ts';

const format = new Format('en-GB', 'Europe/Helsinki');

test('cost and bound hold until the next, and the last until now', () => {
  const progress = [
    { seconds: 2, cost_cents: 30_000, bound_cents: 20_000 },
    { seconds: 5, cost_cents: 25_000, bound_cents: 20_000 },
  ];
  assert.deepEqual(stepsOf(progress, 9), [[2, 5, 9], [300, 250, 250], [200, 200, 200]]);
  assert.deepEqual(stepsOf([], 9), [[], [], []]);
  assert.equal(gapOf(progress[1]), 0.2);
  assert.equal(gapOf(undefined), null);
  const [low, high] = valueRange(stepsOf(progress, 9));
  assert.ok(low < 200 && high > 300);
});

test('a street is forbidden, kept and freed again, and what is as it was is no change', () => {
  const wish = { closed: ['Quay'], seconds: 5 };
  const one = changed(new Map(), wish, 'Lane', 'closed');
  assert.equal(ruleOf('Lane', wish, one), 'closed');
  assert.deepEqual(ruled(wish, one), { seconds: 5, closed: ['Quay', 'Lane'], locked: [] });
  const other = changed(one, wish, 'Quay', 'locked');
  assert.deepEqual(ruled(wish, other), { seconds: 5, closed: ['Lane'], locked: ['Quay'] });
  assert.deepEqual(ruled(wish, changed(other, wish, 'Quay', null)), { seconds: 5, closed: ['Lane'], locked: [] });
  assert.equal(changed(other, wish, 'Quay', 'closed').size, 1, 'as the wish has it');
  assert.equal(changed(one, wish, 'Lane', null).size, 0);
});

const way = (street: string | null, id: string, cents: number, roles: OpenedWay['roles'], cables: string[]): Ways['features'][number] => ({
  type: 'Feature',
  geometry: { type: 'LineString', coordinates: [[24, 60], [24.1, 60]] },
  properties: { way: id, street, kind: 'street', surface: 'asphalt', length_m: 10, open_cents: cents, locked: false, phase: 1, cables, roles, fibres: cables.length * 12, ducts: [] },
});

test('opened ways are told by street, the dearest first', () => {
  const streets = streetsOf({ type: 'FeatureCollection', features: [way('Quay', 'a', 100, ['drop'], ['d1']), way(null, 'b', 900, ['distribution'], ['c1']), way('Quay', 'c', 1_000, ['distribution', 'feeder'], ['c1', 'f1'])] });
  assert.deepEqual(streets.map(({ key, carries, cables, fibres, length_m, open_cents }) => [key, carries, cables, fibres, length_m, open_cents]), [
    ['Quay', 'feeder', 3, 24, 20, 1_100],
    ['~street', 'distribution', 1, 12, 10, 900],
  ]);
  const nameless = streetsOf({ type: 'FeatureCollection', features: ['b', 'b', 'd'].map((id) => way(null, id, 50, [], [])) });
  assert.equal(nameless.length, 1, 'what has no name is one row');
  assert.ok(nameless[0] && isNameless(nameless[0].key));
  assert.deepEqual(nameless.flatMap(piecesOf).map(({ key, open_cents }) => [key, open_cents]), [['b', 100], ['d', 50]]);
  assert.equal(carriedBy([]), 'drop');
});

test('two of three plans differ by what the one opens and the other does not', () => {
  const ways: DifferentWays = {
    type: 'FeatureCollection',
    features: [['1'], ['2'], ['1', '2'], ['1', '3']].map((within, at) => ({ ...way(at < 2 ? 'Quay' : 'Lane', String(at), 100, [], []), properties: { ...way('', '', 0, [], []).properties, street: at < 2 ? 'Quay' : 'Lane', open_cents: 100, in: within } })),
  };
  const difference = differenceOf(ways, '1', '2');
  assert.deepEqual([difference.first.length, difference.second.length], [2, 1]);
  assert.deepEqual(onlyIn(difference).map(({ key, first_cents, second_cents }) => [key, first_cents, second_cents]), [['Quay', 100, 100], ['Lane', 100, 0]]);
  const item = { key: '', unit: 'm', quantity: [1, 2] };
  assert.deepEqual(byWhat([{ ...item, what: 'duct', cents: [1, 2] }, { ...item, what: 'trench', cents: [5, 0] }, { ...item, what: 'duct', cents: [2, 2] }]), [
    { what: 'trench', cents: [5, 0] },
    { what: 'duct', cents: [3, 4] },
  ]);
});

test('fibres have their colours, twelve to a tube', () => {
  assert.deepEqual([1, 12, 13].map((fibre) => [colourOf(fibre).name, colourOf(fibre).tube, colourOf(fibre).tubeName]), [['blue', 1, 'blue'], ['aqua', 1, 'blue'], ['blue', 2, 'orange']]);
});

test('what is drawn becomes inputs', () => {
  const draft = { ...emptyDraft(), name: 'Quarter' };
  assert.deepEqual(inputsOf(draft), { extract: 'central-helsinki.osm.pbf', addresses: true, houses: true, office_candidates: 12 });
  assert.equal(areaOf([[24, 60], [25, 60]]), null);
  const whole = inputsOf({ ...draft, corners: cornersOf([24, 60, 25, 61]), office: [24.123456789, 60.5], officeLabel: ' Exchange ' });
  assert.deepEqual(whole.area?.coordinates, [[[24, 60], [25, 60], [25, 61], [24, 61], [24, 60]]]);
  assert.deepEqual(whole.offices, [{ id: 'office', label: 'Exchange', lon: 24.123457, lat: 60.5 }]);
  assert.equal(sourceName({ name: '..my streets (2).gpkg' }), 'my-streets-2-.gpkg');
});

test('what is picked stands in the address', () => {
  assert.deepEqual(pickedOf('premises:way/12:3'), { kind: 'premises', id: 'way/12:3' });
  assert.equal(textOf(pickedOf('street:Quay')), 'street:Quay');
  assert.equal(pickedOf('nonsense:1'), null);
  assert.equal(pickedOf(null), null);
});

test('a site is said once', () => {
  assert.equal(plainSite('closure closure-7 to cabinet cabinet-2'), 'closure-7 to cabinet-2');
  assert.equal(plainSite('Exchange'), 'Exchange');
});

test('a scenario is a sentence of its figures', () => {
  const outcome = { currency: 'EUR', cost_cents: 1_000_000, bound_cents: 900_000, gap: 0.1, premises: 20, served: 20 } as Outcome;
  const scenario = { name: 'All', state: 'planned', stage: '', outcome, progress: [], findings: [], trouble: null, wish: {} } as unknown as ScenarioAnswer;
  assert.equal(sentenceOf(scenario, 'EUR', format, planWords), 'All 20 premises are reached for €10,000. At most 10% of that could be saved: no plan costs less than €9,000.');
  const failed = { ...scenario, state: 'failed', outcome: null, trouble: { detail: 'no streets; no office', where: null, remedy: null, faults: null } } as ScenarioAnswer;
  assert.equal(sentenceOf(failed, 'EUR', format, planWords), 'Nothing came of it: no streets.');
  const running = { ...scenario, state: 'running', stage: 'planning', outcome: null, progress: [{ seconds: 1, cost_cents: 1_000_000, bound_cents: 950_000 }] } as ScenarioAnswer;
  assert.match(sentenceOf(running, 'EUR', format, planWords), /at most 5% of it could still be saved/);
  const left = { ...scenario, outcome: { ...outcome, lone: 3 } };
  assert.equal(sentenceOf(left, 'EUR', format, planWords), '20 of 23 premises are reached for €10,000. At most 10% of that could be saved: no plan costs less than €9,000. No street leads to the other 3.');
  const bought = { ...scenario, outcome: { ...outcome, served: 8, budget_cents: 1_100_000, points: 900, bound_points: 1_000, gap: 0.5 } };
  assert.equal(sentenceOf(bought, 'EUR', format, planWords), '8 of 20 premises are reached for €10,000, within a budget of €11,000. At most 10% of the worth that it could buy is missed.');
  const half = { ...scenario, outcome: { ...outcome, served: 10, cost_cents: 1 } };
  assert.equal(bestOf([half, scenario, failed]), scenario, 'the most, and of those the cheapest');
});

test('a form says what a wish can say, and reads back what it has said', () => {
  assert.deepEqual(wishOf(draftOf({}), {}), { seconds: 30, seed: 0, architecture: null, catalogue: null, worth: null, budget_cents: null, phase_budgets_cents: null, critical: null, closed: [], locked: [] });
  const draft = { ...draftOf({}), architecture: 'two' as const, design: { ...USUAL, optical_class: 'C+' as const, longest_way_m: 30_000 }, budget: '1500.50', years: ['1000', '500', ''], critical: ['a'], seed: '7' };
  draft.weights = { ...draft.weights, schools: 5 };
  const wish = wishOf(draft, { closed: ['Quay'] });
  assert.deepEqual([wish.budget_cents, wish.phase_budgets_cents, wish.critical, wish.seed], [150_050, [100_000, 50_000], ['a'], 7]);
  const again = draftOf(wish);
  assert.deepEqual([again.architecture, again.design, again.weights.schools, again.years], ['two', draft.design, 5, ['1000', '500']]);
  assert.deepEqual(wishOf(again, {}), wish);
  const own: Wish = { architecture: 'title = "Ours"', worth: 'title = "Ours"' };
  assert.equal(readArchitecture(own.architecture).name, 'own');
  assert.deepEqual([wishOf(draftOf(own), own).architecture, wishOf(draftOf(own), own).worth], [own.architecture, own.worth]);
});

test('phases are told with whom they reach, and share colours where there are many', () => {
  const premises = [[1, 300], [2, 100], [2, 50]].map(([phase, points], at) => ({ id: String(at), served: true, phase, points }) as PremisesFacts);
  const later = way('Lane', 'c', 70, [], []);
  later.properties.phase = 2;
  const streets = streetsOf({ type: 'FeatureCollection', features: [way('Quay', 'a', 100, [], []), later] });
  const outcome = { phase_cents: [900, 800] } as Outcome;
  assert.deepEqual(
    phasesOf(outcome, { phase_budgets_cents: [1_000, 900] }, premises, streets).map((one) => [one.phase, one.budget_cents, one.premises, one.premises_until, one.points_until, one.dug_m, one.streets]),
    [[1, 1_000, 1, 1, 300, 10, ['Quay']], [2, 900, 2, 3, 450, 10, ['Lane']]],
  );
  for (const last of [2, 6, 7, 40]) for (let phase = 1; phase <= last; phase += 1) {
    const [from, to] = phasesOfColour(colourOfPhase(phase, last), last);
    assert.ok(from <= phase && phase <= to, `${phase} of ${last}`);
  }
});

test('one place alone is shown with what lies around it, several as they lie', () => {
  const [west, south, east, north] = roomy([24.94, 60.17, 24.94, 60.17]) ?? [0, 0, 0, 0];
  assert.ok(Math.abs(east - west - 0.005) < 1e-9 && Math.abs(north - south - 0.0025) < 1e-9 && west < 24.94 && south < 60.17);
  assert.deepEqual(roomy([24, 60, 25, 61]), [24, 60, 25, 61]);
  assert.equal(roomy(null), null);
  assert.deepEqual(inSight([24.3, 60.3, 24.4, 60.4], [24, 60, 25, 61]), [24.3, 60.3, 24.4, 60.4]);
  assert.deepEqual(inSight([2, 48, 2, 48], [24, 60, 25, 61]), [2, 48, 25, 61]);
});
