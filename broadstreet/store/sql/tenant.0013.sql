-- Notifications: since when a subscription is to be told of changes, how that went, what waits to be delivered, and how far
-- the changes were read. What changes with every delivery stands apart from the documents, in rows that are narrow.
ALTER TABLE subscription ADD COLUMN active_since timestamptz;
UPDATE subscription SET active_since = now();
ALTER TABLE subscription ALTER COLUMN active_since SET NOT NULL;
ALTER TABLE subscription
    DROP COLUMN times_sent, DROP COLUMN times_failed, DROP COLUMN last_notification, DROP COLUMN last_success,
    DROP COLUMN last_failure, DROP COLUMN failure;

CREATE TABLE subscription_tally (
    subscription_key  bigint PRIMARY KEY REFERENCES subscription ON DELETE CASCADE,
    times_sent        bigint NOT NULL DEFAULT 0,          -- attempts, those that failed among them
    times_failed      bigint NOT NULL DEFAULT 0,
    dropped           bigint NOT NULL DEFAULT 0,          -- entities that were given up, or had no room to wait in
    last_notification timestamptz,
    last_success      timestamptz,
    last_failure      timestamptz,
    failure           text                                -- why the last one that failed did
) WITH (fillfactor = 50);

CREATE TABLE subscription_epoch (
    epoch bigint NOT NULL                                 -- rises whenever a subscription is made, changed or removed
);
INSERT INTO subscription_epoch VALUES (0);

CREATE TABLE notifier_cursor (
    stream   text,                                        -- the incarnation of CHANGES; null before the first
    sequence bigint NOT NULL                              -- everything up to this is read, and stands in `notification`
);
INSERT INTO notifier_cursor VALUES (NULL, 0);

-- What waits to be delivered: a row is an entity as its receiver is to see it. No reference to the subscription: a row lock
-- there for each row here would cost more than what is left behind by a race, which is removed at the next start.
CREATE TABLE notification (
    key              bigint PRIMARY KEY,                  -- rises in the order of the changes
    subscription_key bigint NOT NULL,
    entity_id        text COLLATE "C" NOT NULL,
    body             text NOT NULL                        -- JSON, without the brackets of the list it will stand in
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX notification_subscription ON notification (subscription_key, key);
