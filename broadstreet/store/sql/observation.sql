-- The past of series, written and read. A range is half-open: from $from on, before $to.

-- name: lock_current
-- Lock the current values of series, in the order all writers do. $1: series keys, ascending.
SELECT series_key FROM attribute WHERE series_key = ANY ($1::int[]) ORDER BY series_key FOR NO KEY UPDATE;

-- name: overlaps
-- Whether anything stands in any of these spans. $1: series keys, $2: first times, $3: last times.
SELECT EXISTS (
    SELECT FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS span (series_key, first_at, last_at)
    WHERE EXISTS (
        SELECT FROM observation o
        WHERE o.series_key = span.series_key AND o.observed_at BETWEEN span.first_at AND span.last_at
    )
);

-- name: upsert
-- Insert what is new, correct what differs, leave what is the same; answers what was applied, by series.
-- $1: series keys, $2: times, $3: numbers, $4: values, $5: meta keys, all unique by (series, time); $6: origin, $7: now.
WITH applied AS (
    INSERT INTO observation AS o (series_key, observed_at, number, value, meta_key, origin_key)
    SELECT i.series_key, i.observed_at, i.number, i.value, i.meta_key, $6
    FROM unnest($1::int[], $2::timestamptz[], $3::float8[], $4::jsonb[], $5::int[])
        AS i (series_key, observed_at, number, value, meta_key)
    ON CONFLICT (series_key, observed_at, n) DO UPDATE SET
        number = excluded.number,
        value = excluded.value,
        meta_key = excluded.meta_key,
        origin_key = excluded.origin_key,
        modified_at = $7
    WHERE (o.number, o.value) IS DISTINCT FROM (excluded.number, excluded.value)
    RETURNING new.series_key, new.observed_at, old.series_key IS NULL AS fresh
)
SELECT
    series_key,
    count(*) FILTER (WHERE fresh) AS inserted,
    count(*) FILTER (WHERE NOT fresh) AS corrected,
    max(observed_at) AS newest
FROM applied
GROUP BY series_key;

-- name: make_current
-- Make observations current where they are not older than what is, and newer than a deletion; answers those that became
-- so. Parameters as for upsert, one row a series, ascending.
INSERT INTO attribute AS a (
    series_key, entity_key, term_key, dataset_id, meta_key, as_of, observed_at, created_at, modified_at, origin_key, number,
    value
)
SELECT i.series_key, s.entity_key, s.term_key, coalesce(s.dataset_id, ''), i.meta_key, i.observed_at, i.observed_at, $7, $7, $6, i.number,
    i.value
FROM unnest($1::int[], $2::timestamptz[], $3::float8[], $4::jsonb[], $5::int[])
    WITH ORDINALITY AS i (series_key, observed_at, number, value, meta_key, position)
LEFT JOIN series s ON s.key = i.series_key
ORDER BY i.position
ON CONFLICT (series_key) DO UPDATE SET
    meta_key = excluded.meta_key,
    as_of = excluded.as_of,
    observed_at = excluded.observed_at,
    created_at = CASE WHEN a.deleted_at IS NULL THEN a.created_at ELSE excluded.created_at END,
    modified_at = excluded.modified_at,
    deleted_at = NULL,
    origin_key = excluded.origin_key,
    number = excluded.number,
    value = excluded.value,
    is_fed = false,
    version = a.version + 1
WHERE excluded.as_of >= a.as_of AND (a.deleted_at IS NULL OR excluded.as_of > a.deleted_at)
RETURNING
    new.series_key, new.version, new.as_of, new.number, new.value, old.number AS old_number, old.value AS old_value,
    old.series_key IS NULL OR old.deleted_at IS NOT NULL AS created;

-- name: raise_versions
-- Attributes whose past changed but not their present. $1: series keys.
UPDATE attribute SET version = version + 1 WHERE series_key = ANY ($1::int[]);

-- name: existing
-- What stands at these moments. $1: series keys, $2: times. Answers the position (from 1) of each that is taken.
SELECT i.position, o.number, o.value, o.origin_key
FROM unnest($1::int[], $2::timestamptz[]) WITH ORDINALITY AS i (series_key, observed_at, position)
JOIN observation o ON o.series_key = i.series_key AND o.observed_at = i.observed_at AND o.n = 0;

-- name: points
-- A series' numbers in a range as two columns, oldest first; null where there are none. $1: series key, $2: from, $3: to,
-- $4: how many at most.
SELECT array_send(array_agg(observed_at)) AS times, array_send(array_agg(number)) AS numbers
FROM (
    SELECT observed_at, number
    FROM observation
    WHERE series_key = $1 AND observed_at >= $2 AND observed_at < $3 AND number IS NOT NULL
    ORDER BY observed_at, n
    LIMIT $4
) o;

