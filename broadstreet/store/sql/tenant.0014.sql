-- What changes leave behind that is no value: when attributes were deleted, and since when scopes were valid.

CREATE TABLE deletion (
    series_key   int NOT NULL REFERENCES series ON DELETE CASCADE,
    deleted_at   timestamptz NOT NULL,
    observed_at  timestamptz,                             -- where it was told of the past; null: it was deleted here
    origin_key   bigint NOT NULL,
    PRIMARY KEY (series_key, deleted_at)
);
INSERT INTO deletion (series_key, deleted_at, origin_key)
SELECT series_key, deleted_at, origin_key FROM attribute WHERE deleted_at IS NOT NULL AND version > 0;

-- Each row counts until the next of its entity; one without scopes says that they were deleted.
CREATE TABLE scoped (
    entity_key   int NOT NULL REFERENCES entity ON DELETE CASCADE,
    observed_at  timestamptz NOT NULL,
    scopes       text[] NOT NULL,
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (entity_key, observed_at)
);
INSERT INTO scoped (entity_key, observed_at, scopes, recorded_at)
SELECT key, created_at, scopes, created_at FROM entity WHERE scopes <> '{}';
INSERT INTO scoped (entity_key, observed_at, scopes, recorded_at)
SELECT key, deleted_at, '{}', deleted_at FROM entity WHERE scopes <> '{}' AND deleted_at > created_at;
