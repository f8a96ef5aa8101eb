-- name: lock
-- Nobody else makes or removes one until this transaction ends, so that they can be counted.
LOCK TABLE subscription IN SHARE ROW EXCLUSIVE MODE;

-- name: count
-- How many there are.
SELECT count(*) FROM subscription;

-- name: insert
-- A subscription. $1: id, $2: document, $3: the address of its @context, $4: the id of the @context kept for it alone or null,
-- $5: whose, $6: now, $7: whether it is active, $8: when it ends or null. Answers its id; no row where that is taken.
INSERT INTO subscription (id, document, jsonld_context, context_id, principal, created_at, modified_at, is_active, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)
ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: one
-- A subscription. $1: id.
SELECT id, document, jsonld_context, context_id, created_at, modified_at, is_active, expires_at, times_sent, times_failed,
    last_notification, last_success, last_failure
FROM subscription WHERE id = $1;

-- name: hold
-- As `one`, and nobody else changes it until this transaction ends. $1: id.
SELECT id, document, jsonld_context, context_id, created_at, modified_at, is_active, expires_at, times_sent, times_failed,
    last_notification, last_success, last_failure
FROM subscription WHERE id = $1 FOR UPDATE;

-- name: page
-- Subscriptions, oldest first. $1: how many at most, $2: how many to pass over.
SELECT id, document, jsonld_context, context_id, created_at, modified_at, is_active, expires_at, times_sent, times_failed,
    last_notification, last_success, last_failure
FROM subscription ORDER BY key LIMIT $1 OFFSET $2;

-- name: update
-- Change a subscription. $1: id, $2: document, $3: the address of its @context, $4: the id of the @context kept for it alone
-- or null, $5: now, $6: whether it is active, $7: when it ends or null.
UPDATE subscription SET document = $2, jsonld_context = $3, context_id = $4, modified_at = $5, is_active = $6, expires_at = $7
WHERE id = $1;

-- name: delete
-- Remove a subscription. $1: id. Answers the id of the @context that was kept for it alone, or null; no row where there is none.
DELETE FROM subscription WHERE id = $1 RETURNING context_id;
