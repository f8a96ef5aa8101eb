-- name: totp
-- Secrets of codes that are not sealed by a key. $1: the key's id, $2: after this row, $3: how many at most.
SELECT account_key AS key, account.name AS about, secret, sealed_by
FROM totp JOIN account ON account.key = account_key
WHERE sealed_by IS DISTINCT FROM $1 AND account_key > $2
ORDER BY account_key
LIMIT $3
FOR UPDATE OF totp;

-- name: seal_totp
-- A secret of codes, sealed. $1: row, $2: as it is kept, $3: the key's id.
UPDATE totp SET secret = $2, sealed_by = $3 WHERE account_key = $1;

-- name: webhook
-- Signing keys of webhooks that are not sealed by a key. $1: the key's id, $2: after this row, $3: how many at most.
SELECT webhook.key, tenant.name || ' ' || webhook.name AS about, signing_key AS secret, sealed_by
FROM webhook JOIN tenant ON tenant.key = tenant_key
WHERE signing_key IS NOT NULL AND sealed_by IS DISTINCT FROM $1 AND webhook.key > $2
ORDER BY webhook.key
LIMIT $3
FOR UPDATE OF webhook;

-- name: seal_webhook
-- A signing key, sealed. $1: row, $2: as it is kept, $3: the key's id.
UPDATE webhook SET signing_key = $2, sealed_by = $3 WHERE key = $1;

-- name: keys
-- By which keys secrets are sealed; null among them: some stand open.
SELECT DISTINCT sealed_by FROM totp
UNION
SELECT DISTINCT sealed_by FROM webhook WHERE signing_key IS NOT NULL;
