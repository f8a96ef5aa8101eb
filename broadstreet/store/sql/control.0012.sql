-- Provisioning: how devices come to their credentials when nobody stands beside them with a keyboard.

-- A key that makes devices of one profile, and nothing else: each asks once, by its hardware id, and gets its own secret.
CREATE TABLE provisioning_key (
    key           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_key    smallint NOT NULL REFERENCES tenant ON DELETE CASCADE,
    name          text COLLATE "C" NOT NULL,
    secret_hash   bytea NOT NULL UNIQUE,                  -- SHA-256; the secret is 256 random bits
    profile       text NOT NULL,
    pattern       text NOT NULL,                          -- of the hardware ids it is for: * and ? stand for others
    dataset       text,
    lon           float8,                                 -- where a device stands that does not say where it is
    lat           float8,
    renews        boolean NOT NULL,                       -- whether a device that was heard may have another secret
    max_devices   int NOT NULL,
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    UNIQUE (tenant_key, name)
);

-- Who was let in by which key. A row stands before its device does: it is the place that the device takes of max_devices.
CREATE TABLE provisioned (
    tenant_key    smallint NOT NULL REFERENCES tenant ON DELETE CASCADE,
    device        text COLLATE "C" NOT NULL,              -- its hardware id, which is its id here
    key           int NOT NULL REFERENCES provisioning_key ON DELETE CASCADE,
    at            timestamptz NOT NULL,
    renewed_at    timestamptz,
    PRIMARY KEY (tenant_key, device)
);
CREATE INDEX provisioned_key ON provisioned (key);

-- Devices that are known before they are installed. Whoever stands beside one with its claim code says where that is, and
-- it becomes a device; its secret was burnt in before.
CREATE TABLE prepared_device (
    tenant_key    smallint NOT NULL REFERENCES tenant ON DELETE CASCADE,
    device        text COLLATE "C" NOT NULL,              -- its serial number, which is its id here
    claim_hash    bytea NOT NULL UNIQUE,                  -- SHA-256; the code is 80 random bits
    secret_hash   bytea NOT NULL,                         -- as in device_login
    salt          bytea NOT NULL,
    title         text NOT NULL,
    profile       text NOT NULL,
    dataset       text,
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL,
    claimed_by    text,
    claimed_at    timestamptz,
    PRIMARY KEY (tenant_key, device)
);
