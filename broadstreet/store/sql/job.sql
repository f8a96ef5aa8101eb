-- Long work. A worker takes what waits, says that it is at it (a beat), and ends it; what nobody has said that of for a
-- while is taken again.

-- name: insert
-- $1: id, $2: kind, $3: wish, $4: title, $5: media type, $6: whose, $7: now, $8: how many open ones somebody may have;
-- answers nothing where they have as many.
INSERT INTO job (id, kind, wish, title, media_type, principal, created_at)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE (
    SELECT count(*) FROM job WHERE principal = $6 AND state IN ('waiting', 'running')
) < $8
RETURNING *;

-- name: list
-- Somebody's of a kind, newest first. $1: whose, $2: the kind, $3: how many.
SELECT * FROM job WHERE principal = $1 AND kind = $2 ORDER BY key DESC LIMIT $3;

-- name: find
-- One of somebody's, of a kind. $1: id, $2: whose, $3: the kind.
SELECT * FROM job WHERE id = $1 AND principal = $2 AND kind = $3;

-- name: one
-- One of a kind, whosever it is. $1: id, $2: the kind.
SELECT * FROM job WHERE id = $1 AND kind = $2;

-- name: take
-- The oldest that waits, or was left by its worker, is this worker's now. $1: worker, $2: now, $3: a beat before this
-- moment is too old, $4: the kinds that this worker does.
UPDATE job SET state = 'running', worker = $1, beat_at = $2, started_at = $2, attempts = attempts + 1,
    share = 0, rows = 0, bytes = 0
WHERE key = (
    SELECT key FROM job
    WHERE (state = 'waiting' OR (state = 'running' AND beat_at < $3)) AND kind = ANY ($4::text[])
    ORDER BY key
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING *;

-- name: beat
-- How far it has come; answers nothing where it is this worker's no more. $1: key, $2: worker, $3: now, $4: share,
-- $5: rows, $6: bytes.
UPDATE job SET beat_at = $3, share = $4, rows = $5, bytes = $6
WHERE key = $1 AND worker = $2 AND state = 'running'
RETURNING key;

-- name: finish
-- It has ended; answers nothing where it was this worker's no more. $1: key, $2: worker, $3: now, $4: state, $5: rows,
-- $6: bytes, $7: why it failed.
UPDATE job SET state = $4, ended_at = $3, share = CASE WHEN $4 = 'done' THEN 1 ELSE share END, rows = $5, bytes = $6,
    error = $7
WHERE key = $1 AND worker = $2 AND state = 'running'
RETURNING key;

-- name: cancel
-- It is to end. $1: key, $2: now.
UPDATE job SET state = 'cancelled', ended_at = $2 WHERE key = $1 AND state IN ('waiting', 'running') RETURNING *;

-- name: remove
-- One that has ended goes. $1: key.
DELETE FROM job WHERE key = $1 AND state NOT IN ('waiting', 'running');

-- name: remove_old
-- What ended before a moment goes. $1: the moment.
DELETE FROM job WHERE ended_at < $1;

-- name: ids
-- All there are.
SELECT id FROM job;
