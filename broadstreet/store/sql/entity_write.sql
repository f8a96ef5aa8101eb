-- Writing entities, inside one transaction: load and lock, decide, write. Attributes are locked in ascending series_key,
-- as every writer does.

-- name: load
-- Entities by id, deleted ones as well, locked against other API writes; a row for each attribute instance, tombstones as
-- well, locked in series order; with one key for the origin to come. $1: ids, $2: attributes' term keys, or null for all.
WITH own AS MATERIALIZED (
    SELECT key, id, types, scopes, created_at, deleted_at, expires_at FROM entity
    WHERE id = ANY ($1::text[]) ORDER BY key FOR NO KEY UPDATE
), held AS MATERIALIZED (
    SELECT s.entity_key, s.term_key, s.dataset_id, a.series_key, a.meta_key, a.kind, a.version, a.as_of, a.observed_at,
        a.created_at, a.deleted_at, a.number, a.value
    FROM series s JOIN attribute a ON a.series_key = s.key
    WHERE s.entity_key IN (SELECT key FROM own) AND s.parent_key IS NULL
      AND ($2::int[] IS NULL OR s.term_key = ANY ($2::int[]))
    ORDER BY a.series_key FOR NO KEY UPDATE OF a
)
SELECT own.key, own.id, own.types, own.scopes, own.created_at AS entity_created_at, own.deleted_at AS entity_deleted_at,
    own.expires_at,
    held.term_key, held.dataset_id, held.series_key, held.meta_key, held.kind, held.version, held.as_of,
    held.observed_at, held.created_at, held.deleted_at, held.number, held.value,
    (SELECT nextval(pg_get_serial_sequence('origin', 'key'))) AS origin_key
FROM own LEFT JOIN held ON held.entity_key = own.key
ORDER BY own.key, held.series_key;

-- name: next_origin
-- A key for the origin of this transaction, where `load` found no entity to give it with.
SELECT nextval(pg_get_serial_sequence('origin', 'key'));

-- name: insert_entities
-- Create entities, or bring back those that are deleted or have ended; one that is there is not answered. $1: ids,
-- ascending, $2: term keys of each as an array's text, $3: scopes of each as an array's text, $4: at, $5: their ends or null.
INSERT INTO entity AS e (id, types, scopes, created_at, modified_at, expires_at)
SELECT id, types::int[], scopes::text[], $4, $4, expires_at
FROM unnest($1::text[], $2::text[], $3::text[], $5::timestamptz[]) AS new (id, types, scopes, expires_at)
ON CONFLICT (id) DO UPDATE
SET types = excluded.types, scopes = excluded.scopes, created_at = excluded.created_at,
    modified_at = excluded.modified_at, deleted_at = NULL, expires_at = excluded.expires_at
WHERE e.deleted_at IS NOT NULL OR e.expires_at <= $4
RETURNING new.key, new.id, old.key IS NULL AS is_new;

-- name: update_entities
-- Entities' types, scopes and times; their attributes stand elsewhere. $1: keys, $2: types of each as text, $3: scopes of
-- each as text, $4: created at, $5: deleted at or null, $6: at, $7: their ends or null.
UPDATE entity e
SET types = new.types::int[], scopes = new.scopes::text[], created_at = new.created_at, deleted_at = new.deleted_at,
    modified_at = $6, expires_at = new.expires_at
FROM unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $7::timestamptz[])
    AS new (key, types, scopes, created_at, deleted_at, expires_at)
WHERE e.key = new.key;

-- name: open_series
-- Series; those that exist are left. $1: entity keys, $2: term keys, $3: datasetIds, in the order of their keys.
INSERT INTO series (entity_key, term_key, dataset_id)
SELECT entity_key, term_key, dataset_id FROM unnest($1::int[], $2::int[], $3::text[]) AS new (entity_key, term_key, dataset_id)
ON CONFLICT (entity_key, term_key, dataset_id, parent_key) DO NOTHING;

-- name: open_attributes
-- A tombstone for each of these series that has no row yet, so that there is a row to lock. $1: entity keys, $2: term
-- keys, $3: datasetIds, $4: at. Answers all of these series.
WITH own AS (
    SELECT s.key, s.entity_key, s.term_key, s.dataset_id
    FROM unnest($1::int[], $2::int[], $3::text[]) AS new (entity_key, term_key, dataset_id)
    JOIN series s ON s.entity_key = new.entity_key AND s.term_key = new.term_key AND s.dataset_id = new.dataset_id
    WHERE s.parent_key IS NULL
), opened AS (
    INSERT INTO attribute (
        series_key, entity_key, term_key, dataset_id, version, as_of, created_at, modified_at, deleted_at, origin_key
    )
    SELECT key, entity_key, term_key, dataset_id, 0, $4, $4, $4, $4, 0 FROM own ORDER BY key
    ON CONFLICT (series_key) DO NOTHING
)
SELECT key, entity_key, term_key, dataset_id FROM own ORDER BY key;

