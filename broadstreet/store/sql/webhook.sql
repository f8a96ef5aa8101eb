-- name: insert
-- A webhook. $1: tenant, $2: name, $3: hash of the secret, $4: device or null, $5: device field or null, $6: items field or
-- null, $7: sealed signing key or null, $8: by which key it is sealed or null, $9: by, $10: at. Answers nothing where the name is
-- taken.
INSERT INTO webhook
    (tenant_key, name, secret_hash, device, device_field, items_field, signing_key, sealed_by, created_by, created_at)
SELECT key, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM tenant WHERE name = $1
ON CONFLICT (tenant_key, name) DO NOTHING
RETURNING key;

-- name: count
-- How many webhooks a tenant has. $1: tenant.
SELECT count(*) FROM webhook w JOIN tenant t ON t.key = w.tenant_key WHERE t.name = $1;

-- name: list
-- A tenant's webhooks by name. $1: tenant.
SELECT w.name, w.device, w.device_field, w.items_field, w.signing_key IS NOT NULL AS is_signed, w.created_by, w.created_at, w.used_at
FROM webhook w JOIN tenant t ON t.key = w.tenant_key WHERE t.name = $1 ORDER BY w.name;

-- name: delete
-- Remove a webhook. $1: tenant, $2: name. Answers its key if it was there.
DELETE FROM webhook w USING tenant t WHERE t.key = w.tenant_key AND t.name = $1 AND w.name = $2 RETURNING w.key;

-- name: by_secret
-- The webhook of a secret. $1: the secret's hash.
SELECT w.key, t.name AS tenant, w.name, w.device, w.device_field, w.items_field, w.signing_key, w.sealed_by
FROM webhook w JOIN tenant t ON t.key = w.tenant_key WHERE w.secret_hash = $1;

-- name: used
-- A webhook was called. $1: its key, $2: at, $3: a time before which it is written down again.
UPDATE webhook SET used_at = $2 WHERE key = $1 AND (used_at IS NULL OR used_at < $3);
