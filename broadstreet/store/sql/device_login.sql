-- name: upsert
-- Log-ins of devices; a secret that is there is replaced, and whoever is refused stays so. $1: tenant, $2: user names, $3: device keys, $4: hashes, $5: salts.
INSERT INTO device_login (username, tenant_key, device_key, secret_hash, salt)
SELECT username, t.key, device_key, secret_hash, salt
FROM unnest($2::text[], $3::int[], $4::bytea[], $5::bytea[]) AS new (username, device_key, secret_hash, salt)
JOIN tenant t ON t.name = $1
ON CONFLICT (username) DO UPDATE
SET secret_hash = EXCLUDED.secret_hash, salt = EXCLUDED.salt
WHERE device_login.tenant_key = EXCLUDED.tenant_key AND device_login.device_key = EXCLUDED.device_key
RETURNING username;

-- name: known
-- Who stands behind user names. $1: user names.
SELECT l.username, t.name AS tenant, l.device_key FROM device_login l JOIN tenant t ON t.key = l.tenant_key
WHERE l.username = ANY ($1::text[]);

-- name: secrets
-- What a log-in may be proved by: its own secret, and those that are on loan. $1: user name, $2: now.
SELECT t.name AS tenant, l.device_key, l.disabled_at, one.secret_hash, one.salt
FROM device_login l
JOIN tenant t ON t.key = l.tenant_key
CROSS JOIN LATERAL (
    SELECT l.secret_hash, l.salt
    UNION ALL
    SELECT loan.secret_hash, loan.salt FROM device_loan loan WHERE loan.username = l.username AND loan.expires_at > $2
) one
WHERE l.username = $1;

-- name: lend
-- Secrets on loan, beside devices' own. $1: tenant, $2: user names, $3: hashes, $4: salts, $5: until when.
INSERT INTO device_loan (username, secret_hash, salt, expires_at)
SELECT new.username, new.secret_hash, new.salt, $5
FROM unnest($2::text[], $3::bytea[], $4::bytea[]) AS new (username, secret_hash, salt)
JOIN device_login l ON l.username = new.username
JOIN tenant t ON t.key = l.tenant_key AND t.name = $1
RETURNING username;

-- name: give_back
-- Loans end. $1: their salts.
DELETE FROM device_loan WHERE salt = ANY ($1::bytea[]);

-- name: forget_loans
-- Loans that have run out. $1: now.
DELETE FROM device_loan WHERE expires_at <= $1;

-- name: disable
-- Refuse a device, or let it in again; one that is refused stays so since when it was. $1: user name, $2: at or null.
UPDATE device_login SET disabled_at = CASE WHEN $2::timestamptz IS NOT NULL THEN coalesce(disabled_at, $2) END
WHERE username = $1;

-- name: is_disabled
-- Whether a log-in is refused. $1: user name.
SELECT EXISTS (SELECT FROM device_login WHERE username = $1 AND disabled_at IS NOT NULL);

-- name: ended
-- Which sign-ins hold no longer: the device is gone or refused; its secret, loan or certificate is another, or over.
-- $1: user names, $2: what each was proved by, a salt or a fingerprint, $3: now.
SELECT asked.username, asked.proof
FROM unnest($1::text[], $2::bytea[]) AS asked (username, proof)
LEFT JOIN device_login l ON l.username = asked.username AND l.disabled_at IS NULL
LEFT JOIN device_loan o ON o.salt = asked.proof AND o.username = l.username AND o.expires_at > $3
LEFT JOIN device_certificate c ON c.fingerprint = asked.proof AND c.username = l.username
    AND c.revoked_at IS NULL AND c.expires_at > $3
WHERE l.username IS NULL OR (l.salt <> asked.proof AND o.salt IS NULL AND c.fingerprint IS NULL);