-- name: lock_attributes
-- Attributes of series, locked in series order. $1: series keys.
SELECT series_key, meta_key, kind, version, as_of, observed_at, created_at, deleted_at, number, value FROM attribute
WHERE series_key = ANY ($1::int[]) ORDER BY series_key FOR NO KEY UPDATE;

-- name: write
-- All of one transaction: who did it, the attributes that are set or deleted, the observations they leave, and the
-- change for the outbox. $1: origin key, $2: at, $3: principal; set: $4: series, $5: kinds, $6: versions, $7: as of,
-- $8: observed at, $9: created at, $10: metas, $11: numbers, $12: values, $13: when each is filed in the past;
-- deleted: $14: series, $15: versions; $16: the packed change; $17: by which token, or null; $18: of those that are set,
-- which of the observations of its moment each is.
WITH who AS (
    INSERT INTO origin (key, kind, at, principal, note) OVERRIDING SYSTEM VALUE VALUES ($1::bigint, 'api', $2, $3, $17)
), given AS (
    SELECT * FROM unnest(
        $4::int[], $5::smallint[], $6::bigint[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::int[],
        $11::float8[], $12::jsonb[], $13::timestamptz[], $18::smallint[]
    ) AS g (series_key, kind, version, as_of, observed_at, created_at, meta_key, number, value, filed_at, n)
), attributes_set AS (
    UPDATE attribute a
    SET kind = g.kind, version = g.version, as_of = g.as_of, observed_at = g.observed_at, created_at = g.created_at,
        modified_at = $2, deleted_at = NULL, origin_key = $1, meta_key = g.meta_key, number = g.number, value = g.value,
        is_fed = false
    FROM given g WHERE a.series_key = g.series_key
), attributes_deleted AS (
    UPDATE attribute a SET version = d.version, deleted_at = $2, modified_at = $2, origin_key = $1
    FROM unnest($14::int[], $15::bigint[]) AS d (series_key, version) WHERE a.series_key = d.series_key
), filed AS (
    INSERT INTO observation AS o (series_key, observed_at, n, origin_key, meta_key, number, value)
    SELECT series_key, filed_at, n, $1, meta_key, number, value FROM given
    ON CONFLICT (series_key, observed_at, n) DO UPDATE
    SET number = excluded.number, value = excluded.value, meta_key = excluded.meta_key, origin_key = excluded.origin_key,
        modified_at = $2
    WHERE (o.number, o.value, o.meta_key) IS DISTINCT FROM (excluded.number, excluded.value, excluded.meta_key)
)
INSERT INTO outbox (kind, body) VALUES ('changes', $16::bytea);

-- name: write_past
-- Observations that become no current value, and the versions of series of which the past alone changes. $1: origin key,
-- $2: at; observations: $3: series, $4: times, $5: n, $6: metas, $7: numbers, $8: values; $9: series, $10: versions.
WITH raised AS (
    UPDATE attribute a SET version = r.version
    FROM unnest($9::int[], $10::bigint[]) AS r (series_key, version) WHERE a.series_key = r.series_key
)
INSERT INTO observation AS o (series_key, observed_at, n, origin_key, meta_key, number, value)
SELECT series_key, filed_at, n, $1, meta_key, number, value
FROM unnest($3::int[], $4::timestamptz[], $5::smallint[], $6::int[], $7::float8[], $8::jsonb[])
    AS g (series_key, filed_at, n, meta_key, number, value)
ON CONFLICT (series_key, observed_at, n) DO UPDATE
SET number = excluded.number, value = excluded.value, meta_key = excluded.meta_key, origin_key = excluded.origin_key,
    modified_at = $2
WHERE (o.number, o.value, o.meta_key) IS DISTINCT FROM (excluded.number, excluded.value, excluded.meta_key);

-- name: raise_versions
-- The past of series changed, not their present. $1: series. Answers their versions.
UPDATE attribute SET version = version + 1 WHERE series_key = ANY ($1::int[]) RETURNING series_key, version;

-- name: place
-- Where GeoProperties stand. $1: series keys, $2: entity keys, $3: term keys, $4 to $7: west, south, east, north,
-- $8: GeoJSON.
INSERT INTO place (series_key, entity_key, term_key, bounds, geojson)
SELECT series_key, entity_key, term_key, box(point(west, south), point(east, north)), geojson
FROM unnest($1::int[], $2::int[], $3::int[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::jsonb[])
    AS new (series_key, entity_key, term_key, west, south, east, north, geojson)
ON CONFLICT (series_key) DO UPDATE SET bounds = excluded.bounds, geojson = excluded.geojson;

-- name: displace
-- These are no GeoProperties any more. $1: series keys.
DELETE FROM place WHERE series_key = ANY ($1::int[]);

-- name: ids
-- Ids of entities. $1: keys.
SELECT id FROM entity WHERE key = ANY ($1::int[]) ORDER BY key;
