/** Commands as `/v1/commands` tells of them. */
export type CommandState = 'queued' | 'delivered' | 'acknowledged' | 'rejected' | 'expired' | 'cancelled';

export interface CommandAnswer {
  key: number;
  id: string;
  device: string;
  name: string;
  body: unknown;
  by: string;
  why: string;
  state: CommandState;
  ordered_at: string;
  expires_at: string;
  offers: number;
  ended_at: string | null;
  result: unknown;
}

/** Whether a command may still be taken back. */
export function isOpen(command: CommandAnswer): boolean {
  return command.state === 'queued' || command.state === 'delivered';
}
