-- name: insert
-- Who did what to whom. $1: now, $2: principal, $3: tenant or null, $4: action, $5: subject, $6: detail.
INSERT INTO audit (at, principal, tenant, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6);

-- name: list
-- The newest first: of one tenant, and what concerns the accounts that have a role in it without belonging to a tenant.
-- $1: tenant, $2: before (a row's key, or null), $3: how many at most; what follows may be null: $4: who did it, $5: the
-- action, or how it begins, $6: to what, $7: from, $8: to, $9: true for what was refused, false for what was done.
WITH own AS (
    SELECT DISTINCT account.name
    FROM account
    JOIN account_role ON account_key = account.key
    JOIN tenant ON tenant.key = tenant_key AND tenant.name = $1
)
SELECT key, at, principal, tenant, action, subject, detail
FROM audit
WHERE ($2::bigint IS NULL OR key < $2)
  AND ($4::text IS NULL OR principal = $4)
  AND ($5::text IS NULL OR action ^@ $5)
  AND ($6::text IS NULL OR subject = $6)
  AND ($7::timestamptz IS NULL OR at >= $7)
  AND ($8::timestamptz IS NULL OR at < $8)
  AND ($9::boolean IS NULL OR (action LIKE '%.refused') = $9)
  AND (tenant = $1 OR (tenant IS NULL AND EXISTS (
      SELECT FROM own WHERE own.name IN (audit.principal, audit.subject, audit.detail ->> 'account'))))
ORDER BY key DESC
LIMIT $3;
