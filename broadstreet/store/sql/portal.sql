-- name: things
-- What stands on the map: entities with a device, and entities with a place and a number that was observed. $1: the term
-- of their place, $2: how many at most.
SELECT e.key, e.id, e.types, place.lon, place.lat, d.key AS device_key, d.id AS device,
       d.registered_at, d.profile_key, coalesce(ds.simulated, false) AS simulated
FROM entity e
LEFT JOIN device d ON d.entity_key = e.key
LEFT JOIN dataset ds ON ds.key = d.dataset_key
JOIN LATERAL (
    SELECT (center(p.bounds))[0] AS lon, (center(p.bounds))[1] AS lat
    FROM place p WHERE p.entity_key = e.key AND p.term_key = $1 ORDER BY p.series_key LIMIT 1
) place ON true
WHERE e.deleted_at IS NULL
  AND (d.key IS NOT NULL OR EXISTS (
      SELECT FROM series s JOIN attribute a ON a.series_key = s.key
      WHERE s.entity_key = e.key AND a.observed_at IS NOT NULL AND a.number IS NOT NULL AND a.deleted_at IS NULL))
ORDER BY e.key
LIMIT $2;

-- name: values
-- The series of entities, each with its current value where it has one, and by whom. $1: entity keys.
SELECT s.key, s.entity_key, s.term_key, a.kind, a.number, a.value, a.observed_at, a.modified_at,
       m.body ->> 'unitCode' AS unit, o.kind AS origin_kind, coalesce(ds.simulated, false) AS simulated
FROM series s
LEFT JOIN attribute a ON a.series_key = s.key AND a.deleted_at IS NULL
LEFT JOIN meta m ON m.key = a.meta_key
LEFT JOIN origin o ON o.key = a.origin_key
LEFT JOIN dataset ds ON ds.key = s.dataset_key
WHERE s.entity_key = ANY ($1::int[]) AND s.dataset_id = '' AND s.parent_key IS NULL
ORDER BY s.key;

-- name: heard
-- What was heard of every device, and what the gateways saw of its connection.
SELECT d.key, d.disabled_at, h.first_at, h.last_at, coalesce(h.messages, 0) AS messages,
       c.device_key IS NOT NULL AS was_seen, c.connected_at, c.disconnected_at, c.reason, c.refused_at, c.refused_reason
FROM device d
LEFT JOIN heard h ON h.device_key = d.key
LEFT JOIN connection c ON c.device_key = d.key;

-- name: profiles
-- Profiles by key; a version never changes. $1: keys.
SELECT key, name, version, body FROM profile WHERE key = ANY ($1::int[]);

-- name: fingerprint
-- Changes whenever a device, a profile or an entity comes or goes.
SELECT (SELECT version FROM registry_version) AS registry,
       (SELECT max(key) FROM entity) AS newest, (SELECT max(key) FROM series) AS newest_series;

-- name: one_moment
-- All that a transaction reads, it reads as of one moment. Comes first.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: entity
-- One entity, and what was heard of its device, as in `heard`. $1: its id, $2: the term of its place.
SELECT e.key AS entity_key, e.id, e.types, place.lon, place.lat, d.key, d.disabled_at, h.first_at, h.last_at,
       coalesce(h.messages, 0) AS messages, c.device_key IS NOT NULL AS was_seen, c.connected_at, c.disconnected_at,
       c.reason, c.refused_at, c.refused_reason
FROM entity e
LEFT JOIN device d ON d.entity_key = e.key
LEFT JOIN heard h ON h.device_key = d.key
LEFT JOIN connection c ON c.device_key = d.key
LEFT JOIN LATERAL (
    SELECT (center(p.bounds))[0] AS lon, (center(p.bounds))[1] AS lat
    FROM place p WHERE p.entity_key = e.key AND p.term_key = $2 ORDER BY p.series_key LIMIT 1
) place ON true
WHERE e.id = $1 AND e.deleted_at IS NULL;

-- name: attributes
-- All of an entity's attributes, with the steward's facts about their series. $1: the entity's key.
SELECT s.key, s.term_key, s.dataset_id, a.kind, a.number, a.value, a.observed_at, a.modified_at, a.version,
       m.body ->> 'unitCode' AS unit, o.kind AS origin_kind, ds.id AS dataset,
       coalesce(s.owner, ds.owner) AS owner, coalesce(s.purpose, ds.purpose) AS purpose,
       coalesce(s.licence, ds.licence) AS licence, coalesce(s.personal_data, ds.personal_data) AS personal_data,
       coalesce(s.retention, ds.retention) AS retention, coalesce(ds.simulated, false) AS simulated
FROM series s
LEFT JOIN attribute a ON a.series_key = s.key
LEFT JOIN meta m ON m.key = a.meta_key
LEFT JOIN origin o ON o.key = a.origin_key
LEFT JOIN dataset ds ON ds.key = s.dataset_key
WHERE s.entity_key = $1 AND s.parent_key IS NULL AND a.deleted_at IS NULL
ORDER BY s.key;

