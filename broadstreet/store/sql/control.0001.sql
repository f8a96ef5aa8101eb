-- The control schema: what stands above all tenants. Tenants, people, their tokens, device log-ins, the audit.
-- Only the role `broadstreet_control` reaches it; tenants' roles do not.

CREATE TABLE tenant (
    key         smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text COLLATE "C" NOT NULL UNIQUE,
    title       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- A person or a system that calls. Without a password an account signs in by token or one-time link only.
CREATE TABLE account (
    key           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text COLLATE "C" NOT NULL UNIQUE,
    title         text NOT NULL,
    password_hash text,                                   -- argon2id
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

CREATE TABLE account_role (
    account_key  int NOT NULL REFERENCES account ON DELETE CASCADE,
    tenant_key   smallint NOT NULL REFERENCES tenant ON DELETE CASCADE,
    role         text NOT NULL CHECK (role IN ('administrator', 'engineer', 'dispatcher', 'analyst', 'steward', 'viewer')),
    PRIMARY KEY (account_key, tenant_key, role)
);

-- API tokens, sign-in sessions and one-time links: a secret of 256 bits, of which only the SHA-256 is kept.
CREATE TABLE token (
    key          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash         bytea NOT NULL UNIQUE,
    account_key  int NOT NULL REFERENCES account ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('api', 'session', 'link')),
    title        text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,                             -- a link is good once
    revoked_at   timestamptz
);
CREATE INDEX token_account ON token (account_key);

-- What a device presents when it connects; the device itself stands in its tenant's schema.
CREATE TABLE device_login (
    username     text COLLATE "C" PRIMARY KEY,
    tenant_key   smallint NOT NULL REFERENCES tenant ON DELETE CASCADE,
    device_key   int NOT NULL,
    secret_hash  bytea NOT NULL,                          -- SHA-256 over salt and secret; secrets are random, 128 bits or more
    salt         bytea NOT NULL,
    disabled_at  timestamptz,
    UNIQUE (tenant_key, device_key)
);

CREATE TABLE audit (
    key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    principal  text NOT NULL,
    tenant     text,
    action     text NOT NULL,
    subject    text NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_at ON audit (at);
