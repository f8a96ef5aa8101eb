-- Where a service that can only call a URL sends readings: a secret address, and for which devices.
CREATE TABLE webhook (
    key           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_key    smallint NOT NULL REFERENCES tenant ON DELETE CASCADE,
    name          text COLLATE "C" NOT NULL,
    secret_hash   bytea NOT NULL UNIQUE,                  -- SHA-256; the secret is 256 random bits
    device        text COLLATE "C",                       -- the one device it speaks for, or null:
    device_field  text,                                   -- where an item names its device, such as end_device_ids.device_id
    items_field   text,                                   -- where a body holds its items; null: the body is one, or an array
    signing_key   bytea,                                  -- of the HMAC that is asked for; null: none is
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL,
    used_at       timestamptz,                            -- to the minute
    UNIQUE (tenant_key, name),
    CHECK ((device IS NULL) <> (device_field IS NULL))
);
