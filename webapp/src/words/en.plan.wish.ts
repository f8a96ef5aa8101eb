/** The words for what is wished of a plan beyond its streets, and for what comes of that: years, a budget's choice. */
import { plural } from './en.plural.ts';
import type { Counted } from './format.ts';

export const wishWords = {
  between: (least: string, most: string) => `A number from ${least} to ${most}.`,

  wish: {
    whom: {
      budget: (currency: string) => `Budget in ${currency}`,
      budgetHint: 'What may be spent in all. Whom to serve is then chosen: those who are worth most together. Empty: everyone.',
      worthLead: 'Serving a household is worth 1, a business 3, a job a fifth. What the public gains beside that, in households:',
      weights: {
        schools: 'A school or library',
        clinics: 'A clinic or fire station',
        sensors: 'A site of the city’s own',
        by_fibre: 'Each fibre that is needed',
      },
      own: 'Weights of my own (TOML)',
      ownHint: 'In place of the fields: by_weight, by_fibre, must and groups, as the reference says.',
    },
    years: {
      lead: 'What may be spent in each year. The plan is then built in that order: as much worth as can be is reached early, and every year keeps to its budget. Without any, all is built at once.',
      year: (year: string, currency: string) => `Year ${year}, in ${currency}`,
      sum: (sum: string, years: Counted) => `${sum} in ${plural(years, 'year', 'years')}. It must pay for the whole plan.`,
      first: 'Budget by year',
      more: 'One more year',
      fewer: 'One year fewer',
    },
    critical: {
      lead: 'Two ways lead to each of these that share no trench: where one is cut, the other still carries. A hospital, a control room, a mast.',
      unseen: 'Look at the ground of the project first: then they can be chosen here.',
      asProject: (sites: Counted) => (sites.n === 0 ? 'None so far.' : `As the project says: ${plural(sites, 'site', 'sites')}.`),
      chosen: (sites: Counted) => `${plural(sites, 'site', 'sites')} chosen for this scenario.`,
      list: 'Sites that must not fail',
      remove: (name: string) => `Not ${name}`,
      find: 'Find premises or a site',
      findHint: 'A part of its name, address or id.',
      found: 'Found',
      add: (name: string) => `Add ${name}`,
      none: 'None is called so, or it is chosen already.',
      back: 'As the project says',
    },
    light: {
      own: 'Architecture (TOML)',
      opticalClass: 'Optical class',
      classes: {
        'B+': 'B+, G-PON: the usual one',
        'C+': 'C+, G-PON that reaches farther',
        N1: 'N1, XGS-PON: ten gigabits, the usual one',
        N2: 'N2, XGS-PON that reaches farther',
        E1: 'E1, XGS-PON for long ways',
        E2: 'E2, XGS-PON for the longest',
        '10GBASE-LR': '10GBASE-LR, Ethernet on a fibre of its own',
      },
      classHint: (least: string, most: string, longest: string) => `Light may lose between ${least} and ${most} dB on its way, and a fibre from the office to a socket may be ${longest} long at most.`,
      longestWay: 'Longest fibre, in metres',
      longestWayHint: 'From the office’s port to the socket, along its whole way. The optical class may allow less.',
      longestDrop: 'Longest drop, in metres',
      longestDropHint: 'From the last closure to the premises.',
      spareFeeder: 'Spare in feeders, in per cent',
      spareDistribution: 'Spare behind cabinets, in per cent',
      fibres: 'Fibres for each customer',
    },
  },

  leftOut: {
    lead: (lone: Counted) => `No street leads to ${lone.n === 1 ? 'one of the premises' : `${lone.text} of the premises`}: no plan reaches ${lone.n === 1 ? 'it' : 'them'}. Each is a cross on the map and a row among the faults, with what to do.`,
    show: 'Show them',
  },

  chosen: {
    title: 'Whom the budget serves',
    lead: (budget: string, gap: string | null, points: string, bound: string) =>
      gap === null
        ? `Those who are worth most together for ${budget}: ${points} points, and it is proved that no choice is worth more.`
        : `Those who are worth most together for ${budget}, as far as was found: ${points} points. It is proved that no choice is worth more than ${bound}, so at most ${gap} of all worth is missed.`,
    served: 'Premises served',
    reachable: 'of those to whom a street leads',
    worth: 'Worth, in points',
    share: (share: string) => `${share} of what all would be worth`,
    bound: 'No choice is worth more',
    gap: (gap: string) => `at most ${gap} is missed`,
    spent: 'Spent',
    ofBudget: (budget: string) => `of ${budget}`,
    out: (out: Counted) => (out.n === 0 ? 'Nobody is left out' : `${plural(out, 'premises is', 'premises are')} left out`),
    outLabel: 'Left out, worth most first',
    first: (some: Counted) => `The ${some.text} that are worth most; all are in the table of premises`,
    note: 'A household is worth 100 points. Sites that must not fail are served in any case.',
  },

  phases: {
    title: 'Which areas first',
    map: (name: string) => `Map of ${name} by year of building. The table beside it says the same.`,
    begins: (premises: Counted, cost: string, streets: readonly string[], years: Counted) =>
      `In ${plural(years, 'year', 'years')}. The first reaches ${plural(premises, 'premises', 'premises')} for ${cost}${streets.length > 0 ? `, above all in ${streets.join(', ')}` : ''}.`,
    best: 'It is proved that no other order reaches more worth earlier.',
    gap: (gap: string) => `No other order within these budgets has over ${gap} more worth early.`,
    one: (year: string) => `year ${year}`,
    some: (from: string, to: string) => `years ${from} to ${to}`,
    shared: 'Neighbouring years share a colour; the table has each.',
    caption: (cost: string) => `${cost} in all`,
    note: 'Reached: light is at all its sockets by the end of the year. A household is worth 100 points.',
    columns: { phase: 'Year', cost: 'Cost', premises: 'Reached', worth: 'Worth', until: 'So far', budget: 'Budget', dug: 'Opened', streets: 'Above all in' },
  },
};
