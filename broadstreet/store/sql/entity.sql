-- Entities and their attributes as they are now. `true /* filter */` is where context/ puts a query's own clause.

-- name: entity
-- One entity that is there, a row for each of its attribute instances, the first of which says what the entity is; one row
-- where it has none. $1: id, $2: whether times of creation and change are wanted.
SELECT CASE WHEN a.place > 1 THEN NULL ELSE e.key END AS key, CASE WHEN a.place > 1 THEN NULL ELSE e.id END AS id,
    CASE WHEN a.place > 1 THEN NULL ELSE e.types END AS types,
    CASE WHEN a.place > 1 THEN NULL ELSE e.scopes END AS scopes,
    CASE WHEN a.place > 1 THEN NULL ELSE e.created_at END AS created_at,
    CASE WHEN a.place > 1 THEN NULL ELSE e.modified_at END AS modified_at,
    CASE WHEN a.place > 1 THEN NULL ELSE e.expires_at END AS expires_at,
    a.series_key, a.term_key, a.dataset_id, a.kind, a.meta_key, a.number, a.value, a.observed_at,
    a.attribute_created_at, a.attribute_modified_at
FROM entity e
LEFT JOIN LATERAL (
    SELECT row_number() OVER (ORDER BY s.key) AS place, s.key AS series_key, s.term_key, s.dataset_id, a.kind, a.meta_key,
        a.number, a.value::text AS value, a.observed_at, CASE WHEN $2::bool THEN a.created_at END AS attribute_created_at,
        CASE WHEN $2::bool THEN a.modified_at END AS attribute_modified_at
    FROM series s JOIN attribute a ON a.series_key = s.key
    WHERE s.entity_key = e.key AND s.parent_key IS NULL AND a.deleted_at IS NULL
) a ON true
WHERE e.id = $1 AND e.deleted_at IS NULL
ORDER BY a.place;

-- name: entities
-- As `entity`, for several, one after the other. $1: keys, $2: whether times of creation and change are wanted.
SELECT CASE WHEN a.place > 1 THEN NULL ELSE e.key END AS key, CASE WHEN a.place > 1 THEN NULL ELSE e.id END AS id,
    CASE WHEN a.place > 1 THEN NULL ELSE e.types END AS types,
    CASE WHEN a.place > 1 THEN NULL ELSE e.scopes END AS scopes,
    CASE WHEN a.place > 1 THEN NULL ELSE e.created_at END AS created_at,
    CASE WHEN a.place > 1 THEN NULL ELSE e.modified_at END AS modified_at,
    CASE WHEN a.place > 1 THEN NULL ELSE e.expires_at END AS expires_at,
    a.series_key, a.term_key, a.dataset_id, a.kind, a.meta_key, a.number, a.value, a.observed_at,
    a.attribute_created_at, a.attribute_modified_at
FROM unnest($1::int[]) WITH ORDINALITY AS wanted (key, position)
JOIN entity e ON e.key = wanted.key
LEFT JOIN LATERAL (
    SELECT row_number() OVER (ORDER BY s.key) AS place, s.key AS series_key, s.term_key, s.dataset_id, a.kind, a.meta_key,
        a.number, a.value::text AS value, a.observed_at, CASE WHEN $2::bool THEN a.created_at END AS attribute_created_at,
        CASE WHEN $2::bool THEN a.modified_at END AS attribute_modified_at
    FROM series s JOIN attribute a ON a.series_key = s.key
    WHERE s.entity_key = e.key AND s.parent_key IS NULL AND a.deleted_at IS NULL
) a ON true
WHERE e.deleted_at IS NULL
ORDER BY wanted.position, a.place;

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
-- Entities with the geometries to be measured. $1: the GeoProperty's term key, $2: how many at most.
SELECT e.key, p.geojson::text AS geojson FROM entity e JOIN place p ON p.entity_key = e.key
WHERE p.term_key = $1::int AND true /* filter */
ORDER BY /* order */ e.key LIMIT $2::int;

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
