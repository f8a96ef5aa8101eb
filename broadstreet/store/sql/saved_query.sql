-- name: lock
-- Nobody else saves one until this transaction ends, so that they can be counted.
LOCK TABLE saved_query IN SHARE ROW EXCLUSIVE MODE;

-- name: count
-- How many somebody keeps beside one. $1: owner, $2: the name of that one.
SELECT count(*) FROM saved_query WHERE owner = $1 AND name <> $2;

-- name: save
-- Keep a query, in place of the owner's of that name. $1: owner, $2: name, $3: query, $4: whether colleagues see it, $5: now. Answers its key.
INSERT INTO saved_query (owner, name, query, is_shared, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (owner, name) DO UPDATE SET query = $3, is_shared = $4, changed_at = $5
RETURNING key;

-- name: seen
-- The queries that somebody sees: their own, then those of colleagues that are shared. $1: who, $2: how many of the latter at most.
WITH own AS (
    SELECT key, owner, name, query, is_shared, changed_at FROM saved_query WHERE owner = $1 ORDER BY name
), others AS (
    SELECT key, owner, name, query, is_shared, changed_at FROM saved_query WHERE is_shared AND owner <> $1 ORDER BY name LIMIT $2
)
SELECT * FROM own UNION ALL SELECT * FROM others;

-- name: remove
-- Keep one no longer. $1: its key, $2: its owner, $3: whether it may be anybody's that is shared. Answers its name if it was there.
DELETE FROM saved_query WHERE key = $1 AND (owner = $2 OR ($3 AND is_shared)) RETURNING name;
