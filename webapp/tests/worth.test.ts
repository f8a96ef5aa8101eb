import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case } from '../src/server/answers.worth.ts';
import { Format } from '../src/words/format.ts';
import { planWords } from '../src/words/plan.ts';
import { BUDGET, kindsOf, orderOf, shownOf, withBudget, withOrder, withShown } from '../src/worth/fields.ts';
import { goes, rangeOf, ticks, yearsOf } from '../src/worth/flow.ts';
import { rawOf, withRaw } from '../src/worth/sheet.ts';
import { amountTold, sentenceOf, spanOf } from '../src/worth/told.ts';

const format = new Format('en-GB', 'Europe/Helsinki');
const SHEET = `title = "Plain"   # [money] in a comment is no table
[money]
discount_rate = 0.07   # what money must earn
[operating]
fixed = 24_000.00
[customer.household]
take_up = { form = "gompertz", start = 0.05, ceiling = 0.50, speed = 0.45 }   # of homes
monthly_price = 29.00
[customer.school]
take_up = { form = "table", start = 1.0, table = [1.0] }
[phases]
order = "as_planned"
`;

test('a value of a sheet is replaced where it stands, and all else stays as it was written', () => {
  const rate = { place: 'money.discount_rate', kind: 'share' } as const;
  assert.equal(shownOf(SHEET, rate), '7');
  assert.equal(withShown(SHEET, rate, '5.5'), SHEET.replace('0.07 ', '0.055 '));
  assert.equal(withShown(SHEET, rate, 'much'), SHEET);
  const ceiling = { place: 'customer.household.take_up.ceiling', kind: 'share' } as const;
  assert.equal(shownOf(SHEET, ceiling), '50');
  assert.equal(withShown(SHEET, ceiling, '62'), SHEET.replace('0.50', '0.62'));
  assert.equal(rawOf(SHEET, 'customer.school.take_up.ceiling'), null);
  assert.equal(shownOf(SHEET, { place: 'operating.fixed', kind: 'money' }), '24000');
  assert.deepEqual(kindsOf(SHEET), ['household', 'school']);
});

test('what a sheet does not say yet gets a line of its own, in its table or a new one', () => {
  assert.equal(withRaw(SHEET, 'money.inflation', '0.02'), SHEET.replace('[money]\n', '[money]\ninflation = 0.02\n'));
  assert.ok(withRaw(SHEET, 'spread.cost.low', '-0.2').endsWith('\n\n[spread.cost]\nlow = -0.2\n'));
});

test('areas are chosen by worth, within a budget, and as planned again without it', () => {
  const chosen = withBudget(withOrder(SHEET, 'only_worth'), '600000');
  assert.equal(orderOf(chosen), 'only_worth');
  assert.equal(shownOf(chosen, BUDGET), '600000');
  assert.equal(orderOf(withOrder(chosen, 'by_worth')), 'by_worth');
  const back = withOrder(chosen, 'as_planned');
  assert.deepEqual([orderOf(back), rawOf(back, BUDGET.place)], ['as_planned', null]);
});

const CASE = {
  business: { title: '', currency: 'EUR', time: { years: 2, first_year: 2027 } },
  nominal_rate: 0.06,
  lines: [
    { group: 'revenue', name: 'household', cents: [100, 700] },
    { group: 'operating', name: 'fixed', cents: [50, 60] },
    { group: 'building', name: 'trench', cents: [400, 0] },
    { group: 'connecting', name: 'drops', cents: [10, 20] },
  ],
  net_cents: [-360, 620],
  cumulative_cents: [-360, 260],
  npv_cents: -12_300,
  payback_years: 1.6,
  rates: { found: [0.041], sign_changes: 1, said: '' },
} as unknown as Case;

test('a case is laid out in years that sum to what is left of each', () => {
  const years = yearsOf(CASE);
  assert.deepEqual(years.map(({ name, comes, building }) => [name, comes, building]), [['2027', 100, 410], ['2028', 700, 20]]);
  for (const year of years) assert.equal(year.comes - goes(year), year.net);
  assert.deepEqual(rangeOf(years), [-460, 700]);
  assert.deepEqual(ticks(-460, 700, 7), [-600, -400, -200, 0, 200, 400, 600, 800]);
});

test('a case is told in a sentence, and levers in their own units', () => {
  assert.equal(sentenceOf(CASE, format, planWords), 'Over 2 years it stays €123 below what money must earn, which is 6% a year: it pays back after 1.6 years, and earns 4.1% a year.');
  assert.equal(amountTold('cost', -0.1, format, planWords), '\u221210%');
  assert.equal(amountTold('interest', 0.02, format, planWords), '+2 points');
  assert.equal(amountTold('delay_years', 1, format, planWords), '+1 year');
  const bar = { low_npv_cents: 5, high_npv_cents: -9 } as Parameters<typeof spanOf>[0][number];
  assert.deepEqual(spanOf([bar], 1), [-9, 5]);
});
