-- name: insert
-- Who did what to whom. $1: now, $2: principal, $3: tenant or null, $4: action, $5: subject, $6: detail.
INSERT INTO audit (at, principal, tenant, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6);

-- name: list
-- The newest first: of one tenant, and what concerns the accounts that have a role in it without belonging to a tenant.
-- $1: tenant, $2: before (a row's key, or null), $3: how many at most.
WITH own AS (
    SELECT DISTINCT account.name
    FROM account
    JOIN account_role ON account_key = account.key
    JOIN tenant ON tenant.key = tenant_key AND tenant.name = $1
)
SELECT key, at, principal, tenant, action, subject, detail
FROM audit
WHERE ($2::bigint IS NULL OR key < $2)
  AND (tenant = $1 OR (tenant IS NULL AND EXISTS (
      SELECT FROM own WHERE own.name IN (audit.principal, audit.subject, audit.detail ->> 'account'))))
ORDER BY key DESC
LIMIT $3;
