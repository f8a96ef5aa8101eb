-- name: account
-- Whose account somebody known elsewhere has here, and whether it is shut out. $1: issuer, $2: subject.
SELECT account.name, disabled_at FROM identity JOIN account ON account.key = account_key WHERE issuer = $1 AND subject = $2;

-- name: link
-- From now on somebody known elsewhere has this account; no row comes back where either has another already.
-- $1: issuer, $2: subject, $3: account, $4: now.
INSERT INTO identity (issuer, subject, account_key, linked_at)
SELECT $1, $2, key, $4 FROM account WHERE name = $3
ON CONFLICT DO NOTHING
RETURNING account_key;

-- name: used
-- Somebody came in. $1: issuer, $2: subject, $3: now.
UPDATE identity SET used_at = $3 WHERE issuer = $1 AND subject = $2;

-- name: linked
-- Since when an account is somebody's who is known elsewhere. $1: account, $2: issuer.
SELECT linked_at FROM identity JOIN account ON account.key = account_key WHERE account.name = $1 AND issuer = $2;

-- name: unlink
-- An account is nobody's who is known elsewhere. $1: account, $2: issuer. No row comes back where it was not.
DELETE FROM identity USING account
WHERE account.key = account_key AND account.name = $1 AND issuer = $2
RETURNING subject;

-- name: other_way
-- Whether an account can be entered without being known elsewhere. $1: account.
SELECT password_hash IS NOT NULL OR EXISTS (SELECT FROM passkey WHERE account_key = account.key) FROM account WHERE name = $1;

-- name: roles
-- The roles of an account. $1: account.
SELECT tenant.name AS tenant, role
FROM account_role
JOIN account ON account.key = account_key
JOIN tenant ON tenant.key = tenant_key
WHERE account.name = $1;
