-- What ranges of the past amount to. A range is half-open: from $from on, before $to.

-- name: sums_by_period
-- How many numbers an attribute of all entities has in each period, and their sum; periods without any are left out. Each
-- (series, period) is one short walk along the key's index, which holds the number. $1: term key, $2: the periods' starts,
-- $3: their ends.
SELECT p.place, sum(x.count)::bigint AS count, sum(x.sum) AS sum
FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS p (from_at, to_at, place)
CROSS JOIN series s
CROSS JOIN LATERAL (
    SELECT count(number) AS count, sum(number) AS sum
    FROM observation
    WHERE series_key = s.key AND observed_at >= p.from_at AND observed_at < p.to_at
) x
WHERE s.term_key = $1 AND s.parent_key IS NULL
GROUP BY p.place
HAVING sum(x.count) > 0
ORDER BY p.place;

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

-- name: series_to_rank
-- The series of an attribute of entities that are there. $1: term key.
SELECT e.key AS entity_key, e.id, s.key AS series_key
FROM series s JOIN entity e ON e.key = s.entity_key AND e.deleted_at IS NULL
WHERE s.term_key = $1 AND s.parent_key IS NULL;
