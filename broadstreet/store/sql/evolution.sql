-- Entities' attributes over time, for NGSI-LD; observations themselves are read by history/.

-- name: series
-- The series of entities, deleted attributes' as well, with what their attribute is now. $1: entity keys, $2: term keys of
-- the attributes, or null for all.
SELECT s.entity_key, s.key, s.term_key, s.dataset_id, a.kind, a.version
FROM series s JOIN attribute a ON a.series_key = s.key
WHERE s.entity_key = ANY ($1::int[]) AND s.parent_key IS NULL AND ($2::int[] IS NULL OR s.term_key = ANY ($2::int[]))
ORDER BY s.entity_key, s.key;

-- name: entity
-- An entity by its id, one that was deleted as well. $1: id.
SELECT key, id, types, scopes, created_at, modified_at FROM entity WHERE id = $1;

-- name: entities
-- Entities by their keys, in that order. $1: keys.
SELECT e.key, e.id, e.types, e.scopes, e.created_at, e.modified_at
FROM unnest($1::int[]) WITH ORDINALITY AS wanted (key, place) JOIN entity e ON e.key = wanted.key
ORDER BY wanted.place;

-- name: recorded
-- Observations by when they were written, in that order. $1: series keys, $2: from, $3: to, $4: how many at most of each,
-- and those of the same moment as the last of them, $5: true for when they came first, false for when they were changed
-- last, $6: whether to begin with the newest.
SELECT o.series_key, o.observed_at, o.n, o.number, o.value, o.meta_key, o.recorded_at, o.modified_at
FROM unnest($1::int[]) WITH ORDINALITY AS s (key, position)
CROSS JOIN LATERAL (
    SELECT b.series_key, b.observed_at, b.number, b.value, b.meta_key, b.n, g.at AS recorded_at,
        coalesce(b.modified_at, g.at) AS modified_at, CASE WHEN $5::bool THEN g.at ELSE coalesce(b.modified_at, g.at) END AS at
    FROM observation b JOIN origin g ON g.key = b.origin_key
    WHERE b.series_key = s.key
      AND CASE WHEN $5::bool THEN g.at ELSE coalesce(b.modified_at, g.at) END >= $2
      AND CASE WHEN $5::bool THEN g.at ELSE coalesce(b.modified_at, g.at) END < $3
    ORDER BY CASE WHEN $6::bool THEN -1 ELSE 1 END
        * extract(epoch FROM CASE WHEN $5::bool THEN g.at ELSE coalesce(b.modified_at, g.at) END)
    FETCH FIRST ($4::bigint) ROWS WITH TIES
) o
ORDER BY s.position, o.at, o.observed_at, o.n;

-- name: origins
-- When origins wrote. $1: their keys.
SELECT key, at FROM origin WHERE key = ANY ($1::bigint[]);
