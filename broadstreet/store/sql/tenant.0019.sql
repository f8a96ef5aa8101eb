-- What scenarios of the network are worth: business cases under names, each with the sheet that it was reckoned by.
CREATE TABLE plan_case (
    key          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scenario_key bigint NOT NULL REFERENCES plan_scenario ON DELETE CASCADE,
    name         text NOT NULL,
    sheet        text NOT NULL,                           -- the business, as TOML
    study        jsonb NOT NULL,                          -- the case, and how far it may be off
    figures      jsonb NOT NULL,                          -- what is told of it first
    job          text COLLATE "C" NOT NULL,               -- the job that made the plan that it is of
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL,
    UNIQUE (scenario_key, name)
);
