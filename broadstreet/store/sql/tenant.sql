-- name: exists
-- Whether a tenant exists. $1: its name.
SELECT EXISTS (SELECT FROM tenant WHERE name = $1);

-- name: names
-- All tenants' names, oldest first.
SELECT name FROM tenant ORDER BY key;
