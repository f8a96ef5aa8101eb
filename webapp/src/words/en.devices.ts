/** The words for what is done with devices: their dead letters settled. */
import type { Counted } from './format.ts';
import { plural } from './en.plural.ts';

const letters = (counted: Counted): string => plural(counted, 'message', 'messages');

export const deviceWords = {
  settle: {
    label: 'Replay or discard',
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
};
