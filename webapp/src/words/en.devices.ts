/** The words for what is done with devices: they are ordered to do something, their dead letters are settled. */
import type { Counted } from './format.ts';
import { plural } from './en.plural.ts';

const letters = (counted: Counted): string => plural(counted, 'message', 'messages');

export const deviceWords = {
  settle: {
    label: 'Replay or discard',
    chosen: 'Pick',
    choose: (device: string, at: string) => `Choose the message of ${device} of ${at}`,
    replay: 'Replay',
    discard: 'Discard',
    replayAll: 'Replay all',
    discardAll: 'Discard all',
    replayTitle: (counted: Counted | null) => (counted === null ? 'Replay all of these messages' : `Replay ${letters(counted)}`),
    discardTitle: (counted: Counted | null) => (counted === null ? 'Discard all of these messages' : `Discard ${letters(counted)}`),
    replayLead: 'Each goes through the device’s profile as it is now, under the time at which it came, and counts once. What still cannot be decoded comes back here.',
    discardLead: 'They are deleted for good. Only who did it, when and why stays, in the audit.',
    why: 'Why',
    whyHint: 'It stands in the audit.',
    replayed: (counted: Counted) => `${letters(counted)} replayed`,
    discarded: (counted: Counted) => `${letters(counted)} discarded`,
    left: (counted: Counted, why: string) => `${letters(counted)} left: ${why}`,
    older: 'Older messages',
  },
  commands: {
    title: 'Commands',
    empty: 'It was never ordered to do anything.',
    order: 'Order it to do something',
    disabled: 'It is disabled: it can be ordered to do something once it is enabled again.',
    orderTitle: (device: string) => `Order ${device} to do something`,
    orderLead: 'It is told when it is connected, again until it answers, and for an hour at most.',
    sure: (name: string, device: string) => `Send “${name}” to ${device}?`,
    because: (why: string) => `Because: ${why}`,
    name: 'Command',
    nameHint: 'As the device knows it, such as set-interval.',
    body: 'Values, as JSON',
    bodyHint: 'Such as {"interval_s": 60}; empty where there are none.',
    noJson: 'This is no JSON: text stands in double quotes.',
    next: 'Go on',
    back: 'Back',
    send: 'Send',
    given: (name: string, device: string) => `“${name}” is on its way to ${device}`,
    takeBack: 'Take back',
    cancelledHere: 'taken back on the device’s page',
    told: (at: string, by: string, why: string) => `${at}, by ${by}: ${why}`,
    result: (text: string) => `It said ${text}`,
    states: {
      queued: 'not yet delivered',
      delivered: 'delivered',
      acknowledged: 'done',
      rejected: 'refused by the device',
      expired: 'not answered in time',
      cancelled: 'taken back',
    },
  },
};
