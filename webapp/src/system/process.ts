/** What runs here, as rows of one table: every process, those of the engines with what the engine says of itself. */
import type { SystemAnswer } from '../server/answers.ts';

type Engine = SystemAnswer['engines'][number];
type Role = SystemAnswer['roles'][number];

/** The engine behind a process, by the process's name. */
const ENGINES: Record<string, string> = { postgres: 'PostgreSQL', 'nats-server': 'NATS' };

export interface Process {
  name: string;
  /** Its program as its makers call it, with its version; its name where it is one of ours. */
  program: string;
  state: 'running' | 'starting' | 'down';
  detail: string | null;
  role: Role | null;
}

/** Engines first. One that no supervisor of this machine keeps is told all the same. */
export function processesOf(engines: readonly Engine[], roles: readonly Role[]): Process[] {
  const ours = new Map(roles.map((role) => [role.name, role]));
  const stand = Object.entries(ENGINES).flatMap(([name, title]): Process[] => {
    const engine = engines.find((one) => one.name === title);
    const role = ours.get(name) ?? null;
    ours.delete(name);
    if (!engine) return role ? [plain(role)] : [];
    return [{ name, program: `${engine.name} ${engine.version}`.trim(), state: engine.state === 'up' ? 'running' : 'down', detail: engine.detail, role }];
  });
  return [...stand, ...[...ours.values()].map(plain)];
}

function plain(role: Role): Process {
  return { name: role.name, program: role.name, state: role.pid === null ? 'starting' : 'running', detail: null, role };
}
