-- name: version
-- A text that is another one after any of them came, went or was fetched anew.
SELECT count(*) || ' ' || coalesce(max(created_at), 0) FROM jsonld_context;

-- name: insert
-- A context. $1: id, $2: url or null, $3: kind, $4: body, $5: at. Of a copy that is there already, its body is replaced. Answers the id
-- it has.
INSERT INTO jsonld_context (id, url, kind, body, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (url) DO UPDATE SET body = excluded.body, created_at = excluded.created_at
RETURNING id;

-- name: count
-- How many there are of a kind. $1: kind.
SELECT count(*) FROM jsonld_context WHERE kind = $1;

-- name: forget_oldest
-- The copy that was used longest ago goes.
DELETE FROM jsonld_context WHERE id = (
    SELECT id FROM jsonld_context WHERE kind = 'Cached' ORDER BY coalesce(used_at, created_at), id LIMIT 1
);

-- name: one
-- A context by its id or by where it is from. $1: either.
SELECT id, url, kind, body, created_at, used_at, hits FROM jsonld_context WHERE id = $1 OR url = $1;

-- name: list
-- All of a kind, or of every kind, oldest first, without what is in them. $1: kind or null.
SELECT id, url, kind, created_at, used_at, hits FROM jsonld_context
WHERE $1::text IS NULL OR kind = $1 ORDER BY created_at, id;

-- name: delete
-- Remove a context by its id or by where it is from. $1: either. Answers its id if it was there.
DELETE FROM jsonld_context WHERE id = $1 OR url = $1 RETURNING id;

-- name: used
-- Contexts were used. $1: ids, $2: how often each, $3: at.
UPDATE jsonld_context c SET hits = c.hits + u.hits, used_at = $3
FROM unnest($1::text[], $2::bigint[]) AS u (id, hits) WHERE c.id = u.id;
