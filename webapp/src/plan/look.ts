/** A project's ground is drawn once somebody has looked at it: whoever may has it looked at, and waits. */
import type { GroundAnswer } from '../server/answers.plan.ts';
import { ask, Problem, tell } from '../server/ask.ts';
import { session } from '../server/session.svelte.ts';
import { projectPath } from './paths.ts';

const LOOK_MS = 1_000;
/** A ground is read in seconds; who waits longer sees the plan without it. */
const MOST_LOOKS = 60;

/** Whether its layers can be asked for. */
export async function isSeen(project: string): Promise<boolean> {
  const path = projectPath(project, '/ground');
  try {
    let { state } = await ask<GroundAnswer>(path);
    if (state === 'none' && session.may('plan:write')) state = (await tell<GroundAnswer>(path, undefined)).state;
    for (let looks = 0; (state === 'waiting' || state === 'reading') && looks < MOST_LOOKS; looks += 1) {
      await new Promise((resolve) => window.setTimeout(resolve, LOOK_MS));
      ({ state } = await ask<GroundAnswer>(path));
    }
    return state === 'ready';
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return false;
  }
}
