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
