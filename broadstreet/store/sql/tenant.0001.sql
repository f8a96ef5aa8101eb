-- A tenant's schema: one graph of entities, their attributes now and in the past, and the devices that feed them.
-- Its own role reaches it and nothing else. Times named *_at are UTC; keys are internal and never leave the house.

-- Interned IRIs: entity types and attribute names, expanded.
CREATE TABLE term (
    key  int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    iri  text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE entity (
    key          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           text COLLATE "C" NOT NULL UNIQUE,
    types        int[] NOT NULL,                          -- term keys, sorted
    scopes       text[] NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL,
    modified_at  timestamptz NOT NULL,
    deleted_at   timestamptz                              -- its past stays readable
);
CREATE INDEX entity_types ON entity USING gin (types);

-- Who did something, when, and where it stands in the log. One row per applied pack, API call or import batch;
-- every observation and every current value points at one.
CREATE TABLE origin (
    key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('pack', 'api', 'import', 'simulated', 'registry')),
    at         timestamptz NOT NULL,
    principal  text NOT NULL,                             -- an account, a gateway, an import
    pack_id    uuid UNIQUE,                               -- a pack's id is accepted once
    stream     text,                                      -- the log's incarnation
    partition  smallint,
    sequence   bigint,
    note       text
);
CREATE INDEX origin_at ON origin (at);

-- The steward's view of data: who answers for it, what it is for, how long it stays.
CREATE TABLE dataset (
    key            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id             text COLLATE "C" NOT NULL UNIQUE,      -- a URI
    title          text NOT NULL,
    owner          text NOT NULL DEFAULT '',
    purpose        text NOT NULL DEFAULT '',
    licence        text NOT NULL DEFAULT '',              -- an SPDX id or a URI
    personal_data  text NOT NULL DEFAULT 'none' CHECK (personal_data IN ('none', 'pseudonymous', 'personal', 'special')),
    retention      interval,                              -- null: kept
    simulated      boolean NOT NULL DEFAULT false,
    created_at     timestamptz NOT NULL DEFAULT now()
);

-- Series = (entity, attribute, datasetId): what stays the same while its values change.
CREATE TABLE series (
    key            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_key     int NOT NULL REFERENCES entity,
    term_key       int NOT NULL REFERENCES term,
    dataset_id     text COLLATE "C" NOT NULL DEFAULT '',  -- NGSI-LD datasetId; '' is the default instance
    parent_key     int REFERENCES series,                 -- set for a sub-attribute that q may address
    dataset_key    int REFERENCES dataset,
    owner          text,                                  -- null: as the dataset says; likewise below
    purpose        text,
    licence        text,
    personal_data  text CHECK (personal_data IN ('none', 'pseudonymous', 'personal', 'special')),
    retention      interval,
    UNIQUE NULLS NOT DISTINCT (entity_key, term_key, dataset_id, parent_key)
);
CREATE INDEX series_term ON series (term_key);
CREATE INDEX series_dataset ON series (dataset_key);

-- Interned sub-attributes, such as unitCode: a JSON object kept once.
CREATE TABLE meta (
    key   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body  jsonb NOT NULL,
    hash  bytea NOT NULL UNIQUE                           -- SHA-256 of the canonical JSON
);

