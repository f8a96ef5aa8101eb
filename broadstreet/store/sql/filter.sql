-- The leaves of an entity query: each answers the keys of the entities it holds for. `context/` joins them with AND and
-- OR as `entity.key IN (…)`, their parameters renumbered; no value ever becomes text of a query. Only attributes that
-- are there now count; several instances of an attribute hold if one does.

-- name: ids
-- Entities by id. $1: ids.
SELECT e.key FROM entity e
WHERE e.id = ANY ($1::text[]);

-- name: id_pattern
-- Entities whose id matches. $1: a regular expression.
SELECT e.key FROM entity e
WHERE e.id ~ $1::text;

-- name: types
-- Entities that have all of these types. $1: term keys.
SELECT e.key FROM entity e
WHERE e.types @> $1::int[];

-- name: scope
-- Entities with a scope that matches. $1: a regular expression.
SELECT e.key FROM entity e
WHERE EXISTS (SELECT FROM unnest(e.scopes) AS own (scope) WHERE own.scope ~ $1::text);

-- name: scope_below
-- The same by an index, of a pattern that begins with whole levels. $1: a regular expression, $2: those levels.
SELECT e.key FROM entity e
WHERE e.scopes <> '{}' AND scopes_above(e.scopes) @> ARRAY[$2::text]
  AND EXISTS (SELECT FROM unnest(e.scopes) AS own (scope) WHERE own.scope ~ $1::text);

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
-- $4: whether relationships count, $5: whether texts in any language do, where there are several.
SELECT s.entity_key FROM series s JOIN attribute a ON a.series_key = s.key
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND a.deleted_at IS NULL AND ($4::bool OR a.kind NOT IN (2, 7))
  AND jsonb_path_match_tz(
      CASE WHEN a.kind = 3 AND $5::bool THEN jsonb_path_query_array(a.value, 'lax $.*[*]')
      ELSE coalesce(to_jsonb(a.number), a.value) END,
      $2::jsonpath, $3::jsonb, true
  );

-- name: placed_number
-- As number, of one range, by where values stand. $1, $2: the places of its ends, $3: places to look besides, $4, $5: its ends,
-- $6: the same as a jsonpath predicate, $7: its variables. Here and below: places are compared again before the value is looked
-- at, since PostgreSQL would take the value for the cheaper thing to look at.
SELECT a.entity_key FROM attribute a
WHERE a.deleted_at IS NULL AND (
    a.value_place >= $1::bytea AND a.value_place <= $2::bytea OR a.value_place = ANY ($3::bytea[])
) AND CASE
    WHEN (a.value_place < $1::bytea OR a.value_place > $2::bytea) AND a.value_place <> ALL ($3::bytea[]) THEN false
    WHEN a.number IS NOT NULL THEN a.number BETWEEN $4::float8 AND $5::float8
    ELSE jsonb_path_match(a.value, $6::jsonpath, $7::jsonb, true)
END;

-- name: placed_at
-- As value, where it stands in one of some places. $1: places, $2: places to look besides, $3, $4: from where to where to look
-- besides, the end not included, $5: a jsonpath predicate, $6: its variables, $7: whether relationships count, $8: whether
-- whatever stands in one of the places satisfies it, $9: whether texts in any language count, where there are several.
SELECT a.entity_key FROM attribute a
WHERE a.deleted_at IS NULL AND (
    a.value_place = ANY ($1::bytea[] || $2::bytea[]) OR a.value_place >= $3::bytea AND a.value_place < $4::bytea
) AND ($7::bool OR a.kind NOT IN (2, 7)) AND CASE
    WHEN a.value_place = ANY ($1::bytea[]) AND $8::bool THEN true
    WHEN (a.value_place < $3::bytea OR a.value_place >= $4::bytea) AND a.value_place <> ALL ($1::bytea[] || $2::bytea[])
        THEN false
    ELSE jsonb_path_match_tz(
        CASE WHEN a.kind = 3 AND $9::bool THEN jsonb_path_query_array(a.value, 'lax $.*[*]')
        ELSE coalesce(to_jsonb(a.number), a.value) END,
        $5::jsonpath, $6::jsonb, true
    )
END;

-- name: placed_within
-- As value, where it stands within one of two stretches. $1, $2: the first, $3, $4: the second, its end not included, $5: places
-- to look besides, $6: a jsonpath predicate, $7: its variables, $8: whether relationships count, $9: whether whatever stands
-- within the first stretch satisfies it.
SELECT a.entity_key FROM attribute a
WHERE a.deleted_at IS NULL AND (
    a.value_place >= $1::bytea AND a.value_place <= $2::bytea OR a.value_place >= $3::bytea AND a.value_place < $4::bytea
    OR a.value_place = ANY ($5::bytea[])
) AND ($8::bool OR a.kind NOT IN (2, 7)) AND CASE
    WHEN $9::bool AND a.value_place >= $1::bytea AND a.value_place <= $2::bytea THEN true
    WHEN (a.value_place < $1::bytea OR a.value_place > $2::bytea) AND (a.value_place < $3::bytea OR a.value_place >= $4::bytea)
        AND a.value_place <> ALL ($5::bytea[]) THEN false
    ELSE jsonb_path_match_tz(
        CASE WHEN a.kind = 3 THEN jsonb_path_query_array(a.value, 'lax $.*[*]')
        ELSE coalesce(to_jsonb(a.number), a.value) END,
        $6::jsonpath, $7::jsonb, true
    )
END;

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

-- name: box_meets
-- Places whose box meets another, by the index of boxes. $1 to $4: west, south, east, north.
SELECT p.entity_key FROM place p
WHERE p.bounds && box(point($1::float8, $2::float8), point($3::float8, $4::float8));

-- name: box_not_apart
-- The same for one place after the other: said so that no index is looked for. Parameters as for box_meets.
SELECT p.entity_key FROM place p
WHERE NOT (
    p.bounds << box(point($1::float8, $2::float8), point($3::float8, $4::float8))
    OR p.bounds >> box(point($1::float8, $2::float8), point($3::float8, $4::float8))
    OR p.bounds <<| box(point($1::float8, $2::float8), point($3::float8, $4::float8))
    OR p.bounds |>> box(point($1::float8, $2::float8), point($3::float8, $4::float8))
);
