-- What everyone may see, by tenant.

-- name: read
-- A tenant's public view; no row where there never was one, or no such tenant. $1: tenant.
SELECT version, items, changed_at, changed_by FROM public_view JOIN tenant ON tenant.key = tenant_key WHERE name = $1;

-- name: write
-- Put a public view in the place of the version that it was made from; no row comes back where that is not the newest.
-- $1: tenant, $2: the version it was made from, 0 for none, $3: items, $4: now, $5: by whom.
INSERT INTO public_view AS v (tenant_key, version, items, changed_at, changed_by)
SELECT key, $2::int + 1, $3, $4, $5 FROM tenant WHERE name = $1 AND ($2::int = 0 OR EXISTS (
    SELECT FROM public_view own WHERE own.tenant_key = tenant.key AND own.version = $2::int
))
ON CONFLICT (tenant_key) DO UPDATE
SET version = excluded.version, items = excluded.items, changed_at = excluded.changed_at, changed_by = excluded.changed_by
WHERE v.version = $2::int
RETURNING version;
