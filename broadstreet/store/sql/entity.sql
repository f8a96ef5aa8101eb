-- Entities and their attributes as they are now. `true /* filter */` is where context/ puts a query's own clause.

-- name: entity
-- One entity that is there, with its attribute instances as columns, in the order they came. $1: id, $2: whether times of
-- creation and change are wanted.
SELECT e.id, e.types, e.scopes, e.created_at, e.modified_at, e.expires_at, a.*
FROM entity e
CROSS JOIN LATERAL (
    SELECT array_agg(a.term_key ORDER BY a.series_key) AS term_keys,
        array_agg(a.dataset_id ORDER BY a.series_key) AS dataset_ids,
        array_agg(a.kind ORDER BY a.series_key) AS kinds,
        array_agg(a.meta_key ORDER BY a.series_key) AS meta_keys,
        array_agg(coalesce((a.number + 0.0)::text, a.value::text) ORDER BY a.series_key) AS values,
        array_agg(timestamptz_send(a.observed_at)::bigint ORDER BY a.series_key) AS observed,
        array_agg(a.created_at ORDER BY a.series_key) FILTER (WHERE $2::bool) AS attributes_created_at,
        array_agg(a.modified_at ORDER BY a.series_key) FILTER (WHERE $2::bool) AS attributes_modified_at
    FROM attribute a WHERE a.entity_key = e.key AND a.deleted_at IS NULL
) a
WHERE e.id = $1 AND e.deleted_at IS NULL;

-- name: entities
-- As `entity`, for several, one after the other. $1: keys, $2: whether times of creation and change are wanted. Each has
-- a stamp, which another state of the same entity has not; null: it has no attributes.
SELECT e.key, e.id, e.types, e.scopes, e.created_at, e.modified_at, e.expires_at, a.*
FROM unnest($1::int[]) WITH ORDINALITY AS wanted (key, position)
JOIN entity e ON e.key = wanted.key
CROSS JOIN LATERAL (
    SELECT array_agg(a.term_key ORDER BY a.series_key) AS term_keys,
        bit_xor(hashint8extended(a.version, a.series_key)) # hash_record_extended(ROW (e.types, e.scopes), e.key) AS stamp,
        array_agg(a.dataset_id ORDER BY a.series_key) AS dataset_ids,
        array_agg(a.kind ORDER BY a.series_key) AS kinds,
        array_agg(a.meta_key ORDER BY a.series_key) AS meta_keys,
        array_agg(coalesce((a.number + 0.0)::text, a.value::text) ORDER BY a.series_key) AS values,
        array_agg(timestamptz_send(a.observed_at)::bigint ORDER BY a.series_key) AS observed,
        array_agg(a.created_at ORDER BY a.series_key) FILTER (WHERE $2::bool) AS attributes_created_at,
        array_agg(a.modified_at ORDER BY a.series_key) FILTER (WHERE $2::bool) AS attributes_modified_at
    FROM attribute a WHERE a.entity_key = e.key AND a.deleted_at IS NULL
) a
WHERE e.deleted_at IS NULL
ORDER BY wanted.position;

-- name: found
-- A page of entities, in the order they came where no other is asked for, each as in `entities`. Each is looked up by itself
-- when its turn comes, which keeps the order. $1: how many at most, $2: how many to pass over, $3: whether times of creation
-- and change are wanted.
SELECT e.key, e.id, e.types, e.scopes, e.created_at, e.modified_at, e.expires_at, a.*
FROM (
    SELECT e.* FROM entity e WHERE true /* filter */ ORDER BY /* order */ e.key LIMIT $1::int OFFSET $2::int
) e
CROSS JOIN LATERAL (
    SELECT array_agg(a.term_key ORDER BY a.series_key) AS term_keys,
        bit_xor(hashint8extended(a.version, a.series_key)) # hash_record_extended(ROW (e.types, e.scopes), e.key) AS stamp,
        array_agg(a.dataset_id ORDER BY a.series_key) AS dataset_ids,
        array_agg(a.kind ORDER BY a.series_key) AS kinds,
        array_agg(a.meta_key ORDER BY a.series_key) AS meta_keys,
        array_agg(coalesce((a.number + 0.0)::text, a.value::text) ORDER BY a.series_key) AS values,
        array_agg(timestamptz_send(a.observed_at)::bigint ORDER BY a.series_key) AS observed,
        array_agg(a.created_at ORDER BY a.series_key) FILTER (WHERE $3::bool) AS attributes_created_at,
        array_agg(a.modified_at ORDER BY a.series_key) FILTER (WHERE $3::bool) AS attributes_modified_at
    FROM attribute a WHERE a.entity_key = e.key AND a.deleted_at IS NULL
) a;

-- name: stamped
-- As `found`, of each entity no more than its stamp. $1: how many at most, $2: how many to pass over.
SELECT e.key, a.stamp
FROM (
    SELECT e.* FROM entity e WHERE true /* filter */ ORDER BY /* order */ e.key LIMIT $1::int OFFSET $2::int
) e
CROSS JOIN LATERAL (
    SELECT bit_xor(hashint8extended(a.version, a.series_key)) # hash_record_extended(ROW (e.types, e.scopes), e.key) AS stamp
    FROM attribute a WHERE a.entity_key = e.key AND a.deleted_at IS NULL
) a;

-- name: stamps
-- As `entities`, of each no more than its stamp. $1: keys.
SELECT e.key, a.stamp
FROM unnest($1::int[]) WITH ORDINALITY AS wanted (key, position)
JOIN entity e ON e.key = wanted.key
CROSS JOIN LATERAL (
    SELECT bit_xor(hashint8extended(a.version, a.series_key)) # hash_record_extended(ROW (e.types, e.scopes), e.key) AS stamp
    FROM attribute a WHERE a.entity_key = e.key AND a.deleted_at IS NULL
) a
WHERE e.deleted_at IS NULL
ORDER BY wanted.position;

