-- name: insert
-- A new account; no row comes back where the name is taken. $1: name, $2: title, $3: password hash or null, $4: now.
INSERT INTO account (name, title, password_hash, created_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO NOTHING
RETURNING key;

-- name: password
-- What a sign-in is checked against. $1: name.
SELECT key, password_hash, disabled_at FROM account WHERE name = $1;

-- name: set_password
-- A new password. $1: name, $2: hash or null.
UPDATE account SET password_hash = $2 WHERE name = $1 RETURNING key;

-- name: set_disabled
-- Shut an account out, or let it in again. $1: name, $2: since when, or null.
UPDATE account SET disabled_at = $2 WHERE name = $1 RETURNING key;

-- name: grant_role
-- A role in a tenant; nothing where it is held already. $1: account, $2: tenant, $3: role.
INSERT INTO account_role (account_key, tenant_key, role)
SELECT account.key, tenant.key, $3 FROM account, tenant WHERE account.name = $1 AND tenant.name = $2
ON CONFLICT DO NOTHING;

-- name: withdraw_role
-- Take a role away. $1: account, $2: tenant, $3: role.
DELETE FROM account_role
USING account, tenant
WHERE account.key = account_key AND tenant.key = tenant_key AND account.name = $1 AND tenant.name = $2 AND role = $3;

-- name: list
-- All accounts with their roles as [tenant, role] pairs; of one tenant only where it is given. $1: tenant or null.
SELECT account.name, account.title, account.created_at, account.disabled_at,
       account.password_hash IS NOT NULL AS has_password,
       coalesce(array_agg(tenant.name ORDER BY tenant.name, role) FILTER (WHERE role IS NOT NULL), '{}') AS tenants,
       coalesce(array_agg(role ORDER BY tenant.name, role) FILTER (WHERE role IS NOT NULL), '{}') AS roles
FROM account
LEFT JOIN account_role ON account_key = account.key
LEFT JOIN tenant ON tenant.key = tenant_key
WHERE $1::text IS NULL OR tenant.name = $1
GROUP BY account.key
ORDER BY account.name;

-- name: titles
-- What accounts are called. $1: names.
SELECT name, title FROM account WHERE name = ANY ($1::text[]);

-- name: exists
-- Whether there is an account. $1: name.
SELECT EXISTS (SELECT FROM account WHERE name = $1);

-- name: tenant_exists
-- Whether there is a tenant. $1: name.
SELECT EXISTS (SELECT FROM tenant WHERE name = $1);
