-- Requests of readings that carry an Idempotency-Key: what was sent under it, when first, and what was answered. The packs
-- of a request take their ids from this row, so a request that is sent again is applied once, however the first one ended.
CREATE TABLE keyed_request (
    principal    text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    at           timestamptz NOT NULL,                    -- a key ends 24 hours later
    fingerprint  bytea NOT NULL,                          -- SHA-256 of the body and how it was sent
    receipt      jsonb,                                   -- null until all of it is on disk
    PRIMARY KEY (principal, key)
);
CREATE INDEX keyed_request_at ON keyed_request (at);
