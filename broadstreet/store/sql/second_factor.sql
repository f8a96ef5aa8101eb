-- name: begin
-- A new secret for codes; no row comes back where one is in force. $1: account, $2: secret, $3: by which key it is sealed,
-- $4: now.
INSERT INTO totp (account_key, secret, sealed_by, created_at)
SELECT key, $2, $3, $4 FROM account WHERE name = $1
ON CONFLICT (account_key) DO UPDATE
SET secret = excluded.secret, sealed_by = excluded.sealed_by, created_at = excluded.created_at, last_step = 0
WHERE totp.confirmed_at IS NULL
RETURNING account_key;

-- name: secret
-- What an account's codes are made from, confirmed or not. $1: account.
SELECT secret, sealed_by, confirmed_at FROM totp JOIN account ON account.key = account_key WHERE account.name = $1;

-- name: spend_step
-- Take the code of a step, unless it or a later one was taken; the first confirms. $1: account, $2: step, $3: now.
UPDATE totp SET last_step = $2, confirmed_at = coalesce(confirmed_at, $3)
FROM account
WHERE account.key = account_key AND account.name = $1 AND last_step < $2
RETURNING account_key;

-- name: spend_code
-- Take a recovery code: one row for the first who comes. $1: account, $2: SHA-256.
DELETE FROM recovery_code USING account
WHERE account.key = account_key AND account.name = $1 AND hash = $2
RETURNING account_key;

-- name: forget_codes
-- No recovery code of an account holds any more. $1: account.
DELETE FROM recovery_code USING account WHERE account.key = account_key AND account.name = $1;

-- name: insert_codes
-- New recovery codes. $1: account, $2: SHA-256 of each.
INSERT INTO recovery_code (hash, account_key)
SELECT hash, key FROM account, unnest($2::bytea[]) AS new (hash) WHERE account.name = $1;

-- name: remove
-- Ask an account for no codes any more. $1: account. No row comes back where it was not asked.
DELETE FROM totp USING account WHERE account.key = account_key AND account.name = $1 RETURNING account_key;

-- name: state
-- Whether an account is asked for codes, how many passkeys it has, and how many recovery codes are left. $1: account.
SELECT EXISTS (SELECT FROM totp WHERE account_key = account.key AND confirmed_at IS NOT NULL) AS has_codes,
       (SELECT count(*) FROM passkey WHERE account_key = account.key) AS passkeys,
       (SELECT count(*) FROM recovery_code WHERE account_key = account.key) AS codes
FROM account WHERE name = $1;

-- name: roles
-- The roles of an account, in whatever tenant. $1: account.
SELECT DISTINCT role FROM account_role JOIN account ON account.key = account_key WHERE account.name = $1;

-- name: pending
-- Whose sign-in waits for its second factor. $1: SHA-256 of what was presented, $2: now.
SELECT account.name FROM token JOIN account ON account.key = account_key
WHERE hash = $1 AND kind = 'pending' AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2 AND disabled_at IS NULL
FOR UPDATE OF token;

-- name: finish
-- A sign-in waits no more. $1: SHA-256, $2: now.
UPDATE token SET used_at = $2 WHERE hash = $1;
