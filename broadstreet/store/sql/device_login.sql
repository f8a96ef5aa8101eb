-- name: upsert
-- Log-ins of devices; a secret that is there is replaced. $1: tenant, $2: user names, $3: device keys, $4: hashes, $5: salts.
INSERT INTO device_login (username, tenant_key, device_key, secret_hash, salt)
SELECT username, t.key, device_key, secret_hash, salt
FROM unnest($2::text[], $3::int[], $4::bytea[], $5::bytea[]) AS new (username, device_key, secret_hash, salt)
JOIN tenant t ON t.name = $1
ON CONFLICT (username) DO UPDATE
SET secret_hash = EXCLUDED.secret_hash, salt = EXCLUDED.salt, disabled_at = NULL
WHERE device_login.tenant_key = EXCLUDED.tenant_key AND device_login.device_key = EXCLUDED.device_key
RETURNING username;

-- name: known
-- Who stands behind user names. $1: user names.
SELECT l.username, t.name AS tenant, l.device_key FROM device_login l JOIN tenant t ON t.key = l.tenant_key
WHERE l.username = ANY ($1::text[]);

-- name: one
-- A log-in with its hash. $1: user name.
SELECT t.name AS tenant, l.device_key, l.secret_hash, l.salt, l.disabled_at
FROM device_login l JOIN tenant t ON t.key = l.tenant_key WHERE l.username = $1;

-- name: disable
-- Refuse a device, or let it in again. $1: user name, $2: at or null.
UPDATE device_login SET disabled_at = $2 WHERE username = $1;

-- name: shut_out
-- Which of these may not sign in, or no longer. $1: user names.
SELECT username FROM unnest($1::text[]) AS asked (username)
WHERE NOT EXISTS (SELECT FROM device_login l WHERE l.username = asked.username AND l.disabled_at IS NULL);