-- name: titles
-- What entities are called. $1: their ids, $2: the term of a name.
SELECT e.id, a.value
FROM entity e
JOIN series s ON s.entity_key = e.key AND s.term_key = $2 AND s.dataset_id = '' AND s.parent_key IS NULL
JOIN attribute a ON a.series_key = s.key AND a.deleted_at IS NULL
WHERE e.id = ANY ($1::text[]) AND e.deleted_at IS NULL;

-- name: series
-- One series, the unit it was last written in, and its device. $1: the entity's id, $2: the attribute's IRI.
SELECT s.key, e.key AS entity_key, m.body ->> 'unitCode' AS unit, d.key AS device_key, d.id AS device, d.profile_key
FROM entity e
JOIN series s ON s.entity_key = e.key AND s.dataset_id = '' AND s.parent_key IS NULL
JOIN term t ON t.key = s.term_key
LEFT JOIN attribute a ON a.series_key = s.key
LEFT JOIN meta m ON m.key = a.meta_key
LEFT JOIN device d ON d.entity_key = e.key
WHERE e.id = $1 AND t.iri = $2;

-- name: origin
-- Who did something, when, and where it stands in the log. $1: its key.
SELECT kind, at, principal, pack_id, stream, partition, sequence, note FROM origin WHERE key = $1;

-- name: profile_at
-- The profile that decoded a device's readings at a time. $1: the device's key, $2: at.
SELECT p.name, p.version, p.body
FROM device_profile dp JOIN profile p ON p.key = dp.profile_key
WHERE dp.device_key = $1 AND dp.since <= $2
ORDER BY dp.since DESC
LIMIT 1;

-- name: series_of
-- The series of an entity's attributes. $1: the entity's id.
SELECT s.key FROM series s JOIN entity e ON e.key = s.entity_key WHERE e.id = $1 AND s.parent_key IS NULL;

-- name: unit
-- The unit that interned sub-attributes give, or null. $1: their key.
SELECT body ->> 'unitCode' FROM meta WHERE key = $1;

-- name: changes
-- Who changed an entity, with the value that stood there before. What people, programs and imports wrote is told one by
-- one; of what its device sends, the newest of each series stands for all. $1: the entity's id, $2: how many at most;
-- what was written one by one: $3: series keys, $4: times, $5: numbers, $6: JSON values, $7: meta keys, $8: origin keys.
WITH of_entity AS (
    SELECT s.key, s.term_key FROM series s JOIN entity e ON e.key = s.entity_key WHERE e.id = $1 AND s.parent_key IS NULL
), told AS (
    SELECT series.key, series.term_key, o.number, o.value, o.meta_key, o.observed_at, o.origin_key, false AS is_deletion
    FROM of_entity series
    JOIN unnest($3::int[], $4::timestamptz[], $5::float8[], $6::jsonb[], $7::int[], $8::bigint[])
        AS o (series_key, observed_at, number, value, meta_key, origin_key) ON o.series_key = series.key
    UNION
    SELECT series.key, series.term_key, a.number, a.value, a.meta_key, a.as_of, a.origin_key, a.deleted_at IS NOT NULL
    FROM of_entity series JOIN attribute a ON a.series_key = series.key
), newest AS (
    SELECT origin.at, origin.kind, origin.principal, origin.note, told.*
    FROM told JOIN origin ON origin.key = told.origin_key
    ORDER BY origin.at DESC, told.observed_at DESC NULLS LAST, told.term_key
    LIMIT $2
)
SELECT newest.*, m.body ->> 'unitCode' AS unit, before.number AS old_number, before.value AS old_value,
       before.unit AS old_unit, before.observed_at IS NOT NULL AS has_old
FROM newest
LEFT JOIN meta m ON m.key = newest.meta_key
LEFT JOIN LATERAL (
    SELECT o.observed_at, o.number, o.value, old_meta.body ->> 'unitCode' AS unit
    FROM observation o LEFT JOIN meta old_meta ON old_meta.key = o.meta_key
    WHERE o.series_key = newest.key AND o.observed_at < newest.observed_at
    ORDER BY o.observed_at DESC, o.n DESC
    LIMIT 1
) before ON NOT newest.is_deletion
ORDER BY newest.at DESC, newest.observed_at DESC NULLS LAST, newest.term_key;

-- name: size
-- How much there is, in the table and in files, as the planner and the statistics know it: close, and never slow.
SELECT (SELECT greatest(reltuples, pg_stat_get_live_tuples(oid), 0) FROM pg_class WHERE oid = 'observation'::regclass)::bigint
           + (SELECT coalesce(sum(rows), 0)::bigint FROM past_file) AS observations,
       (SELECT greatest(reltuples, pg_stat_get_live_tuples(oid), 0) FROM pg_class WHERE oid = 'series'::regclass)::bigint
           AS series,
       pg_total_relation_size('observation'::regclass) + (SELECT coalesce(sum(bytes), 0)::bigint FROM past_file)
           AS observations_bytes,
       current_setting('server_version') AS version;

-- name: imports
-- The newest imports. $1: how many at most.
SELECT file_name, started_at, finished_at, accepted, rejected FROM import_run ORDER BY started_at DESC LIMIT $1;

-- name: cursors
-- How far each partition of the log is applied.
SELECT partition, stream, sequence FROM cursor ORDER BY partition;
