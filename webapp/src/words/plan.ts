/** The words of the pages on which the network is planned. */
import { plan } from './en.plan.ts';

export type PlanWords = typeof plan;
export const planWords: PlanWords = plan;
