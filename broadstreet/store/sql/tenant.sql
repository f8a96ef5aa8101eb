-- name: exists
-- Whether a tenant exists. $1: its name.
SELECT EXISTS (SELECT FROM tenant WHERE name = $1);

-- name: names
-- All tenants' names, oldest first.
SELECT name FROM tenant ORDER BY key;

-- name: identity
-- What tells this database from another: the cluster's identity and the database's own number.
SELECT (SELECT system_identifier FROM pg_control_system())::text || '-' ||
    (SELECT oid FROM pg_database WHERE datname = current_database())::text;
