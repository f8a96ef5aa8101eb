-- How long observations stay.

-- name: expiring
-- What has a retention: the dataset's, or a series' own before it; and the moment before which its observations go. Those
-- of one dataset and one length are together; a series without a dataset is told by its tenant. $1: now.
SELECT coalesce(d.id, current_schema()::text) AS id, $1::timestamptz - coalesce(s.retention, d.retention) AS before_at,
    array_agg(s.key ORDER BY s.key) AS series_keys
FROM series s LEFT JOIN dataset d ON d.key = s.dataset_key
WHERE coalesce(s.retention, d.retention) IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: current_origins
-- The origins that what is current points at.
SELECT DISTINCT origin_key FROM attribute;

-- name: old_origins
-- Packs' origins written before a moment, oldest first, a page of them. $1: the moment, $2: the time of the last one seen,
-- $3: its key, $4: how many at most.
SELECT key, at FROM origin
WHERE at < $1 AND (at, key) > ($2, $3) AND kind = 'pack'
ORDER BY at, key
LIMIT $4;

-- name: forget_origins
-- Origins that nothing in the database points at. $1: their keys.
DELETE FROM origin WHERE key = ANY ($1::bigint[]);
