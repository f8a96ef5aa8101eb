-- name: insert_key
-- A provisioning key. $1: tenant, $2: name, $3: hash of the secret, $4: profile, $5: pattern, $6: dataset or null, $7, $8:
-- longitude and latitude or nulls, $9: whether it renews, $10: how many devices, $11: by, $12: at, $13: until. Answers nothing
-- where the name is taken.
INSERT INTO provisioning_key (tenant_key, name, secret_hash, profile, pattern, dataset, lon, lat, renews, max_devices,
    created_by, created_at, expires_at)
SELECT key, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 FROM tenant WHERE name = $1
ON CONFLICT (tenant_key, name) DO NOTHING
RETURNING key;

-- name: count_keys
-- How many provisioning keys a tenant has. $1: tenant.
SELECT count(*) FROM provisioning_key k JOIN tenant t ON t.key = k.tenant_key WHERE t.name = $1;

-- name: list_keys
-- A tenant's provisioning keys by name, with how many devices each has let in. $1: tenant.
SELECT k.name, k.profile, k.pattern, k.dataset, k.lon, k.lat, k.renews, k.max_devices, k.created_by, k.created_at, k.expires_at,
    k.revoked_at, (SELECT count(*) FROM provisioned p WHERE p.key = k.key) AS devices
FROM provisioning_key k JOIN tenant t ON t.key = k.tenant_key WHERE t.name = $1 ORDER BY k.name;

-- name: revoke_key
-- End a provisioning key; one that has ended stays as it is. $1: tenant, $2: name, $3: at. Answers its key if it is there.
UPDATE provisioning_key k SET revoked_at = coalesce(k.revoked_at, $3) FROM tenant t
WHERE t.key = k.tenant_key AND t.name = $1 AND k.name = $2 RETURNING k.key;

-- name: key_by_secret
-- The provisioning key of a secret, if it holds. $1: the secret's hash, $2: now.
SELECT k.key, t.name AS tenant, k.tenant_key, k.name, k.profile, k.pattern, k.dataset, k.lon, k.lat, k.renews, k.max_devices
FROM provisioning_key k JOIN tenant t ON t.key = k.tenant_key
WHERE k.secret_hash = $1 AND k.revoked_at IS NULL AND k.expires_at > $2;

-- name: lock_key
-- Let one device at a time take a place. $1: a provisioning key.
SELECT FROM provisioning_key WHERE key = $1 FOR UPDATE;

-- name: place_of
-- Which provisioning key has let a device in. $1: tenant key, $2: device.
SELECT key FROM provisioned WHERE tenant_key = $1 AND device = $2;

-- name: take_place
-- A device takes a place, if there is one left. $1: tenant key, $2: device, $3: provisioning key, $4: at, $5: how many there are.
INSERT INTO provisioned (tenant_key, device, key, at)
SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM provisioned WHERE key = $3) < $5
RETURNING key;

-- name: leave_place
-- A place is free again. $1: tenant key, $2: device, $3: provisioning key.
DELETE FROM provisioned WHERE tenant_key = $1 AND device = $2 AND key = $3;

-- name: renewed
-- A device was given another secret. $1: tenant key, $2: device, $3: at.
UPDATE provisioned SET renewed_at = $3 WHERE tenant_key = $1 AND device = $2;

-- name: is_disabled
-- Whether somebody has shut a device out. $1: tenant key, $2: device.
SELECT EXISTS (SELECT FROM device_login WHERE tenant_key = $1 AND username = $2 AND disabled_at IS NOT NULL);
