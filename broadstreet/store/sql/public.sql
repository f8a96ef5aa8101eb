-- What the page for everyone shows. Asked of the views of a part of a tenant (reach.0000.sql), never of its tables.

-- name: entities
-- What is shown. $1: how many at most.
SELECT key, id, types FROM entity ORDER BY key LIMIT $1;

-- name: values
-- What is shown of it, each with its item and, of a place, where it is. $1: entity keys.
SELECT s.entity_key, s.item, s.term_key, a.kind, a.number, a.value, a.observed_at, m.body ->> 'unitCode' AS unit,
       here.lon, here.lat
FROM seen s
JOIN attribute a ON a.series_key = s.key
LEFT JOIN meta m ON m.key = a.meta_key
LEFT JOIN LATERAL (
    SELECT (center(p.bounds))[0] AS lon, (center(p.bounds))[1] AS lat FROM place p WHERE p.series_key = s.key
) here ON a.kind = 1
WHERE s.entity_key = ANY ($1::int[]) AND s.dataset_id = ''
ORDER BY s.entity_key, s.key;

-- name: sources
-- The datasets that items show something of, and who answers for them.
SELECT DISTINCT s.item, d.title, d.owner
FROM seen s JOIN dataset d ON d.key = s.dataset_key
ORDER BY s.item, d.title;

-- name: series
-- One series that is shown, and its unit. $1: the entity's id, $2: the attribute's IRI.
SELECT s.key, s.item, m.body ->> 'unitCode' AS unit
FROM seen s
LEFT JOIN attribute a ON a.series_key = s.key
LEFT JOIN meta m ON m.key = a.meta_key
WHERE s.entity_key = (SELECT key FROM entity WHERE id = $1) AND s.term_key = (SELECT key FROM term WHERE iri = $2)
  AND s.dataset_id = '';
