-- Long work with progress: what somebody asked for, how far it has come, and the file that came of it.
CREATE TABLE job (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text COLLATE "C" NOT NULL UNIQUE,
    kind        text NOT NULL,                            -- 'export'
    wish        jsonb NOT NULL,                           -- what is asked for, as its kind understands it
    title       text NOT NULL,                            -- what a browser saves the file as
    media_type  text NOT NULL,
    principal   text NOT NULL,                            -- whose it is
    state       text NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    created_at  timestamptz NOT NULL,
    started_at  timestamptz,
    ended_at    timestamptz,
    beat_at     timestamptz,                              -- when whoever works on it last said so
    worker      text,
    attempts    smallint NOT NULL DEFAULT 0,
    share       real NOT NULL DEFAULT 0,                  -- 0 to 1
    rows        bigint NOT NULL DEFAULT 0,
    bytes       bigint NOT NULL DEFAULT 0,
    error       text                                      -- why it failed
);
CREATE INDEX job_open ON job (key) WHERE state IN ('waiting', 'running');
CREATE INDEX job_principal ON job (principal, key);
