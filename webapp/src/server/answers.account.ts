/** What the server answers about one's own account, as docs/reference/portal-api.md writes it. */

export interface OwnToken {
  id: string;
  title: string;
  created_at: string;
  expires_at: string;
  /** All that it lets through; null: all that its account may. */
  permissions: string[] | null;
  /** All that it reads, by type and by dataset; null: all that its account sees. */
  types: string[] | null;
  datasets: string[] | null;
}

export interface OwnSession {
  id: string;
  title: string;
  created_at: string;
  expires_at: string;
  is_this: boolean;
}

export interface OwnAccountAnswer {
  name: string;
  title: string;
  roles: string[];
  permissions: string[];
  has_password: boolean;
  has_factor: boolean;
  /** Whether a device makes codes; a passkey is a second factor without. */
  has_codes: boolean;
  /** How many are left. */
  recovery_codes: number;
  tokens: OwnToken[];
  sessions: OwnSession[];
}

/** What a device makes codes from; in force once its first code has come. */
export interface NewFactor {
  secret: string;
  uri: string;
  qr_svg: string;
}

/** Once; none where a second factor stood before. */
export interface RecoveryCodes {
  recovery_codes: string[];
}

export interface OwnPasskey {
  id: number;
  title: string;
  /** The domain it works on. */
  site: string;
  is_synced: boolean;
  created_at: string;
  used_at: string | null;
  /** When it counted backwards, as a copy of it would. */
  doubted_at: string | null;
}

export interface PasskeysAnswer {
  passkeys: OwnPasskey[];
  /** Where new ones would work. */
  site: string | null;
  /** Why there can be none, in words. */
  why_not: string | null;
}

/** How one may sign in beside by password. */
export interface Ways {
  passkeys: boolean;
  /** What the city's own sign-in is called; null where there is none. */
  provider: string | null;
}

/** Whether one's account is linked to the city's own sign-in. */
export interface IdentityAnswer {
  provider: string | null;
  linked_at: string | null;
}

export interface MadeToken {
  id: string;
  secret: string;
  expires_at: string;
}