-- An attribute now. No index on a value: one would end HOT updates. A deleted one stays as a tombstone that older
-- readings do not cross.
CREATE TABLE attribute (
    series_key   int PRIMARY KEY REFERENCES series,
    meta_key     int REFERENCES meta,
    kind         smallint NOT NULL DEFAULT 0,             -- model.entity.Kind: 0 Property, 1 GeoProperty, 2 Relationship, …
    version      bigint NOT NULL DEFAULT 1,
    as_of        timestamptz NOT NULL,                    -- observed_at, or when it was written where none is given
    observed_at  timestamptz,
    created_at   timestamptz NOT NULL,
    modified_at  timestamptz NOT NULL,
    deleted_at   timestamptz,
    origin_key   bigint NOT NULL,
    number       double precision,                        -- a JSON number; then value is null
    value        jsonb                                    -- any other value; null with number null: the JSON null
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- The past: one row an observation. (series, time, n); n tells instances of one moment apart.
CREATE TABLE observation (
    series_key   int NOT NULL,
    meta_key     int,
    observed_at  timestamptz NOT NULL,
    origin_key   bigint NOT NULL,
    number       double precision,
    value        jsonb,
    modified_at  timestamptz,                             -- set when it was corrected
    n            smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (series_key, observed_at, n)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

-- Where a GeoProperty stands: its box for the index, refined with the geometry itself.
CREATE TABLE place (
    series_key  int PRIMARY KEY REFERENCES series ON DELETE CASCADE,
    entity_key  int NOT NULL REFERENCES entity,
    term_key    int NOT NULL REFERENCES term,
    bounds      box NOT NULL,                             -- (longitude, latitude) in degrees, WGS 84
    geojson     jsonb NOT NULL
);
CREATE INDEX place_bounds ON place USING gist (bounds);
CREATE INDEX place_entity ON place (entity_key);

-- How payload fields become attributes. A version never changes; a mended profile is a new version.
CREATE TABLE profile (
    key         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text COLLATE "C" NOT NULL,
    version     int NOT NULL,
    body        text NOT NULL,                            -- TOML, as written
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, version)
);

CREATE TABLE device (
    key            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id             text COLLATE "C" NOT NULL UNIQUE,
    title          text NOT NULL DEFAULT '',
    entity_key     int NOT NULL UNIQUE REFERENCES entity,
    profile_key    int NOT NULL REFERENCES profile,
    dataset_key    int REFERENCES dataset,
    registered_at  timestamptz NOT NULL,
    disabled_at    timestamptz
);
CREATE INDEX device_by_profile ON device (profile_key);

-- Which profile decoded a device's readings since when.
CREATE TABLE device_profile (
    device_key   int NOT NULL REFERENCES device,
    since        timestamptz NOT NULL,
    profile_key  int NOT NULL REFERENCES profile,
    PRIMARY KEY (device_key, since)
);

-- When a device was last heard. No row: never heard, the commonest fault.
CREATE TABLE heard (
    device_key  int PRIMARY KEY REFERENCES device,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    messages    bigint NOT NULL
) WITH (fillfactor = 50);

-- How far each partition of the log is applied; locked and advanced in the applying transaction.
CREATE TABLE cursor (
    partition  smallint PRIMARY KEY,
    stream     text NOT NULL,
    sequence   bigint NOT NULL
);

-- Changes on their way out: one packed row a transaction. The relay publishes, then deletes what the log acknowledged.
CREATE TABLE outbox (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('changes', 'dead')),
    body        bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- How far a file's import has come, so that it resumes and is not repeated. Counts are of readings.
CREATE TABLE import_run (
    key            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_hash      bytea NOT NULL,                        -- SHA-256 of the file
    mapping_hash   bytea NOT NULL,                        -- of the mapping and the table of locations
    file_name      text NOT NULL,
    origin_key     bigint NOT NULL REFERENCES origin,
    started_at     timestamptz NOT NULL,
    finished_at    timestamptz,
    rows_done      bigint NOT NULL DEFAULT 0,             -- lines below the header
    accepted       bigint NOT NULL DEFAULT 0,             -- accepted + rejected = readings in the file
    rejected       bigint NOT NULL DEFAULT 0,
    skipped        bigint NOT NULL DEFAULT 0,             -- empty cells, no readings
    repeated       bigint NOT NULL DEFAULT 0,             -- accepted, and there already with the same value
    corrected      bigint NOT NULL DEFAULT 0,             -- accepted, and there already with another value
    ambiguous      bigint NOT NULL DEFAULT 0,             -- accepted, at a local time the policy had to choose
    shifted        bigint NOT NULL DEFAULT 0,             -- accepted, at a local time the policy had to move
    rejects_bytes  bigint NOT NULL DEFAULT 0,             -- how much of the reject file stands
    UNIQUE (file_hash, mapping_hash)
);

-- What the gateways saw of a device's connection: why it is silent, in one row.
CREATE TABLE connection (
    device_key       int PRIMARY KEY REFERENCES device,
    gateway          text NOT NULL,
    connected_at     timestamptz,
    disconnected_at  timestamptz,                         -- null while connected
    reason           text,                                -- why it ended: 'closed by the device', 'keep-alive ran out', …
    refused_at       timestamptz,                         -- the newest refused sign-in under its id
    refused_reason   text
) WITH (fillfactor = 50);

-- Counts up with every change of devices and profiles, so that recorders know when to look again.
CREATE TABLE registry_version (
    version  bigint NOT NULL
);
INSERT INTO registry_version VALUES (1);
