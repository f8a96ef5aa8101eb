-- Projects of the operator's network, and the files they are made from.

-- name: lock
-- Nobody else makes one until this transaction ends, so that they can be counted.
LOCK TABLE plan_project IN SHARE ROW EXCLUSIVE MODE;

-- name: count
-- How many there are.
SELECT count(*) FROM plan_project;

-- name: insert
-- A new one; answers nothing where one has its name. $1: id, $2: name, $3: inputs, $4: networks, $5: registry, $6: owner, $7: now.
INSERT INTO plan_project (id, name, inputs, networks, registry, owner, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
ON CONFLICT (name) DO NOTHING
RETURNING *, 0 AS scenarios, 0 AS sources;

-- name: list
-- All of them, by name, with how many scenarios and sources each has.
SELECT p.*,
    (SELECT count(*) FROM plan_scenario s WHERE s.project_key = p.key) AS scenarios,
    (SELECT count(*) FROM plan_source f WHERE f.project_key = p.key) AS sources
FROM plan_project p
ORDER BY p.name;

-- name: find
-- One of them. $1: id.
SELECT p.*,
    (SELECT count(*) FROM plan_scenario s WHERE s.project_key = p.key) AS scenarios,
    (SELECT count(*) FROM plan_source f WHERE f.project_key = p.key) AS sources
FROM plan_project p
WHERE p.id = $1;

-- name: named
-- The key of the one that has a name. $1: name.
SELECT key FROM plan_project WHERE name = $1;

-- name: update
-- Another name, other inputs. $1: key, $2: name, $3: inputs, $4: networks, $5: registry, $6: now.
UPDATE plan_project SET name = $2, inputs = $3, networks = $4, registry = $5, changed_at = $6 WHERE key = $1;

-- name: remove
-- One goes, with its scenarios and sources. $1: key.
DELETE FROM plan_project WHERE key = $1;

-- name: ids
-- The ids of all there are.
SELECT id FROM plan_project;

-- name: places
-- Where entities stand, and what they are called. $1: entity keys, $2: the GeoProperty's term key, $3: the name's.
SELECT e.id, e.key, p.geojson, (
    SELECT b.value FROM series t JOIN attribute b ON b.series_key = t.key
    WHERE t.entity_key = e.key AND t.term_key = $3 AND t.parent_key IS NULL AND b.deleted_at IS NULL LIMIT 1
) AS name
FROM place p JOIN entity e ON e.key = p.entity_key
WHERE p.entity_key = ANY ($1::int[]) AND p.term_key = $2
ORDER BY e.id;

-- name: look
-- How its ground looked last; `live` is the state of the job that looks, null where it is gone. $1: key.
SELECT p.look_job, p.look_key, p.look, p.look_problem, p.looked_at, j.state AS live, j.error AS live_error
FROM plan_project p LEFT JOIN job j ON j.id = p.look_job
WHERE p.key = $1;

-- name: begin_look
-- A job looks at its ground from now on. $1: key, $2: the job.
UPDATE plan_project SET look_job = $2 WHERE key = $1;

-- name: looked
-- How it looks. $1: the job, $2: the folder of the layers, $3: what is there, $4: why there is nothing, $5: now.
UPDATE plan_project SET look_key = $2, look = $3, look_problem = $4, looked_at = $5 WHERE look_job = $1;

-- name: of_look
-- The id of the project that a job looks at. $1: the job.
SELECT id FROM plan_project WHERE look_job = $1;

-- name: touch
-- What it is made from has changed. $1: key, $2: now.
UPDATE plan_project SET changed_at = $2 WHERE key = $1;

-- name: sources
-- A project's files, by name. $1: key.
SELECT * FROM plan_source WHERE project_key = $1 ORDER BY name;

-- name: put_source
-- A file, in place of the one of its name. $1: the project's key, $2: name, $3: form, $4: SHA-256, $5: bytes, $6: who, $7: now, $8: how many a
-- project may have; answers nothing where it has as many.
INSERT INTO plan_source (project_key, name, form, sha256, bytes, added_by, added_at)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE (SELECT count(*) FROM plan_source WHERE project_key = $1 AND name <> $2) < $8
ON CONFLICT (project_key, name) DO UPDATE SET form = $3, sha256 = $4, bytes = $5, added_by = $6, added_at = $7
RETURNING *;

-- name: remove_source
-- A file goes. $1: the project's key, $2: name. Answers its SHA-256 if it was there.
DELETE FROM plan_source WHERE project_key = $1 AND name = $2 RETURNING sha256;
