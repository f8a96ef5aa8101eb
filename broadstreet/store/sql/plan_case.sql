-- What scenarios are worth: studies under names, with the sheets that they were reckoned by.

-- name: put
-- Keep one, in place of one of its name; answers nothing where the scenario has as many as it may. $1: the scenario's key,
-- $2: name, $3: sheet, $4: study, $5: figures, $6: the job that made the plan, $7: who, $8: now, $9: how many a scenario may
-- have.
INSERT INTO plan_case (scenario_key, name, sheet, study, figures, job, made_by, made_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
WHERE (SELECT count(*) FROM plan_case WHERE scenario_key = $1 AND name <> $2) < $9
ON CONFLICT (scenario_key, name) DO UPDATE
SET sheet = excluded.sheet, study = excluded.study, figures = excluded.figures, job = excluded.job, made_by = excluded.made_by,
    made_at = excluded.made_at
RETURNING key;

-- name: list
-- A scenario's, by name. $1: the scenario's key.
SELECT name, figures, job, made_by, made_at FROM plan_case WHERE scenario_key = $1 ORDER BY name;

-- name: find
-- One of them. $1: the scenario's key, $2: name.
SELECT * FROM plan_case WHERE scenario_key = $1 AND name = $2;

-- name: remove
-- One goes; answers its key. $1: the scenario's key, $2: name.
DELETE FROM plan_case WHERE scenario_key = $1 AND name = $2 RETURNING key;
