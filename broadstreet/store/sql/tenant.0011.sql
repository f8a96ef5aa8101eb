-- Subscriptions: who wants to be told of which changes, where and how. document: all that was asked for, by the standard's
-- members, names as IRIs, so that it means the same under any @context.
CREATE TABLE subscription (
    key               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id                text COLLATE "C" NOT NULL UNIQUE,
    document          jsonb NOT NULL,
    jsonld_context    text NOT NULL,                      -- the address of the @context that notifications speak
    context_id        text,                               -- of the @context that was kept for this alone, and goes with it
    principal         text NOT NULL,                      -- whose it is
    created_at        timestamptz NOT NULL,
    modified_at       timestamptz NOT NULL,
    is_active         boolean NOT NULL,
    expires_at        timestamptz,
    times_sent        bigint NOT NULL DEFAULT 0,          -- what follows is the notifier's
    times_failed      bigint NOT NULL DEFAULT 0,
    last_notification timestamptz,
    last_success      timestamptz,
    last_failure      timestamptz,
    failure           text                                -- why the last one failed
);
