-- What ranges of the past amount to. A range is half-open: from $from on, before $to.

-- name: by_period
-- The aggregates of clause 4.5.19 of ETSI GS CIM 009, by series and period; periods with nothing in them are left out.
-- A boolean counts as 1 or 0, an array as its length; texts have a least and a greatest only.
-- $1: series keys, $2: the periods' edges, ascending, $3: from, $4: to.
SELECT
    series_key,
    width_bucket(observed_at, $2::timestamptz[]) AS period,
    count(*) AS "totalCount",
    sum(x) AS sum,
    avg(x) AS avg,
    min(x) AS min,
    max(x) AS max,
    stddev_samp(x) AS stddev,
    sum(x * x) AS sumsq,
    min(text) AS min_text,
    max(text) AS max_text
FROM (
    SELECT
        series_key,
        observed_at,
        CASE
            WHEN value IS NULL THEN number
            WHEN jsonb_typeof(value) = 'boolean' THEN value::boolean::int
            WHEN jsonb_typeof(value) = 'array' THEN jsonb_array_length(value)
        END AS x,
        CASE WHEN jsonb_typeof(value) = 'string' THEN value #>> '{}' END COLLATE "C" AS text
    FROM observation
    WHERE series_key = ANY ($1::int[]) AND observed_at >= $3 AND observed_at < $4
) AS o
GROUP BY series_key, period
ORDER BY series_key, period;

-- name: distinct_by_period
-- How many different values each series has in each period. Parameters as for by_period.
SELECT
    series_key,
    width_bucket(observed_at, $2::timestamptz[]) AS period,
    count(DISTINCT number) + count(DISTINCT value) + max((number IS NULL AND value IS NULL)::int) AS "distinctCount"
FROM observation
WHERE series_key = ANY ($1::int[]) AND observed_at >= $3 AND observed_at < $4
GROUP BY series_key, period
ORDER BY series_key, period;

-- name: hourly_means
-- Means of numbers by series and hour. $1: series keys, $2: from (a whole hour), $3: to.
SELECT series_key, date_bin('1 hour', observed_at, $2) AS hour, avg(number) AS mean
FROM observation
WHERE series_key = ANY ($1::int[]) AND observed_at >= $2 AND observed_at < $3 AND number IS NOT NULL
GROUP BY series_key, hour;

-- name: rank_max
-- Entities by the greatest number of an attribute in a range, and when it was first reached. $1: term key, $2: from,
-- $3: to, $4: how many.
SELECT e.key AS entity_key, e.id, s.key AS series_key, o.number AS value, o.observed_at AS at
FROM series s
JOIN entity e ON e.key = s.entity_key AND e.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT number, observed_at
    FROM observation
    WHERE series_key = s.key AND observed_at >= $2 AND observed_at < $3 AND number IS NOT NULL
    ORDER BY number DESC, observed_at
    LIMIT 1
) o
WHERE s.term_key = $1 AND s.parent_key IS NULL
ORDER BY o.number DESC, e.id
LIMIT $4;

-- name: rank_min
-- As rank_max, by the least number, least first.
SELECT e.key AS entity_key, e.id, s.key AS series_key, o.number AS value, o.observed_at AS at
FROM series s
JOIN entity e ON e.key = s.entity_key AND e.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT number, observed_at
    FROM observation
    WHERE series_key = s.key AND observed_at >= $2 AND observed_at < $3 AND number IS NOT NULL
    ORDER BY number, observed_at
    LIMIT 1
) o
WHERE s.term_key = $1 AND s.parent_key IS NULL
ORDER BY o.number, e.id
LIMIT $4;

-- name: rank_mean
-- As rank_max, by the mean; `at` is the newest observation's time.
SELECT e.key AS entity_key, e.id, s.key AS series_key, o.value, o.at
FROM series s
JOIN entity e ON e.key = s.entity_key AND e.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT avg(number) AS value, max(observed_at) AS at
    FROM observation
    WHERE series_key = s.key AND observed_at >= $2 AND observed_at < $3 AND number IS NOT NULL
    HAVING count(*) > 0
) o
WHERE s.term_key = $1 AND s.parent_key IS NULL
ORDER BY o.value DESC, e.id
LIMIT $4;

-- name: rank_last
-- As rank_max, by the newest number in the range.
SELECT e.key AS entity_key, e.id, s.key AS series_key, o.number AS value, o.observed_at AS at
FROM series s
JOIN entity e ON e.key = s.entity_key AND e.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT number, observed_at
    FROM observation
    WHERE series_key = s.key AND observed_at >= $2 AND observed_at < $3 AND number IS NOT NULL
    ORDER BY observed_at DESC, n DESC
    LIMIT 1
) o
WHERE s.term_key = $1 AND s.parent_key IS NULL
ORDER BY o.number DESC, e.id
LIMIT $4;
