-- The leaves of a query for entities over time: what filter.sql asks of attributes as they are now, asked of what was told
-- of them within a stretch of time (5.7.4 of the standard). `told /* past */` stands for one of the sources below, with what
-- files hold; `tabled /* past */` for the same without. A leaf that is not here is the same for both; the others have the
-- parameters of their namesakes there.

-- name: observed
-- What the table holds of a stretch, by when it was observed. $1: from, $2: to, $3: when the first of it was observed.
SELECT o.series_key, o.observed_at, o.number, o.value, o.meta_key, o.origin_key, o.modified_at
FROM observation o WHERE o.observed_at >= greatest($1::timestamptz, $3::timestamptz) AND o.observed_at < $2::timestamptz;

-- name: created
-- By when it came. $1: from, $2: to, $3: when the first of it was observed.
SELECT o.series_key, o.observed_at, o.number, o.value, o.meta_key, o.origin_key, o.modified_at
FROM observation o JOIN origin g ON g.key = o.origin_key
WHERE o.observed_at >= $3::timestamptz AND g.at >= $1::timestamptz AND g.at < $2::timestamptz;

-- name: modified
-- By when it was changed last. Parameters as for created.
SELECT o.series_key, o.observed_at, o.number, o.value, o.meta_key, o.origin_key, o.modified_at
FROM observation o JOIN origin g ON g.key = o.origin_key
WHERE o.observed_at >= $3::timestamptz AND coalesce(o.modified_at, g.at) >= $1::timestamptz
  AND coalesce(o.modified_at, g.at) < $2::timestamptz;

-- name: filed
-- What files hold of it. $1: series keys, $2: times, $3: numbers, $4: values, $5: meta keys, $6: origins, $7: when each was
-- corrected.
SELECT * FROM unnest(
    $1::int[], $2::timestamptz[], $3::float8[], $4::jsonb[], $5::int[], $6::bigint[], $7::timestamptz[]
) AS f (series_key, observed_at, number, value, meta_key, origin_key, modified_at);

-- name: told
-- Entities of which anything was told. $1: term keys of the attributes that count, or null for all, $2: likewise their
-- datasetIds.
SELECT s.entity_key FROM series s
WHERE s.parent_key IS NULL AND ($1::int[] IS NULL OR s.term_key = ANY ($1::int[]))
  AND ($2::text[] IS NULL OR s.dataset_id = ANY ($2::text[]))
  AND EXISTS (SELECT FROM tabled /* past */ o WHERE o.series_key = s.key);

-- name: told_or_filed
-- As told, or of which files hold something. $3: those series.
SELECT s.entity_key FROM series s
WHERE s.parent_key IS NULL AND ($1::int[] IS NULL OR s.term_key = ANY ($1::int[]))
  AND ($2::text[] IS NULL OR s.dataset_id = ANY ($2::text[]))
  AND (s.key = ANY ($3::int[]) OR EXISTS (SELECT FROM tabled /* past */ o WHERE o.series_key = s.key));

-- name: attributes
-- Entities of which any of these attributes was told. $1: term keys.
SELECT s.entity_key FROM series s
WHERE s.term_key = ANY ($1::int[]) AND s.parent_key IS NULL
  AND EXISTS (SELECT FROM told /* past */ o WHERE o.series_key = s.key);

-- name: number
-- As in filter.sql.
SELECT s.entity_key FROM series s
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND EXISTS (
    SELECT FROM told /* past */ o
    WHERE o.series_key = s.key AND CASE
        WHEN o.number IS NOT NULL THEN EXISTS (
            SELECT FROM unnest($2::float8[], $3::float8[]) AS ranges (low, high) WHERE o.number BETWEEN low AND high
        )
        ELSE jsonb_path_match(o.value, $4::jsonpath, $5::jsonb, true)
    END
);

-- name: value
-- As in filter.sql.
SELECT s.entity_key FROM series s JOIN attribute a ON a.series_key = s.key
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND ($4::bool OR a.kind NOT IN (2, 7)) AND EXISTS (
    SELECT FROM told /* past */ o
    WHERE o.series_key = s.key
      AND jsonb_path_match_tz(
          CASE WHEN a.kind = 3 AND $5::bool THEN jsonb_path_query_array(o.value, 'lax $.*[*]')
          ELSE coalesce(to_jsonb(o.number), o.value) END,
          $2::jsonpath, $3::jsonb, true
      )
);

-- name: sub_attribute
-- As in filter.sql.
SELECT s.entity_key FROM series s
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND EXISTS (
    SELECT FROM told /* past */ o JOIN meta m ON m.key = o.meta_key
    WHERE o.series_key = s.key AND jsonb_path_match_tz(m.body, $2::jsonpath, $3::jsonb, true)
);

-- name: moment
-- As in filter.sql; every instance was observed at a time.
SELECT s.entity_key FROM series s
WHERE s.term_key = $1::int AND s.parent_key IS NULL AND EXISTS (
    SELECT FROM told /* past */ o LEFT JOIN origin g ON g.key = o.origin_key
    WHERE o.series_key = s.key AND $5::bool = EXISTS (
        SELECT FROM unnest($2::timestamptz[], $3::timestamptz[]) AS ranges (low, high)
        WHERE CASE $4::text
            WHEN 'observed' THEN o.observed_at WHEN 'created' THEN g.at ELSE coalesce(o.modified_at, g.at)
        END BETWEEN low AND high
    )
);

-- name: geometries
-- Entities with the geometries to be measured. $1: the GeoProperty's term key, $2: how many at most.
SELECT e.key, o.value::text AS geojson
FROM entity e
JOIN series s ON s.entity_key = e.key AND s.term_key = $1::int AND s.parent_key IS NULL
JOIN attribute a ON a.series_key = s.key AND a.kind = 1
JOIN told /* past */ o ON o.series_key = s.key
WHERE o.value ? 'coordinates' AND true /* filter */
ORDER BY /* order */ e.key LIMIT $2::int;

-- name: series
-- The series of attributes of entities. $1: term keys, or null for all, $2: how many at most.
SELECT s.key FROM entity e JOIN series s ON s.entity_key = e.key
WHERE s.parent_key IS NULL AND ($1::int[] IS NULL OR s.term_key = ANY ($1::int[])) AND true /* filter */
LIMIT $2::int;

-- name: deleted
-- Attributes that were deleted within a stretch. Parameters as for observed.
SELECT d.series_key, d.deleted_at AS observed_at, NULL::float8 AS number, NULL::jsonb AS value, NULL::int AS meta_key,
    d.origin_key, NULL::timestamptz AS modified_at
FROM deletion d WHERE d.deleted_at >= greatest($1::timestamptz, $3::timestamptz) AND d.deleted_at < $2::timestamptz;

-- name: scoped
-- Entities that had scopes, valid within a stretch, of which an expression holds: `true /* scopes */`. $1: from, $2: to.
SELECT c.entity_key FROM scoped c
WHERE c.observed_at < $2::timestamptz AND true /* scopes */ AND NOT EXISTS (
    SELECT FROM scoped later
    WHERE later.entity_key = c.entity_key AND later.observed_at > c.observed_at AND later.observed_at <= $1::timestamptz
);

-- name: scope_leaf
-- Whether one of a row's scopes matches. $1: a regular expression.
SELECT EXISTS (SELECT FROM unnest(c.scopes) AS own (scope) WHERE own.scope ~ $1::text);
