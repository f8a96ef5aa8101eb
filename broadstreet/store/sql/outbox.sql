-- name: insert_origin
-- Who does something that is no pack. $1: kind, $2: at, $3: principal, $4: note.
INSERT INTO origin (kind, at, principal, note) VALUES ($1, $2, $3, $4) RETURNING key;

-- name: insert
-- Leave a packed row for the relay. $1: kind, $2: body.
INSERT INTO outbox (kind, body) VALUES ($1, $2);

-- name: take_changes
-- The oldest changes that are there; no lock, one relay a tenant. $1: how many rows at most.
SELECT key, body FROM outbox WHERE kind = 'changes' ORDER BY key LIMIT $1;

-- name: take_dead
-- The oldest dead letters that are there, and when they were left in microseconds since 1970. $1: how many rows at most.
SELECT key, body, (extract(epoch FROM created_at) * 1000000)::bigint AS left_at
FROM outbox
WHERE kind = 'dead'
ORDER BY key
LIMIT $1;

-- name: delete
-- Rows the log has acknowledged. $1: their keys.
DELETE FROM outbox WHERE key = ANY ($1::bigint[]);
