-- name: insert_origin
-- Who does something that is no pack. $1: kind, $2: at, $3: principal, $4: note.
INSERT INTO origin (kind, at, principal, note) VALUES ($1, $2, $3, $4) RETURNING key;

-- name: insert
-- Leave a packed row for the relay. $1: kind, $2: body.
INSERT INTO outbox (kind, body) VALUES ($1, $2);

-- name: take
-- The oldest rows that are there; no lock, one relay a tenant. $1: how many at most.
SELECT key, kind, body FROM outbox ORDER BY key LIMIT $1;

-- name: delete
-- Rows the log has acknowledged. $1: their keys.
DELETE FROM outbox WHERE key = ANY ($1::bigint[]);
