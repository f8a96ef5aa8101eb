-- name: insert
-- Write a certificate down, unless it is there; nothing where the tenant has no such device.
-- $1: fingerprint, $2: tenant, $3: user name, $4: whether ours, $5: by whom, $6: now, $7: until when.
INSERT INTO device_certificate (fingerprint, username, is_ours, created_by, created_at, expires_at)
SELECT $1, l.username, $4, $5, $6, $7
FROM device_login l JOIN tenant t ON t.key = l.tenant_key AND t.name = $2
WHERE l.username = $3
ON CONFLICT (fingerprint) DO NOTHING
RETURNING username;

-- name: list
-- A device's certificates, newest first. $1: tenant, $2: user name.
SELECT c.fingerprint, c.is_ours, c.created_by, c.created_at, c.expires_at, c.revoked_at
FROM device_certificate c
JOIN device_login l ON l.username = c.username
JOIN tenant t ON t.key = l.tenant_key AND t.name = $1
WHERE c.username = $2
ORDER BY c.created_at DESC, c.fingerprint
LIMIT 100;

-- name: holder
-- Whose a certificate is, and whether it holds. $1: fingerprint.
SELECT t.name AS tenant, l.device_key, l.username, l.disabled_at, c.expires_at, c.revoked_at
FROM device_certificate c
JOIN device_login l ON l.username = c.username
JOIN tenant t ON t.key = l.tenant_key
WHERE c.fingerprint = $1;

-- name: in_use
-- How many of a device's certificates hold. $1: user name, $2: now.
SELECT count(*) FROM device_certificate WHERE username = $1 AND revoked_at IS NULL AND expires_at > $2;

-- name: revoke
-- End one. $1: tenant, $2: user name, $3: fingerprint, $4: now.
UPDATE device_certificate c SET revoked_at = $4
FROM device_login l, tenant t
WHERE c.fingerprint = $3 AND c.username = $2 AND c.revoked_at IS NULL
  AND l.username = c.username AND t.key = l.tenant_key AND t.name = $1
RETURNING c.username;