-- name: numbers
-- Observations of several series in a range as columns, a row a series: `array_send` of times and of numbers, oldest first;
-- NaN stands where something else than a number is. The key's index alone answers it. $1: series keys, $2: from, $3: to,
-- $4: how many at most, of all together.
SELECT series_key, array_send(array_agg(observed_at)) AS times, array_send(array_agg(coalesce(number, 'NaN'))) AS numbers
FROM (
    SELECT series_key, observed_at, number
    FROM observation
    WHERE series_key = ANY ($1::int[]) AND observed_at >= $2 AND observed_at < $3
    ORDER BY series_key, observed_at, n
    LIMIT $4
) o
GROUP BY series_key
ORDER BY series_key;

-- name: numbers_if_told
-- The same in one statement and so of one moment, where no file holds anything of the range; `is_filed` says whether one does,
-- and nothing else is answered then. Parameters as for numbers.
SELECT f.is_filed, x.series_key, x.times, x.numbers
FROM (SELECT EXISTS (SELECT FROM past_file WHERE from_at < $3 AND to_at > $2) AS is_filed) f
LEFT JOIN LATERAL (
    SELECT series_key, array_send(array_agg(observed_at)) AS times,
        array_send(array_agg(coalesce(number, 'NaN'))) AS numbers
    FROM (
        SELECT series_key, observed_at, number
        FROM observation
        WHERE series_key = ANY ($1::int[]) AND observed_at >= $2 AND observed_at < $3
        ORDER BY series_key, observed_at, n
        LIMIT $4
    ) o
    GROUP BY series_key
) x ON NOT f.is_filed
ORDER BY x.series_key;

-- name: others
-- What is no number of the same rows, in the same order. Parameters as for numbers.
SELECT value
FROM observation
WHERE series_key = ANY ($1::int[]) AND observed_at >= $2 AND observed_at < $3 AND number IS NULL
ORDER BY series_key, observed_at, n;

-- name: oldest_first
-- Observations of several series in a range, by series, oldest first. $1: series keys, $2: from, $3: to, $4: how many
-- at most of each.
SELECT o.series_key, o.observed_at, o.number, o.value, o.meta_key, o.origin_key, o.modified_at, o.n
FROM unnest($1::int[]) WITH ORDINALITY AS s (key, position)
CROSS JOIN LATERAL (
    SELECT *
    FROM observation
    WHERE series_key = s.key AND observed_at >= $2 AND observed_at < $3
    ORDER BY observed_at, n
    LIMIT $4
) o
ORDER BY s.position, o.observed_at, o.n;

-- name: newest_first
-- As oldest_first, newest first.
SELECT o.series_key, o.observed_at, o.number, o.value, o.meta_key, o.origin_key, o.modified_at, o.n
FROM unnest($1::int[]) WITH ORDINALITY AS s (key, position)
CROSS JOIN LATERAL (
    SELECT *
    FROM observation
    WHERE series_key = s.key AND observed_at >= $2 AND observed_at < $3
    ORDER BY observed_at DESC, n DESC
    LIMIT $4
) o
ORDER BY s.position, o.observed_at DESC, o.n DESC;

-- name: count
-- How many observations each series has in a range, and the first and last of them; series with none are left out.
-- $1: series keys, $2: from, $3: to.
SELECT series_key, count(*) AS count, min(observed_at) AS first_at, max(observed_at) AS last_at
FROM observation
WHERE series_key = ANY ($1::int[]) AND observed_at >= $2 AND observed_at < $3
GROUP BY series_key;

-- name: firsts
-- When the oldest observation of each series that the table holds was made, or null. $1: series keys.
SELECT s.key, (SELECT min(observed_at) FROM observation WHERE series_key = s.key) AS first_at
FROM unnest($1::int[]) AS s (key);

-- name: written_by
-- Observations of series from a moment on that were written under origins of some kinds. $1: series keys, $2: kinds,
-- $3: from.
SELECT o.series_key, o.observed_at, o.number, o.value, o.meta_key, o.origin_key, o.modified_at, o.n
FROM observation o JOIN origin g ON g.key = o.origin_key
WHERE o.series_key = ANY ($1::int[]) AND o.observed_at >= $3 AND g.kind = ANY ($2::text[]);

-- name: origins_of_kind
-- Which of these origins are of some kinds. $1: their keys, $2: kinds.
SELECT key FROM origin WHERE key = ANY ($1::bigint[]) AND kind = ANY ($2::text[]);
