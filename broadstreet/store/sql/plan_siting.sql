-- Questions where sensors go: what is asked, how far it is, what came of it. Of one that is begun its job says more: `live` is
-- that job's state, null where the job is gone.

-- name: insert
-- A new one, that a job is to answer; answers nothing where the project has as many as it may, or one of its name. $1: id, $2: the project's key,
-- $3: name, $4: wish, $5: who, $6: now, $7: the job, $8: how many a project may have.
INSERT INTO plan_siting (id, project_key, name, wish, created_by, created_at, job)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE (SELECT count(*) FROM plan_siting WHERE project_key = $2) < $8
ON CONFLICT (project_key, name) DO NOTHING
RETURNING key;

-- name: named
-- The id of the one that has a name. $1: the project's key, $2: name.
SELECT id FROM plan_siting WHERE project_key = $1 AND name = $2;

-- name: list
-- A project's, the oldest first. $1: the project's key.
SELECT s.*, p.id AS project, j.state AS live, j.error AS live_error
FROM plan_siting s
JOIN plan_project p ON p.key = s.project_key
LEFT JOIN job j ON j.id = s.job
WHERE s.project_key = $1
ORDER BY s.key;

-- name: find
-- One of them. $1: id.
SELECT s.*, p.id AS project, j.state AS live, j.error AS live_error
FROM plan_siting s
JOIN plan_project p ON p.key = s.project_key
LEFT JOIN job j ON j.id = s.job
WHERE s.id = $1;

-- name: remove
-- One goes. $1: key.
DELETE FROM plan_siting WHERE key = $1;

-- name: stop
-- It is to end with the best there is; answers nothing where it is not being sought. $1: key.
UPDATE plan_siting SET stop_asked = true WHERE key = $1 AND state = 'begun' RETURNING key;

-- name: cancel
-- It is to end with nothing. $1: key, $2: now.
UPDATE plan_siting SET state = 'cancelled', ended_at = $2 WHERE key = $1 AND state = 'begun';

-- name: of_job
-- The one that a job is to answer. $1: the job.
SELECT s.*, p.id AS project, NULL AS live, NULL AS live_error
FROM plan_siting s
JOIN plan_project p ON p.key = s.project_key
WHERE s.job = $1 AND s.state = 'begun';

-- name: advance
-- How far it is. $1: the job, $2: stage; answers whether it is to stop, and nothing where it is this job's no more.
UPDATE plan_siting SET stage = $2 WHERE job = $1 AND state = 'begun' RETURNING stop_asked;

-- name: finish
-- What came of it. $1: the job, $2: state, $3: now, $4: figures, $5: problem; answers nothing where it is this job's no more.
UPDATE plan_siting SET state = $2, ended_at = $3, stage = '', figures = $4, problem = $5
WHERE job = $1 AND state = 'begun'
RETURNING key;
