/** What the server answers about one's own account, as docs/reference/portal-api.md writes it. */

export interface OwnToken {
  id: string;
  title: string;
  created_at: string;
  expires_at: string;
  /** All that it lets through; null: all that its account may. */
  permissions: string[] | null;
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

export interface MadeToken {
  id: string;
  secret: string;
  expires_at: string;
}
