/** Who is signed in, and in which city. */
import { answer, type RequestOptions } from '../account/webauthn.ts';
import type { CityFacts, Pending, Session, Step } from './answers.ts';
import { ask, onSignedOut, Problem, tell } from './ask.ts';

class SessionStore {
  state = $state<'asking' | 'in' | 'out' | 'error'>('asking');
  value = $state.raw<Session | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** The city that is looked at without a sign-in. */
  #seen = $state.raw<CityFacts | null>(null);
  /** Whether it ended by itself: too old, or ended elsewhere. */
  ended = $state(false);

  constructor() {
    onSignedOut(() => {
      if (this.state !== 'in') return;
      this.ended = true;
      this.#leave();
    });
  }

  get city(): CityFacts | null {
    return this.value?.city ?? this.#seen;
  }

  get timeZone(): string {
    return this.city?.time_zone ?? 'UTC';
  }

  /** What everyone may see is of this city: its name, its clock. */
  lookAt(city: CityFacts): void {
    this.#seen = city;
  }

  may(permission: string): boolean {
    return this.value?.principal.permissions.includes(permission) ?? false;
  }

  async load(): Promise<void> {
    try {
      this.#enter(await ask<Session>('/portal/api/session'));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
      this.state = error.status === 401 ? 'out' : 'error';
    }
  }

  /** Answers what is asked for now, or null where that was all. Raises Problem where name and password do not hold. */
  async signIn(name: string, password: string): Promise<Step | null> {
    const told = await tell<Session | Pending>('/portal/api/sign-in', { name, password });
    if ('pending' in told) return told.pending;
    this.#enter(told);
    return null;
  }

  /** Raises Problem where the code is wrong, or came too late. */
  async signInWithCode(code: string): Promise<void> {
    this.#enter(await tell<Session>('/portal/api/sign-in/code', { code }));
  }

  /** By a passkey alone, or as the second factor of a sign-in that waits. Raises Problem where none opens. */
  async signInWithPasskey(step: 'alone' | 'second'): Promise<void> {
    const path = step === 'alone' ? '/portal/api/sign-in/passkey' : '/portal/api/sign-in/code/passkey';
    const { options } = await tell<{ options: RequestOptions }>(`${path}/begin`, {});
    this.#enter(await tell<Session>(path, { credential: await answer(options) }));
  }

  async signOut(): Promise<void> {
    const goesOn = this.value?.is_from_provider ?? false;
    await tell<void>('/portal/api/sign-out', {});
    if (goesOn) location.assign('/portal/oidc/sign-out');
    else this.#leave();
  }

  /** Ends every session of this account, and this one with them. */
  async signOutEverywhere(): Promise<void> {
    await tell<void>('/portal/api/account/sign-out-everywhere', {});
    this.#leave();
  }

  /** Asks whether it still holds; where it does not, the page learns it as from any other answer. */
  async check(): Promise<void> {
    await ask<Session>('/portal/api/session').catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error;
    });
  }

  #leave(): void {
    this.value = null;
    this.state = 'out';
  }

  #enter(value: Session): void {
    this.ended = false;
    this.value = value;
    this.problem = null;
    this.state = 'in';
  }
}

export const session = new SessionStore();
