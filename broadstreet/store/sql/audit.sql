-- name: insert
-- Who did what to whom. $1: now, $2: principal, $3: tenant or null, $4: action, $5: subject, $6: detail.
INSERT INTO audit (at, principal, tenant, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6);

-- name: list
-- The newest first, of one tenant and of no tenant. $1: tenant, $2: before (a row's key, or null), $3: how many at most.
SELECT key, at, principal, tenant, action, subject, detail
FROM audit
WHERE (tenant IS NULL OR tenant = $1) AND ($2::bigint IS NULL OR key < $2)
ORDER BY key DESC
LIMIT $3;
