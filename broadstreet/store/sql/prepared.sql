-- name: prepare
-- Devices known before they are installed; those known already are left. $1: tenant, $2: ids, $3: hashes of claim codes,
-- $4: hashes of secrets, $5: salts, $6: titles, $7: profiles, $8: datasets or nulls, $9: by, $10: at. Answers the new ones.
INSERT INTO prepared_device (tenant_key, device, claim_hash, secret_hash, salt, title, profile, dataset, created_by, created_at)
SELECT t.key, new.device, new.claim_hash, new.secret_hash, new.salt, new.title, new.profile, new.dataset, $9, $10
FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[])
    AS new (device, claim_hash, secret_hash, salt, title, profile, dataset)
JOIN tenant t ON t.name = $1
ON CONFLICT (tenant_key, device) DO NOTHING
RETURNING device;

-- name: count_prepared
-- How many devices of a tenant wait to be installed. $1: tenant.
SELECT count(*) FROM prepared_device p JOIN tenant t ON t.key = p.tenant_key WHERE t.name = $1 AND p.claimed_at IS NULL;

-- name: list_prepared
-- A tenant's prepared devices by id. $1: tenant, $2: behind which id, '' to begin, $3: how many, $4: only those that wait.
SELECT p.device, p.title, p.profile, p.dataset, p.created_by, p.created_at, p.claimed_by, p.claimed_at
FROM prepared_device p JOIN tenant t ON t.key = p.tenant_key
WHERE t.name = $1 AND p.device > $2 AND (NOT $4 OR p.claimed_at IS NULL)
ORDER BY p.device LIMIT $3;

-- name: by_code
-- The prepared device of a claim code. $1: tenant, $2: the code's hash.
SELECT p.device, p.title, p.profile, p.dataset, p.secret_hash, p.salt, p.created_by, p.created_at, p.claimed_by, p.claimed_at
FROM prepared_device p JOIN tenant t ON t.key = p.tenant_key WHERE t.name = $1 AND p.claim_hash = $2;

-- name: claimed
-- A prepared device stands where it belongs. $1: tenant, $2: device, $3: by, $4: at. Answers it if it was not before.
UPDATE prepared_device p SET claimed_by = $3, claimed_at = $4 FROM tenant t
WHERE t.key = p.tenant_key AND t.name = $1 AND p.device = $2 AND p.claimed_at IS NULL RETURNING p.device;

-- name: withdraw
-- A device that waits is not to be installed. $1: tenant, $2: device. Answers it if it was there and waited.
DELETE FROM prepared_device p USING tenant t
WHERE t.key = p.tenant_key AND t.name = $1 AND p.device = $2 AND p.claimed_at IS NULL RETURNING p.device;
