-- name: create_unsent
-- Readings that are not acknowledged yet, in the order of their making. An n is never used twice.
CREATE TABLE IF NOT EXISTS unsent (n INTEGER PRIMARY KEY AUTOINCREMENT, payload BLOB NOT NULL);

-- name: create_command
-- Commands that were offered, so that each is executed once. answer: null until it was; told: whether the house has it.
CREATE TABLE IF NOT EXISTS command (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, body TEXT NOT NULL, expires_us INTEGER NOT NULL,
    received INTEGER NOT NULL, answer BLOB, told INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- name: create_fact
-- What else the device knows of itself: settings, where it stands in its source, how far its clock is off.
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- name: create_refused
-- Readings that the house will never take, with the reason, for whoever looks after the device.
CREATE TABLE IF NOT EXISTS refused (n INTEGER PRIMARY KEY, payload BLOB NOT NULL, reason TEXT NOT NULL);

-- name: put
-- One more reading. ?1: payload.
INSERT INTO unsent (payload) VALUES (?1);

-- name: waiting
-- How many readings wait.
SELECT count(*) FROM unsent;

-- name: drop_oldest
-- The oldest readings give way. ?1: how many.
DELETE FROM unsent WHERE n IN (SELECT n FROM unsent ORDER BY n LIMIT ?1);

-- name: oldest
-- The oldest readings behind one. ?1: its n, ?2: how many.
SELECT n, payload FROM unsent WHERE n > ?1 ORDER BY n LIMIT ?2;

-- name: forget
-- A reading is acknowledged. ?1: its n.
DELETE FROM unsent WHERE n = ?1;

-- name: refuse
-- A reading is set aside. ?1: its n, ?2: why.
INSERT OR REPLACE INTO refused (n, payload, reason) SELECT n, payload, ?2 FROM unsent WHERE n = ?1;

-- name: bound_refused
-- Only the newest that were set aside stay. ?1: how many.
DELETE FROM refused WHERE n NOT IN (SELECT n FROM refused ORDER BY n DESC LIMIT ?1);

-- name: count_refused
-- How many were set aside.
SELECT count(*) FROM refused;

-- name: get_fact
-- One fact. ?1: its name.
SELECT value FROM fact WHERE name = ?1;

-- name: set_fact
-- Write a fact down. ?1: name, ?2: value.
INSERT INTO fact (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: take_command
-- A command that is offered; one that is known is left as it is, and its answer is given again. ?1: id, ?2: name,
-- ?3: body, ?4: expires, ?5: in which order it came.
INSERT INTO command (id, name, body, expires_us, received) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (id) DO UPDATE SET told = 0;

-- name: next_command
-- The oldest command that is not executed yet.
SELECT id, name, body, expires_us FROM command WHERE answer IS NULL ORDER BY received LIMIT 1;

-- name: answer_command
-- A command is executed. ?1: id, ?2: what is said of it.
UPDATE command SET answer = ?2 WHERE id = ?1;

-- name: untold
-- Answers that the house does not have yet. ?1: how many.
SELECT id, answer FROM command WHERE answer IS NOT NULL AND told = 0 ORDER BY received LIMIT ?1;

-- name: told
-- The house has an answer. ?1: the command's id, ?2: the answer.
UPDATE command SET told = 1 WHERE id = ?1 AND answer = ?2;

-- name: next_received
-- Where the next command stands in the order of their coming.
SELECT coalesce(max(received), 0) + 1 FROM command;

-- name: forget_commands
-- Commands that are offered no more. ?1: those whose time was over by then.
DELETE FROM command WHERE told = 1 AND expires_us < ?1;
