-- Where sensors go: questions of a project that are answered as jobs, under names, each with what it came to.
CREATE TABLE plan_siting (
    key          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           text COLLATE "C" NOT NULL UNIQUE,
    project_key  bigint NOT NULL REFERENCES plan_project ON DELETE CASCADE,
    name         text NOT NULL,
    wish         jsonb NOT NULL,
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    state        text NOT NULL DEFAULT 'begun'            -- how far, its job says
                 CHECK (state IN ('begun', 'chosen', 'failed', 'cancelled')),
    job          text COLLATE "C" NOT NULL,               -- the job that chooses, or chose
    ended_at     timestamptz,
    stop_asked   boolean NOT NULL DEFAULT false,          -- it is to end with the best there is
    stage        text NOT NULL DEFAULT '',                -- what is being done now
    figures      jsonb,                                   -- what is told of it first
    problem      jsonb,                                   -- why it failed
    UNIQUE (project_key, name)
);
CREATE INDEX plan_siting_job ON plan_siting (job) WHERE state = 'begun';
