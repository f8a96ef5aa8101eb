-- name: lock
-- Nobody else makes or removes one until this transaction ends, so that they can be counted.
LOCK TABLE subscription IN SHARE ROW EXCLUSIVE MODE;

-- name: count
-- How many there are.
SELECT count(*) FROM subscription;

-- name: insert
-- A subscription. $1: id, $2: document, $3: the address of its @context, $4: the id of the @context kept for it alone or null,
-- $5: whose, $6: now, $7: whether it is active, $8: when it ends or null. Answers its id; no row where that is taken.
INSERT INTO subscription
    (id, document, jsonld_context, context_id, principal, created_at, modified_at, is_active, expires_at, active_since)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $6)
ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: one
-- A subscription. $1: id.
SELECT s.id, s.document, s.jsonld_context, s.context_id, s.created_at, s.modified_at, s.is_active, s.expires_at,
    coalesce(t.times_sent, 0) AS times_sent, coalesce(t.times_failed, 0) AS times_failed, t.last_notification, t.last_success,
    t.last_failure, t.failure, coalesce(t.dropped, 0) AS dropped
FROM subscription s LEFT JOIN subscription_tally t ON t.subscription_key = s.key WHERE s.id = $1;

-- name: hold
-- As `one`, and nobody else changes it until this transaction ends. $1: id.
SELECT s.id, s.document, s.jsonld_context, s.context_id, s.created_at, s.modified_at, s.is_active, s.expires_at,
    coalesce(t.times_sent, 0) AS times_sent, coalesce(t.times_failed, 0) AS times_failed, t.last_notification, t.last_success,
    t.last_failure, t.failure, coalesce(t.dropped, 0) AS dropped
FROM subscription s LEFT JOIN subscription_tally t ON t.subscription_key = s.key WHERE s.id = $1 FOR UPDATE OF s;

-- name: page
-- Subscriptions, oldest first. $1: how many at most, $2: how many to pass over.
SELECT s.id, s.document, s.jsonld_context, s.context_id, s.created_at, s.modified_at, s.is_active, s.expires_at,
    coalesce(t.times_sent, 0) AS times_sent, coalesce(t.times_failed, 0) AS times_failed, t.last_notification, t.last_success,
    t.last_failure, t.failure, coalesce(t.dropped, 0) AS dropped
FROM subscription s LEFT JOIN subscription_tally t ON t.subscription_key = s.key ORDER BY s.key LIMIT $1 OFFSET $2;

-- name: update
-- Change a subscription. $1: id, $2: document, $3: the address of its @context, $4: the id of the @context kept for it alone
-- or null, $5: now, $6: whether it is active, $7: when it ends or null. What changed while it was not active it is not told.
UPDATE subscription
SET document = $2, jsonld_context = $3, context_id = $4, modified_at = $5, is_active = $6, expires_at = $7,
    active_since = CASE WHEN is_active AND (expires_at IS NULL OR expires_at > $5) THEN active_since ELSE $5 END
WHERE id = $1;

-- name: delete
-- Remove a subscription. $1: id. Answers the id of the @context that was kept for it alone, or null; no row where there is none.
-- What waits for it is the notifier's to remove, which deletes such rows all the time: two who do may wait for each other.
DELETE FROM subscription WHERE id = $1 RETURNING context_id;

-- name: tell
-- Say that subscriptions are not what they were.
UPDATE subscription_epoch SET epoch = epoch + 1;
