-- name: create_cursor
-- A partition's cursor, at its beginning. $1: partition, $2: the log's incarnation.
INSERT INTO cursor (partition, stream, sequence) VALUES ($1, $2, 0) ON CONFLICT (partition) DO NOTHING;

-- name: read_cursor
-- How far a partition is applied. $1: partition.
SELECT stream, sequence FROM cursor WHERE partition = $1;

-- name: cursors
-- How far every partition is applied.
SELECT partition, stream, sequence FROM cursor ORDER BY partition;

-- name: lock_cursor
-- Lock a partition's cursor for this transaction; with it, the registry's version. $1: partition.
SELECT c.stream, c.sequence, (SELECT version FROM registry_version) AS registry_version
FROM cursor c WHERE c.partition = $1 FOR UPDATE OF c;

-- name: advance_cursor
-- Everything up to here is applied. $1: partition, $2: the log's incarnation, $3: sequence.
UPDATE cursor SET stream = $2, sequence = $3 WHERE partition = $1;

-- name: move_cursor
-- A partition goes on elsewhere, unless someone has moved it meanwhile. $1: partition, $2 and $3: from which log and
-- sequence, $4 and $5: to which.
UPDATE cursor SET stream = $4, sequence = $5 WHERE partition = $1 AND stream = $2 AND sequence = $3;

-- name: newest_pack
-- The newest pack at or before a sequence, of those applied last. $1: partition, $2: the log's incarnation, $3: sequence.
SELECT sequence, pack_id FROM (SELECT * FROM origin ORDER BY key DESC LIMIT 10000) AS late
WHERE partition = $1 AND stream = $2 AND sequence <= $3 AND pack_id IS NOT NULL ORDER BY sequence DESC LIMIT 1;

-- name: insert_packs
-- Accept packs; one that was accepted before is not answered. $1: pack ids, $2: gateways, $3: sequences, $4: at,
-- $5: the log's incarnation, $6: partition.
INSERT INTO origin (kind, at, principal, pack_id, stream, partition, sequence)
SELECT 'pack', $4, gateway, pack_id, $5, $6, sequence
FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS new (pack_id, gateway, sequence)
ON CONFLICT (pack_id) DO NOTHING
RETURNING key, pack_id;

-- name: read_attributes
-- Current values of series. $1: series keys.
SELECT series_key, version, as_of, deleted_at, number, value FROM attribute WHERE series_key = ANY ($1::int[]);

-- name: lock_attributes
-- Current values of series, locked in the order that every writer keeps. $1: series keys.
SELECT series_key, version, as_of, deleted_at, number, value FROM attribute
WHERE series_key = ANY ($1::int[]) ORDER BY series_key FOR UPDATE;

-- name: insert_observations
-- Readings that are not there yet. $1: series keys, $2: times, $3: n, $4: numbers, $5: JSON values, $6: meta keys,
-- $7: origin keys.
INSERT INTO observation (series_key, observed_at, n, number, value, meta_key, origin_key)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::smallint[], $4::float8[], $5::jsonb[], $6::int[], $7::bigint[]);

-- name: upsert_observations
-- Readings that may be there already: the same value again is not answered, another one corrects it. Parameters as in
-- insert_observations; $8: at. Answers the position (from 1) of each that was applied.
WITH said AS (
    SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::smallint[], $4::float8[], $5::jsonb[], $6::int[], $7::bigint[])
        WITH ORDINALITY AS said (series_key, observed_at, n, number, value, meta_key, origin_key, position)
), applied AS (
    INSERT INTO observation AS o (series_key, observed_at, n, number, value, meta_key, origin_key)
    SELECT series_key, observed_at, n, number, value, meta_key, origin_key FROM said
    ON CONFLICT (series_key, observed_at, n) DO UPDATE
    SET number = EXCLUDED.number, value = EXCLUDED.value, meta_key = EXCLUDED.meta_key,
        origin_key = EXCLUDED.origin_key, modified_at = $8
    WHERE o.number IS DISTINCT FROM EXCLUDED.number OR o.value IS DISTINCT FROM EXCLUDED.value
    RETURNING new.series_key, new.observed_at, new.n, old.series_key IS NOT NULL AS corrected
)
SELECT position, corrected FROM said JOIN applied USING (series_key, observed_at, n);

