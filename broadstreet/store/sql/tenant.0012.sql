-- Entities and attributes that have an end (expiresAt). Few have one: what has none costs a null, or no row at all.
ALTER TABLE entity ADD COLUMN expires_at timestamptz;     -- null: it stays
CREATE INDEX entity_expires ON entity (expires_at) WHERE expires_at IS NOT NULL;

-- Attributes that end, or one of whose sub-attributes does; their sub-attributes say so, too.
CREATE TABLE transient (
    series_key   int PRIMARY KEY REFERENCES series ON DELETE CASCADE,
    entity_key   int NOT NULL REFERENCES entity,
    expires_at   timestamptz,                             -- of the attribute itself; null: it stays
    next_at      timestamptz NOT NULL                     -- when the first thing of it ends
);
CREATE INDEX transient_next ON transient (next_at);
