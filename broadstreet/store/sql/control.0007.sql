-- Second factors: a shared secret from which a person's device makes codes (RFC 6238), and codes for when it is lost.

-- last_step: the newest step whose code was taken; it and all before it are taken no more.
CREATE TABLE totp (
    account_key   int PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    secret        bytea NOT NULL,                         -- codes are made from it, so it cannot be kept as a hash
    created_at    timestamptz NOT NULL,
    confirmed_at  timestamptz,                            -- null until its first code came: it asks for nothing before
    last_step     bigint NOT NULL DEFAULT 0
);

-- Each is good once, and is gone then.
CREATE TABLE recovery_code (
    hash         bytea PRIMARY KEY,                       -- SHA-256 of 80 random bits
    account_key  int NOT NULL REFERENCES account ON DELETE CASCADE
);
CREATE INDEX recovery_code_account ON recovery_code (account_key);

-- A sign-in that waits for its second factor; it opens nothing.
ALTER TABLE token DROP CONSTRAINT token_kind_check;
ALTER TABLE token ADD CONSTRAINT token_kind_check CHECK (kind IN ('api', 'session', 'link', 'pending'));