-- name: update_attributes
-- New current values, of attributes that stand at the version they go out from; another is not counted. $1: series keys,
-- $2: versions, $3: times in microseconds since 1970, $4: numbers, $5: JSON values, $6: meta keys, $7: origin keys, $8:
-- at, $9: the versions they go out from.
UPDATE attribute a
SET version = new.version, as_of = new.at, observed_at = new.at, number = new.number, value = new.value,
    meta_key = new.meta_key, origin_key = new.origin_key, modified_at = $8, deleted_at = NULL, kind = 0,
    is_fed = true,
    created_at = CASE WHEN a.deleted_at IS NULL THEN a.created_at ELSE $8 END
FROM (
    SELECT said.*, timestamptz 'epoch' + at_us * interval '1 microsecond' AS at
    FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::float8[], $5::jsonb[], $6::int[], $7::bigint[], $9::bigint[])
        AS said (series_key, version, at_us, number, value, meta_key, origin_key, before)
) new
WHERE a.series_key = new.series_key AND a.version = new.before;

-- name: update_versions
-- Attributes whose past changed but not their present; one that stands at another version than the one it goes out from
-- is not counted. $1: series keys, $2: versions, $3: the versions they go out from.
UPDATE attribute a SET version = new.version
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS new (series_key, version, before)
WHERE a.series_key = new.series_key AND a.version = new.before;

-- name: insert_attributes
-- First values. One that is there by now is not counted. Parameters as in update_attributes, but for the last.
INSERT INTO attribute (
    series_key, entity_key, term_key, dataset_id, is_fed, version, as_of, observed_at, number, value, meta_key, origin_key,
    created_at, modified_at
)
SELECT new.series_key, s.entity_key, s.term_key, coalesce(s.dataset_id, ''), true, version, at, at, number, value, meta_key, origin_key, $8, $8
FROM (
    SELECT said.*, timestamptz 'epoch' + at_us * interval '1 microsecond' AS at
    FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::float8[], $5::jsonb[], $6::int[], $7::bigint[])
        AS said (series_key, version, at_us, number, value, meta_key, origin_key)
) new
LEFT JOIN series s ON s.key = new.series_key
ON CONFLICT (series_key) DO NOTHING;

-- name: revive_entities
-- Deleted entities that a newer reading brings back. $1: the series it revived.
UPDATE entity SET deleted_at = NULL
WHERE key IN (SELECT entity_key FROM series WHERE key = ANY ($1::int[])) AND deleted_at IS NOT NULL
RETURNING key, id, types;

-- name: upsert_heard
-- Devices were heard. $1: device keys, $2: first, $3: last, $4: messages.
INSERT INTO heard AS h (device_key, first_at, last_at, messages)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::bigint[])
ON CONFLICT (device_key) DO UPDATE
SET first_at = least(h.first_at, EXCLUDED.first_at), last_at = greatest(h.last_at, EXCLUDED.last_at),
    messages = h.messages + EXCLUDED.messages;

-- name: database_id
-- What tells this database from another: the cluster's identity and the database's own number.
SELECT (SELECT system_identifier FROM pg_control_system())::text || '-' ||
    (SELECT oid FROM pg_database WHERE datname = current_database())::text;

-- name: lock_once
-- What is known of sessions whose messages count once, locked. $1: sessions.
SELECT session, life, open FROM once_session WHERE session = ANY ($1::bytea[]) ORDER BY session FOR UPDATE;

-- name: write_once
-- What is known of them now. $1: sessions, $2: lives, $3: identifiers that are open, $4: at.
INSERT INTO once_session (session, life, open, said_at)
SELECT session, life, open, $4 FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) AS said (session, life, open)
ON CONFLICT (session) DO UPDATE SET life = EXCLUDED.life, open = EXCLUDED.open, said_at = EXCLUDED.said_at;

-- name: forget_once
-- Let go of sessions. $1: of those that said nothing since, $2: of those with nothing open that said nothing since.
DELETE FROM once_session WHERE said_at < $2 AND (said_at < $1 OR open = '');
