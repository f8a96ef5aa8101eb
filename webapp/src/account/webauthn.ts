/**
 * Asking the browser for a passkey: the server's JSON becomes the browser's bytes, and the answer JSON again (WebAuthn
 * Level 3, sections 5.1.8 to 5.1.10). Written out, since not every browser of today does it by itself.
 */
import { Problem } from '../server/ask.ts';
import { words } from '../words/index.ts';

interface Descriptor {
  id: string;
  type: 'public-key';
  transports?: AuthenticatorTransport[];
}

export type CreationOptions = Omit<PublicKeyCredentialCreationOptions, 'challenge' | 'user' | 'excludeCredentials'> & {
  challenge: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials?: Descriptor[];
};

export type RequestOptions = Omit<PublicKeyCredentialRequestOptions, 'challenge' | 'allowCredentials'> & {
  challenge: string;
  allowCredentials?: Descriptor[];
};

/** What the server is sent. */
export type Answered = Record<string, unknown>;

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
}

export function textOf(bytes: ArrayBuffer): string {
  const signs = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
  return btoa(signs).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Whether this browser knows passkeys at all. */
export function knowsPasskeys(): boolean {
  return typeof PublicKeyCredential !== 'undefined';
}

/** A new passkey. Raises Problem where none was made. */
export async function make(options: CreationOptions): Promise<Answered> {
  const publicKey = {
    ...options,
    challenge: bytesOf(options.challenge),
    user: { ...options.user, id: bytesOf(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map(described),
  };
  const credential = await asked(() => navigator.credentials.create({ publicKey }));
  const response = credential.response as AuthenticatorAttestationResponse;
  return {
    ...named(credential),
    response: {
      clientDataJSON: textOf(response.clientDataJSON),
      attestationObject: textOf(response.attestationObject),
      transports: response.getTransports(),
    },
  };
}

/** An answer by a passkey. Raises Problem where none was given. */
export async function answer(options: RequestOptions): Promise<Answered> {
  const publicKey = { ...options, challenge: bytesOf(options.challenge), allowCredentials: (options.allowCredentials ?? []).map(described) };
  const credential = await asked(() => navigator.credentials.get({ publicKey }));
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    ...named(credential),
    response: {
      clientDataJSON: textOf(response.clientDataJSON),
      authenticatorData: textOf(response.authenticatorData),
      signature: textOf(response.signature),
      userHandle: response.userHandle === null ? null : textOf(response.userHandle),
    },
  };
}

function described(one: Descriptor): PublicKeyCredentialDescriptor {
  return { ...one, id: bytesOf(one.id) };
}

function named(credential: PublicKeyCredential): Answered {
  return { id: credential.id, rawId: textOf(credential.rawId), type: credential.type };
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  const said = words.passkeys;
  if (!knowsPasskeys()) throw new Problem(0, said.unknown, null, said.unknownRemedy);
  try {
    const credential = await ask();
    if (credential instanceof PublicKeyCredential) return credential;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (error.name === 'InvalidStateError') throw new Problem(0, said.present);
    if (error.name !== 'NotAllowedError' && error.name !== 'AbortError') throw new Problem(0, said.failed, null, error.message);
  }
  throw new Problem(0, said.notGiven, null, said.notGivenRemedy);
}
