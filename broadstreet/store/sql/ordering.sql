-- What entities are ordered by: each is an expression over `entity e`, a row of (sort of value, number, text), so that values of
-- different sorts keep apart. `context/` puts them behind ORDER BY, their parameters renumbered; no value becomes text of a query.

-- name: id
-- The entity's id.
SELECT ROW (1, NULL::numeric, e.id);

-- name: type
-- The first of its types, by letter.
SELECT ROW (1, NULL::numeric, min(t.iri)) FROM term t WHERE t.key = ANY (e.types);

-- name: entity_moment
-- When it was created or changed. $1: which time (created, modified).
SELECT ROW (0, extract(epoch FROM CASE $1::text
    WHEN 'created' THEN e.created_at
    ELSE greatest(e.modified_at, (
        SELECT max(a.modified_at) FROM series s JOIN attribute a ON a.series_key = s.key WHERE s.entity_key = e.key
    ))
END), NULL::text);

-- name: moment
-- A time of an attribute, of its default instance where there are several. $1: term key, $2: which time.
SELECT ROW (0, extract(epoch FROM
    CASE $2::text WHEN 'observed' THEN a.observed_at WHEN 'created' THEN a.created_at ELSE a.modified_at END
), NULL::text)
FROM series s JOIN attribute a ON a.series_key = s.key
WHERE s.entity_key = e.key AND s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL
ORDER BY s.dataset_id LIMIT 1;

-- name: value
-- An attribute's value, or what stands within it. $1: term key, $2: a jsonpath.
SELECT ROW (
    array_position(ARRAY['number', 'string', 'boolean', 'object', 'array'], jsonb_typeof(v)),
    CASE WHEN jsonb_typeof(v) = 'number' THEN v::numeric END,
    CASE WHEN jsonb_typeof(v) <> 'number' THEN v #>> '{}' END
)
FROM series s JOIN attribute a ON a.series_key = s.key
CROSS JOIN LATERAL jsonb_path_query_first(coalesce(to_jsonb(a.number), a.value), $2::jsonpath) AS v
WHERE s.entity_key = e.key AND s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL AND v IS NOT NULL
ORDER BY s.dataset_id LIMIT 1;

-- name: sub_attribute
-- A sub-attribute's value, or what stands within it. $1: term key, $2: jsonpaths of which one leads there.
SELECT ROW (
    array_position(ARRAY['number', 'string', 'boolean', 'object', 'array'], jsonb_typeof(v)),
    CASE WHEN jsonb_typeof(v) = 'number' THEN v::numeric END,
    CASE WHEN jsonb_typeof(v) <> 'number' THEN v #>> '{}' END
)
FROM series s JOIN attribute a ON a.series_key = s.key JOIN meta m ON m.key = a.meta_key
CROSS JOIN LATERAL (SELECT jsonb_path_query_first(m.body, p) FROM unnest($2::jsonpath[]) AS p) AS found (v)
WHERE s.entity_key = e.key AND s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL AND v IS NOT NULL
ORDER BY s.dataset_id LIMIT 1;