-- name: named
-- Keys of the entities that are there, of these ids. $1: ids.
SELECT e.key FROM entity e WHERE e.id = ANY ($1::text[]) AND e.deleted_at IS NULL;

-- name: page
-- Keys of entities, in the order they came where no other is asked for. $1: how many at most, $2: how many to pass over.
SELECT e.key FROM entity e WHERE true /* filter */ ORDER BY /* order */ e.key LIMIT $1::int OFFSET $2::int;

-- name: count
-- How many entities there are.
SELECT count(*) FROM entity e WHERE true /* filter */;

-- name: candidates
-- Entities with the places to be measured; a point comes as its coordinates alone, where that is enough. $1: the
-- GeoProperty's term key, $2: how many at most, $3: whether coordinates are enough for a point.
SELECT e.key, (p.bounds[0])[0] AS lon, (p.bounds[0])[1] AS lat,
    CASE
        WHEN $3::bool AND (p.bounds[0])[0] = (p.bounds[1])[0] AND (p.bounds[0])[1] = (p.bounds[1])[1] THEN NULL
        ELSE p.geojson::text
    END AS geojson
FROM entity e JOIN place p ON p.entity_key = e.key
WHERE p.term_key = $1::int AND true /* filter */
ORDER BY /* order */ e.key LIMIT $2::int;

-- name: some_candidates
-- As candidates, in no order.
SELECT e.key, (p.bounds[0])[0] AS lon, (p.bounds[0])[1] AS lat,
    CASE
        WHEN $3::bool AND (p.bounds[0])[0] = (p.bounds[1])[0] AND (p.bounds[0])[1] = (p.bounds[1])[1] THEN NULL
        ELSE p.geojson::text
    END AS geojson
FROM place p JOIN entity e ON e.key = p.entity_key
WHERE p.term_key = $1::int AND true /* filter */
LIMIT $2::int;

-- name: next_candidates
-- As candidates, of the entities behind one. $4: the last one's key, $5: a key that none is behind.
SELECT e.key, (p.bounds[0])[0] AS lon, (p.bounds[0])[1] AS lat,
    CASE
        WHEN $3::bool AND (p.bounds[0])[0] = (p.bounds[1])[0] AND (p.bounds[0])[1] = (p.bounds[1])[1] THEN NULL
        ELSE p.geojson::text
    END AS geojson
FROM place p JOIN entity e ON e.key = p.entity_key
WHERE p.entity_key > $4::int AND p.entity_key <= $5::int AND p.term_key = $1::int AND true /* filter */
ORDER BY p.entity_key LIMIT $2::int;

-- name: places
-- Where entities stand. $1: the GeoProperty's term key, $2: entity keys.
SELECT p.entity_key, p.geojson::text AS geojson FROM place p
WHERE p.term_key = $1::int AND p.entity_key = ANY ($2::int[]);

-- name: try_patterns
-- Fails where one of these is no regular expression. $1: patterns.
SELECT count(*) FROM unnest($1::text[]) AS own (pattern) WHERE '' ~ own.pattern;

-- name: metas
-- Interned sub-attributes. $1: keys.
SELECT key, body FROM meta WHERE key = ANY ($1::int[]);

-- name: meta_keys
-- Keys of interned sub-attributes. $1: hashes.
SELECT key, hash FROM meta WHERE hash = ANY ($1::bytea[]);

-- name: intern_metas
-- Write sub-attributes down; those that stand already are left. $1: bodies, $2: hashes.
INSERT INTO meta (body, hash) SELECT * FROM unnest($1::jsonb[], $2::bytea[]) ON CONFLICT (hash) DO NOTHING;

-- name: types
-- The types of the entities that are there, with how many have each.
SELECT own.type_key, count(*) AS entities
FROM entity e CROSS JOIN unnest(e.types) AS own (type_key)
WHERE e.deleted_at IS NULL
GROUP BY own.type_key ORDER BY own.type_key;

-- name: attributes_of_types
-- The attributes that entities of each type have, with their kinds. $1: type keys, or null for all.
SELECT own.type_key, s.term_key, array_agg(DISTINCT a.kind) AS kinds, count(DISTINCT e.key) AS entities
FROM entity e
CROSS JOIN unnest(e.types) AS own (type_key)
JOIN series s ON s.entity_key = e.key AND s.parent_key IS NULL
JOIN attribute a ON a.series_key = s.key AND a.deleted_at IS NULL
WHERE e.deleted_at IS NULL AND ($1::int[] IS NULL OR own.type_key = ANY ($1::int[]))
GROUP BY own.type_key, s.term_key ORDER BY own.type_key, s.term_key;

-- name: types_of_attributes
-- The types of the entities that have each attribute. $1: term keys, or null for all.
SELECT s.term_key, array_agg(DISTINCT own.type_key) AS type_keys, array_agg(DISTINCT a.kind) AS kinds,
    count(DISTINCT s.key) AS instances
FROM series s
JOIN attribute a ON a.series_key = s.key AND a.deleted_at IS NULL
JOIN entity e ON e.key = s.entity_key AND e.deleted_at IS NULL
CROSS JOIN unnest(e.types) AS own (type_key)
WHERE s.parent_key IS NULL AND ($1::int[] IS NULL OR s.term_key = ANY ($1::int[]))
GROUP BY s.term_key ORDER BY s.term_key;
