-- Plans of the operator's network: projects with what they are made from, and the scenarios that are planned on it. What is
-- large stands in files of the data folder; here is what lists, and what is watched while a plan is made.
CREATE TABLE plan_project (
    key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         text COLLATE "C" NOT NULL UNIQUE,
    name       text NOT NULL UNIQUE,
    inputs     jsonb NOT NULL,                            -- which files, columns and rules
    networks   text[] NOT NULL,                           -- sources that are networks by the Open Fibre Data Standard
    registry   jsonb,                                     -- which entities are sites; null: none
    owner      text NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);

-- Files that a project is made from. The data folder has them by their content.
CREATE TABLE plan_source (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_key bigint NOT NULL REFERENCES plan_project ON DELETE CASCADE,
    name        text COLLATE "C" NOT NULL,                -- what the project's inputs call it
    form        text NOT NULL,
    sha256      text COLLATE "C" NOT NULL,
    bytes       bigint NOT NULL,
    added_by    text NOT NULL,
    added_at    timestamptz NOT NULL,
    UNIQUE (project_key, name)
);

CREATE TABLE plan_scenario (
    key          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           text COLLATE "C" NOT NULL UNIQUE,
    project_key  bigint NOT NULL REFERENCES plan_project ON DELETE CASCADE,
    name         text NOT NULL,
    wish         jsonb NOT NULL,
    derived_from text COLLATE "C",                        -- the id of the scenario it was begun from
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    state        text NOT NULL DEFAULT 'draft'            -- 'begun': how far, its job says
                 CHECK (state IN ('draft', 'begun', 'planned', 'failed', 'cancelled')),
    job          text COLLATE "C",                        -- the job that makes it, or made it
    begun_at     timestamptz,
    ended_at     timestamptz,
    stop_asked   boolean NOT NULL DEFAULT false,          -- it is to end with the best there is
    stage        text NOT NULL DEFAULT '',                -- what is being done now
    progress     jsonb NOT NULL DEFAULT '[]',             -- [seconds, cost, bound], one for each time it got better
    outcome      jsonb,                                   -- figures of the plan
    findings     jsonb NOT NULL DEFAULT '[]',             -- what the checker found wrong
    problem      jsonb,                                   -- why it failed
    UNIQUE (project_key, name)
);
CREATE INDEX plan_scenario_job ON plan_scenario (job) WHERE state = 'begun';
