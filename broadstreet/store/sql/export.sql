-- What is taken away in bulk: series with what people call them, and the newest values of entities.

-- name: series
-- The series of some entities, by entity, with what is known of each. $1: entity keys, $2: term keys of attributes, or null
-- for all, $3: the id of the dataset they belong to, or null; $4 and $5: term keys of an entity's name and its address.
SELECT s.key, e.id, e.types[1] AS type_key, s.term_key, s.dataset_id, d.id AS dataset, d.simulated, a.meta_key,
    (
        SELECT coalesce(to_jsonb(b.number), b.value) FROM series t JOIN attribute b ON b.series_key = t.key
        WHERE t.entity_key = e.key AND t.term_key = $4 AND t.parent_key IS NULL AND b.deleted_at IS NULL LIMIT 1
    ) AS name,
    (
        SELECT b.value FROM series t JOIN attribute b ON b.series_key = t.key
        WHERE t.entity_key = e.key AND t.term_key = $5 AND t.parent_key IS NULL AND b.deleted_at IS NULL LIMIT 1
    ) AS address
FROM unnest($1::int[]) AS wanted (key)
JOIN entity e ON e.key = wanted.key
JOIN series s ON s.entity_key = e.key AND s.parent_key IS NULL
LEFT JOIN dataset d ON d.key = s.dataset_key
LEFT JOIN attribute a ON a.series_key = s.key
WHERE ($2::int[] IS NULL OR s.term_key = ANY ($2::int[])) AND ($3::text IS NULL OR d.id = $3)
ORDER BY s.key;

-- name: newest
-- What series hold now, with who wrote it. $1: series keys.
SELECT a.series_key, a.kind, a.number, a.value, a.meta_key, a.observed_at, a.modified_at, g.kind AS origin
FROM attribute a LEFT JOIN origin g ON g.key = a.origin_key
WHERE a.series_key = ANY ($1::int[]) AND a.deleted_at IS NULL
ORDER BY a.series_key;

-- name: places
-- Where entities stand. $1: entity keys, $2: the GeoProperty's term key.
SELECT e.id, p.geojson FROM place p JOIN entity e ON e.key = p.entity_key
WHERE p.entity_key = ANY ($1::int[]) AND p.term_key = $2
ORDER BY p.series_key;

-- name: metas
-- Interned sub-attributes. $1: keys.
SELECT key, body FROM meta WHERE key = ANY ($1::int[]);
