-- name: lock
-- Keep two starters apart until this connection ends. $1: the lock's key.
SELECT pg_advisory_lock($1);

-- name: create_migration_table
-- Which migrations each schema has had.
CREATE TABLE IF NOT EXISTS control.migration (
    schema      text NOT NULL,
    version     int NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schema, version)
);

-- name: version
-- The newest migration a schema has had, 0 for none. $1: the schema.
SELECT coalesce(max(version), 0) FROM control.migration WHERE schema = $1;

-- name: insert_version
-- A schema has had a migration. $1: the schema, $2: the version.
INSERT INTO control.migration (schema, version) VALUES ($1, $2);

-- name: tenants
-- All tenants' names.
SELECT name FROM control.tenant ORDER BY key;

-- name: insert_tenant
-- Write a tenant down; nothing where it stands already. $1: name, $2: title.
INSERT INTO control.tenant (name, title) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;

-- name: role_exists
-- Whether the server has a role. $1: its name.
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1);

-- name: may_become
-- Whether a role was granted to another. $1: the grantee, $2: the role.
SELECT EXISTS (
    SELECT FROM pg_auth_members m
    JOIN pg_roles r ON r.oid = m.roleid
    JOIN pg_roles g ON g.oid = m.member
    WHERE g.rolname = $1 AND r.rolname = $2 AND m.set_option
);

-- name: current_user
-- Who we are.
SELECT current_user::text;

-- name: is_superuser
-- Whether we may do anything.
SELECT rolsuper FROM pg_roles WHERE rolname = current_user;
