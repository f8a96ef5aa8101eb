-- The long past: which files hold it, and what of the table beside them they take in. A stretch is half-open.

-- name: files
-- The files that may hold something of a stretch of time, oldest first. $1: from, $2: to.
SELECT name, from_at, to_at, first_series, last_series, rows, bytes
FROM past_file
WHERE from_at < $2 AND to_at > $1
ORDER BY from_at, first_series;

-- name: is_filed
-- Whether any file may hold something of a stretch of time. $1: from, $2: to.
SELECT EXISTS (SELECT FROM past_file WHERE from_at < $2 AND to_at > $1);

-- name: add_file
-- A file is part of the past. $1: name, $2: from, $3: to, $4: first series, $5: last series, $6: rows, $7: bytes.
INSERT INTO past_file (name, from_at, to_at, first_series, last_series, rows, bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: remove_files
-- Files are no longer part of the past. $1: their names.
DELETE FROM past_file WHERE name = ANY ($1::text[]);

-- name: lock
-- Keep others from changing the files, or, shared, from taking away what is being read, until `unlock`. $1: the lock's key.
SELECT pg_advisory_lock(hashtext(current_schema()), $1);

-- name: lock_shared
-- As `lock`, beside others that read. $1: the lock's key.
SELECT pg_advisory_lock_shared(hashtext(current_schema()), $1);

-- name: try_lock
-- As `lock`, where nobody holds it; answers whether. $1: the lock's key.
SELECT pg_try_advisory_lock(hashtext(current_schema()), $1);

-- name: unlock
-- Let go of a lock. $1: the lock's key.
SELECT pg_advisory_unlock(hashtext(current_schema()), $1);

-- name: unlock_shared
-- Let go of a shared lock. $1: the lock's key.
SELECT pg_advisory_unlock_shared(hashtext(current_schema()), $1);

-- name: oldest_before
-- The first moment before another of which the table holds anything, or null: a short walk along the key's index for each
-- series. $1: the moment.
SELECT min(o.observed_at)
FROM series s
CROSS JOIN LATERAL (
    SELECT observed_at FROM observation WHERE series_key = s.key AND observed_at < $1 ORDER BY observed_at LIMIT 1
) o;

-- name: rows
-- How many observations of a stretch the table holds. $1: from, $2: to.
SELECT count(*) FROM observation WHERE observed_at >= $1 AND observed_at < $2;

-- name: rows_by_series
-- How many observations of a stretch the table holds, by series. $1: from, $2: to, $3: first series, $4: last series.
SELECT series_key, count(*) AS count
FROM observation
WHERE observed_at >= $1 AND observed_at < $2 AND series_key BETWEEN $3 AND $4
GROUP BY series_key
ORDER BY series_key;

-- name: columns
-- Observations of several series in a range, whole, as columns: a row a series, oldest first. NaN stands where something
-- else than a number is, which `others` has in the same order; 0 for no sub-attributes, -infinity for never corrected.
-- $1: series keys, $2: from, $3: to, $4: how many at most, of all together; null for all.
SELECT series_key, array_send(array_agg(observed_at)) AS times, array_send(array_agg(n)) AS n,
    array_send(array_agg(coalesce(number, 'NaN'))) AS numbers, array_send(array_agg(coalesce(meta_key, 0))) AS metas,
    array_send(array_agg(origin_key)) AS origins,
    array_send(array_agg(coalesce(modified_at, '-infinity'))) AS modified,
    array_agg(value) FILTER (WHERE number IS NULL) AS others
FROM (
    SELECT *
    FROM observation
    WHERE series_key = ANY ($1::int[]) AND observed_at >= $2 AND observed_at < $3
    ORDER BY series_key, observed_at, n
    LIMIT $4
) o
GROUP BY series_key
ORDER BY series_key;

-- name: written_at
-- When origins wrote. $1: their keys.
SELECT key, at FROM origin WHERE key = ANY ($1::bigint[]);

-- name: origins
-- What wrote, and when. $1: keys.
SELECT key, kind, at FROM origin WHERE key = ANY ($1::bigint[]);

-- name: overlay
-- Numbers of an attribute of all entities that the table holds of a stretch, as columns. $1: term key, $2: from, $3: to.
SELECT array_send(array_agg(o.series_key)) AS keys, array_send(array_agg(o.observed_at)) AS times,
    array_send(array_agg(o.n)) AS n, array_send(array_agg(coalesce(o.number, 'NaN'))) AS numbers
FROM observation o JOIN series s ON s.key = o.series_key
WHERE o.observed_at >= $2 AND o.observed_at < $3 AND s.term_key = $1 AND s.parent_key IS NULL;

-- name: series_of_term
-- The series of an attribute, of all entities. $1: term key.
SELECT key FROM series WHERE term_key = $1 AND parent_key IS NULL ORDER BY key;

-- name: take
-- What a file has taken in is no longer in the table. $1: from, $2: to, $3: first series, $4: last series.
DELETE FROM observation
WHERE observed_at >= $1 AND observed_at < $2 AND series_key BETWEEN $3 AND $4;

-- name: erase
-- Observations of series that may not stay. $1: series keys, $2: from, $3: to, $4: which of those of a moment, or null for
-- all. Answers how many there were, by series.
WITH gone AS (
    DELETE FROM observation
    WHERE series_key = ANY ($1::int[]) AND observed_at >= $2 AND observed_at < $3 AND n = coalesce($4::smallint, n)
    RETURNING series_key
)
SELECT series_key, count(*) AS count FROM gone GROUP BY series_key;
