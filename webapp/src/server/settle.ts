/** Settling dead letters: all that were chosen, however many requests that takes. */
import type { SettledAnswer } from './answers.ts';
import { tell } from './ask.ts';

/** Which letters: some by their ids, or all, or all of a device. */
export type Which = { ids: string[] } | { all: true; device?: string };

export interface Settled {
  settled: number;
  left: SettledAnswer['left'];
}

export async function settle(verb: 'replay' | 'discard', which: Which, why: string): Promise<Settled> {
  const sum: Settled = { settled: 0, left: [] };
  let further: { after?: number; until?: number } = {};
  for (;;) {
    const answer = await tell<SettledAnswer>(`/v1/dead/${verb}`, { ...which, why, ...further });
    sum.settled += answer.settled;
    sum.left.push(...answer.left);
    if (answer.after === null) return sum;
    further = { after: answer.after, until: answer.until };
  }
}
