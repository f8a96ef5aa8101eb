-- Scenarios of a project: what is wished, how far it is, what came of it. Of one that is begun its job says more: `live` is
-- that job's state, null where the job is gone.

-- name: insert
-- A new one; answers nothing where the project has as many as it may, or one of its name. $1: id, $2: the project's key, $3: name, $4: wish, $5: the id
-- of the one it is derived from, $6: who, $7: now, $8: how many a project may have.
INSERT INTO plan_scenario (id, project_key, name, wish, derived_from, created_by, created_at, changed_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $7
WHERE (SELECT count(*) FROM plan_scenario WHERE project_key = $2) < $8
ON CONFLICT (project_key, name) DO NOTHING
RETURNING key;

-- name: named
-- The id of the one that has a name. $1: the project's key, $2: name.
SELECT id FROM plan_scenario WHERE project_key = $1 AND name = $2;

-- name: list
-- A project's, the oldest first. $1: the project's key.
SELECT s.*, p.id AS project, j.state AS live, j.error AS live_error
FROM plan_scenario s
JOIN plan_project p ON p.key = s.project_key
LEFT JOIN job j ON j.id = s.job
WHERE s.project_key = $1
ORDER BY s.key;

-- name: find
-- One of them. $1: id.
SELECT s.*, p.id AS project, j.state AS live, j.error AS live_error
FROM plan_scenario s
JOIN plan_project p ON p.key = s.project_key
LEFT JOIN job j ON j.id = s.job
WHERE s.id = $1;

-- name: update
-- Another name, another wish. $1: key, $2: name, $3: wish, $4: now. A wish changes while nothing came of it.
UPDATE plan_scenario SET name = $2, wish = $3, changed_at = $4 WHERE key = $1;

-- name: remove
-- One goes. $1: key.
DELETE FROM plan_scenario WHERE key = $1;

-- name: begin
-- It is planned by a job from now on, and what came of it before is forgotten; answers nothing where a job is at it. $1: key, $2: the job, $3: now.
UPDATE plan_scenario SET state = 'begun', job = $2, begun_at = $3, ended_at = NULL, stop_asked = false, stage = '',
    progress = '[]', outcome = NULL, findings = '[]', problem = NULL
WHERE key = $1 AND (
    state <> 'begun' OR NOT EXISTS (SELECT FROM job j WHERE j.id = plan_scenario.job AND j.state IN ('waiting', 'running'))
)
RETURNING key;

-- name: stop
-- It is to end with the best there is; answers nothing where it is not being planned. $1: key.
UPDATE plan_scenario SET stop_asked = true WHERE key = $1 AND state = 'begun' RETURNING key;

-- name: cancel
-- It is to end with nothing. $1: key, $2: now.
UPDATE plan_scenario SET state = 'cancelled', ended_at = $2 WHERE key = $1 AND state = 'begun';

-- name: of_job
-- The scenario that a job is to make. $1: the job.
SELECT s.*, p.id AS project, NULL AS live, NULL AS live_error
FROM plan_scenario s
JOIN plan_project p ON p.key = s.project_key
WHERE s.job = $1 AND s.state = 'begun';

-- name: advance
-- How far it is. $1: the job, $2: stage, $3: progress; answers whether it is to stop, and nothing where it is this job's no more.
UPDATE plan_scenario SET stage = $2, progress = $3 WHERE job = $1 AND state = 'begun' RETURNING stop_asked;

-- name: finish
-- What came of it. $1: the job, $2: state, $3: now, $4: progress, $5: outcome, $6: findings, $7: problem; answers nothing where it is this job's no more.
UPDATE plan_scenario SET state = $2, ended_at = $3, stage = '', progress = $4, outcome = $5, findings = $6, problem = $7
WHERE job = $1 AND state = 'begun'
RETURNING key;
