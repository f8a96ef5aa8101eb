-- name: take_turn
-- Whether no other session of this house's notifiers has the turn; then this one has it.
SELECT pg_try_advisory_lock(hashtext('broadstreet notifier'));

-- name: has_turn
-- Whether this session is there still.
SELECT true;

-- name: leave_turn
-- Give up the turn.
SELECT pg_advisory_unlock(hashtext('broadstreet notifier'));

-- name: standing
-- How far changes are read, and the epoch of the subscriptions.
SELECT c.stream, c.sequence, e.epoch FROM notifier_cursor c CROSS JOIN subscription_epoch e;

-- name: epoch
-- The epoch of the subscriptions.
SELECT epoch FROM subscription_epoch;

-- name: move
-- Changes are read up to here. $1: the stream's incarnation, $2: sequence; $3, $4: the same as they were. No row where another
-- notifier has moved on meanwhile.
UPDATE notifier_cursor SET stream = $1, sequence = $2 WHERE stream IS NOT DISTINCT FROM $3 AND sequence = $4
RETURNING sequence;

-- name: register
-- All subscriptions, oldest first, without what they ask for. version: another one where a row has changed.
SELECT key, xmin::text AS version, is_active, expires_at FROM subscription ORDER BY key;

-- name: subscriptions
-- Subscriptions with when each was last told. $1: keys. version: as in `register`.
SELECT s.key, s.xmin::text AS version, s.id, s.document, s.jsonld_context, s.expires_at, s.active_since, t.last_notification
FROM subscription s LEFT JOIN subscription_tally t ON t.subscription_key = s.key
WHERE s.key = ANY ($1::bigint[]);

-- name: places
-- What series are: whose, which attribute, and whether it has or had several instances. $1: keys.
SELECT s.key, s.entity_key, s.term_key, EXISTS (
    SELECT FROM series o
    WHERE o.entity_key = s.entity_key AND o.term_key = s.term_key AND o.parent_key IS NULL AND o.key <> s.key
) AS is_one_of_several
FROM series s
WHERE s.key = ANY ($1::int[]) AND s.parent_key IS NULL;

-- name: entities
-- What entities are. $1: keys.
SELECT key, id, types FROM entity WHERE key = ANY ($1::int[]);

-- name: matching
-- Ids that match regular expressions, each expression with those that do. $1: ids, $2: regular expressions.
SELECT asked.pattern, own.ids
FROM unnest($2::text[]) AS asked (pattern)
CROSS JOIN LATERAL (SELECT array_agg(one.id) AS ids FROM unnest($1::text[]) AS one (id) WHERE one.id ~ asked.pattern) own
WHERE own.ids IS NOT NULL;

-- name: states
-- Entities with all attribute instances they have or had, in the order of their series. $1: keys.
SELECT e.key, e.id, e.types, e.scopes, e.created_at, e.modified_at, e.deleted_at, e.expires_at, s.key AS series_key, s.term_key,
    s.dataset_id, a.kind, a.meta_key, a.number, a.value::text AS value, a.observed_at,
    a.created_at AS attribute_created_at, a.modified_at AS attribute_modified_at, a.deleted_at AS attribute_deleted_at,
    a.version
FROM entity e
LEFT JOIN (series s JOIN attribute a ON a.series_key = s.key AND a.version > 0)
    ON s.entity_key = e.key AND s.parent_key IS NULL
WHERE e.key = ANY ($1::int[])
ORDER BY e.key, s.key;

-- name: last_key
-- The highest key of what waits; 0 where nothing does.
SELECT coalesce(max(key), 0) FROM notification;

-- name: enqueue
-- Let entities wait to be delivered. $1: keys, ascending, $2: subscriptions, $3: ids of entities, $4: bodies.
INSERT INTO notification (key, subscription_key, entity_id, body)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]);

-- name: waiting
-- How much waits for whom, and the last one's key.
SELECT subscription_key, count(*) AS entities, max(key) AS newest FROM notification GROUP BY subscription_key;

-- name: next
-- What waits longest for a subscription. $1: its key, $2: behind which key, $3: up to which, $4: how many at most, $5: how many
-- bytes they may take before the last one.
SELECT key, entity_id, body
FROM (
    SELECT key, entity_id, body, sum(octet_length(body)) OVER (ORDER BY key) - octet_length(body) AS before
    FROM (
        SELECT key, entity_id, body FROM notification WHERE subscription_key = $1 AND key > $2 AND key <= $3
        ORDER BY key LIMIT $4
    ) AS first
) AS measured
WHERE before < $5 ORDER BY key;

-- name: drop_superseded
-- Of each entity only what came last waits for a subscription. $1: its key, $2: behind which key, $3: up to which.
DELETE FROM notification WHERE key IN (
    SELECT key
    FROM (
        SELECT key, row_number() OVER (PARTITION BY entity_id ORDER BY key DESC) AS place
        FROM notification WHERE subscription_key = $1 AND key > $2 AND key <= $3
    ) AS own
    WHERE place > 1
)
RETURNING key;

-- name: later
-- Of which entities something waits for a subscription. $1: its key, $2: behind which key, $3: up to which, $4: entities' ids.
SELECT DISTINCT entity_id FROM notification
WHERE subscription_key = $1 AND key > $2 AND key <= $3 AND entity_id = ANY ($4::text[]);

-- name: drop_oldest
-- Make room: what waits longest for a subscription goes. $1: its key, $2: behind which key, $3: how many.
DELETE FROM notification WHERE key IN (
    SELECT key FROM notification WHERE subscription_key = $1 AND key > $2 ORDER BY key LIMIT $3
)
RETURNING key;

-- name: forget
-- Nothing waits for these any more. $1: subscriptions' keys.
DELETE FROM notification WHERE subscription_key = ANY ($1::bigint[]);

-- name: settle
-- How deliveries went, and what need not wait any more, delivered or given up. It does not wait for the disk: what of it a
-- power cut takes is delivered again. $1: keys of what waited; $2: subscriptions' keys, $3: attempts, $4: of them those that
-- failed, $5: entities dropped, $6: when the last attempt was or null, $7: when the last that succeeded or null, $8: when the
-- last that failed or null, $9: why it did.
WITH hurry AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS is_off),
gone AS (DELETE FROM notification WHERE key = ANY ($1::bigint[]))
INSERT INTO subscription_tally AS t
    (subscription_key, times_sent, times_failed, dropped, last_notification, last_success, last_failure, failure)
SELECT new.*
FROM hurry
CROSS JOIN unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::text[]) AS new (subscription_key, sent, failed, dropped, at, success, failure_at, failure)
JOIN subscription s ON s.key = new.subscription_key
ON CONFLICT (subscription_key) DO UPDATE SET
    times_sent = t.times_sent + excluded.times_sent, times_failed = t.times_failed + excluded.times_failed,
    dropped = t.dropped + excluded.dropped,
    last_notification = coalesce(excluded.last_notification, t.last_notification),
    last_success = coalesce(excluded.last_success, t.last_success),
    last_failure = coalesce(excluded.last_failure, t.last_failure), failure = coalesce(excluded.failure, t.failure);
