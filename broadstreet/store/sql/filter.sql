-- The leaves of an entity query: each answers the keys of the entities it holds for. `context/` joins them with AND and
-- OR as `entity.key IN (…)`, their parameters renumbered; no value ever becomes text of a query. Only attributes that
-- are there now count; several instances of an attribute hold if one does.

-- name: ids
-- Entities by id. $1: ids.
SELECT key FROM entity WHERE id = ANY ($1::text[]);

-- name: id_pattern
-- Entities whose id matches. $1: a regular expression.
SELECT key FROM entity WHERE id ~ $1::text;

-- name: types
-- Entities that have all of these types. $1: term keys.
SELECT key FROM entity WHERE types @> $1::int[];

-- name: scope
-- Entities with a scope that matches. $1: a regular expression.
SELECT key FROM entity WHERE EXISTS (SELECT FROM unnest(scopes) AS own (scope) WHERE own.scope ~ $1::text);

-- name: attributes
-- Entities that have any of these attributes. $1: term keys.
SELECT s.entity_key FROM series s JOIN attribute a ON a.series_key = s.key
WHERE s.term_key = ANY ($1::int[]) AND s.parent_key IS NULL AND a.deleted_at IS NULL;

-- name: number
-- The attribute's number lies within one of some ranges; of a list, one of its items does. $1: term key, $2: lower ends,
-- $3: upper ends, both included; $4: the same as a jsonpath predicate, $5: its variables.
SELECT s.entity_key FROM series s JOIN attribute a ON a.series_key = s.key
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL
  AND CASE
      WHEN a.number IS NOT NULL THEN EXISTS (
          SELECT FROM unnest($2::float8[], $3::float8[]) AS ranges (low, high) WHERE a.number BETWEEN low AND high
      )
      ELSE jsonb_path_match(a.value, $4::jsonpath, $5::jsonb, true)
  END;

-- name: value
-- The attribute's value satisfies a predicate. $1: term key, $2: a jsonpath predicate over the value, $3: its variables,
-- $4: whether relationships count.
SELECT s.entity_key FROM series s JOIN attribute a ON a.series_key = s.key
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL AND ($4::bool OR a.kind NOT IN (2, 7))
  AND jsonb_path_match_tz(coalesce(to_jsonb(a.number), a.value), $2::jsonpath, $3::jsonb, true);

-- name: sub_attribute
-- The attribute's sub-attributes satisfy a predicate. $1: term key, $2: a jsonpath predicate over them, $3: its variables.
SELECT s.entity_key FROM series s JOIN attribute a ON a.series_key = s.key JOIN meta m ON m.key = a.meta_key
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL
  AND jsonb_path_match_tz(m.body, $2::jsonpath, $3::jsonb, true);

-- name: linked
-- The attribute is a relationship that leads to an entity for which the clause put in here holds. $1: term key.
SELECT s.entity_key FROM series s JOIN attribute a ON a.series_key = s.key
CROSS JOIN LATERAL jsonb_path_query(a.value, 'lax $[*]') AS own (target)
JOIN entity e ON e.id = own.target #>> '{}'
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL AND a.kind IN (2, 7)
  AND true /* filter */;

-- name: moment
-- A time of the attribute lies within one of some ranges. $1: term key, $2: lower ends, $3: upper ends, both included,
-- $4: which time (observed, created, modified), $5: false to ask for the contrary.
SELECT s.entity_key FROM series s JOIN attribute a ON a.series_key = s.key
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL
  AND $5::bool = EXISTS (
      SELECT FROM unnest($2::timestamptz[], $3::timestamptz[]) AS ranges (low, high)
      WHERE CASE $4::text WHEN 'observed' THEN a.observed_at WHEN 'created' THEN a.created_at ELSE a.modified_at END
          BETWEEN low AND high
  )
  AND ($4::text <> 'observed' OR a.observed_at IS NOT NULL);

-- name: entity_moment
-- A time of the entity lies within one of some ranges. $1: lower ends, $2: upper ends, both included, $3: which time
-- (created, modified), $4: false to ask for the contrary.
SELECT e.key FROM entity e
WHERE $4::bool = EXISTS (
    SELECT FROM unnest($1::timestamptz[], $2::timestamptz[]) AS ranges (low, high)
    WHERE CASE $3::text
        WHEN 'created' THEN e.created_at
        ELSE greatest(e.modified_at, (
            SELECT max(a.modified_at) FROM series s JOIN attribute a ON a.series_key = s.key WHERE s.entity_key = e.key
        ))
    END BETWEEN low AND high
);

-- name: near_box
-- Entities with this GeoProperty whose box meets another. $1: term key, $2 to $5: west, south, east, north.
SELECT p.entity_key FROM place p WHERE p.term_key = $1::int
  AND p.bounds && box(point($2::float8, $3::float8), point($4::float8, $5::float8));
