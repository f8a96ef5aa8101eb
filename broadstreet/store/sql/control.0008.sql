-- Passkeys: a key pair that a person's own device holds, of which the house keeps the public half (WebAuthn Level 3).

-- What authenticators know an account by: 32 random bytes; null until it adds its first passkey.
ALTER TABLE account ADD COLUMN passkey_handle bytea UNIQUE;

CREATE TABLE passkey (
    key           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            bytea NOT NULL UNIQUE,                  -- the authenticator's own name for it
    account_key   int NOT NULL REFERENCES account ON DELETE CASCADE,
    site          text NOT NULL,                          -- the domain it was made for, and works on
    title         text NOT NULL,
    public_key    bytea NOT NULL,                         -- in COSE's form
    sign_count    bigint NOT NULL,                        -- as last told; 0 where the authenticator does not count
    is_syncable   boolean NOT NULL,                       -- may be copied to a person's other devices; never changes
    is_synced     boolean NOT NULL,
    transports    text[] NOT NULL,                        -- how a browser reaches it
    created_at    timestamptz NOT NULL,
    used_at       timestamptz,
    doubted_at    timestamptz                             -- when its count last went back, as a copy's would
);
CREATE INDEX passkey_account ON passkey (account_key);

-- What was begun in a browser and is to come back from it, once: a challenge. Everything it is made from lies with the browser,
-- in a cookie that no script reads; only whoever has that can make it again.
CREATE TABLE ceremony (
    hash         bytea PRIMARY KEY,                       -- SHA-256 of the cookie, 256 random bits
    purpose      text NOT NULL,
    account_key  int REFERENCES account ON DELETE CASCADE, -- whose it is, where that is known already
    expires_at   timestamptz NOT NULL
);
CREATE INDEX ceremony_ended ON ceremony (expires_at);
