-- name: handle
-- What authenticators know an account by; a new one for its first passkey. $1: account, $2: the new one.
UPDATE account SET passkey_handle = coalesce(passkey_handle, $2) WHERE name = $1 RETURNING passkey_handle, title;

-- name: lock
-- An account whose passkeys are about to change: two changes at once are one after the other. $1: account.
SELECT key FROM account WHERE name = $1 FOR UPDATE;

-- name: insert
-- A new passkey; no row comes back where its id is taken. $1: id, $2: account, $3: site, $4: title, $5: public key,
-- $6: count, $7: whether it can be synced, $8: whether it is, $9: transports, $10: now.
INSERT INTO passkey (id, account_key, site, title, public_key, sign_count, is_syncable, is_synced, transports, created_at)
SELECT $1, key, $3, $4, $5, $6, $7, $8, $9, $10 FROM account WHERE name = $2
ON CONFLICT (id) DO NOTHING
RETURNING key;

-- name: list
-- An account's passkeys, in the order in which they came. $1: account.
SELECT passkey.key, id, site, passkey.title, is_synced, transports, passkey.created_at, used_at, doubted_at
FROM passkey JOIN account ON account.key = account_key
WHERE account.name = $1
ORDER BY passkey.key;

-- name: answering
-- The passkey that answers, and whose it is; not of an account that is shut out. $1: id.
SELECT passkey.key, account.name AS account, passkey_handle, site, public_key, sign_count, is_syncable
FROM passkey JOIN account ON account.key = account_key
WHERE id = $1 AND disabled_at IS NULL
FOR UPDATE OF passkey;

-- name: owner
-- Whose passkey this is. $1: id.
SELECT account.name FROM passkey JOIN account ON account.key = account_key WHERE id = $1;

-- name: used
-- A passkey has opened the door. $1: key, $2: count, $3: whether it is synced, $4: now.
UPDATE passkey SET sign_count = $2, is_synced = $3, used_at = $4 WHERE key = $1;

-- name: doubted
-- A passkey's count went back. $1: key, $2: now.
UPDATE passkey SET doubted_at = $2 WHERE key = $1;

-- name: rename
-- What a passkey is called. $1: account, $2: key, $3: title. No row comes back where it is not the account's.
UPDATE passkey SET title = $3
FROM account
WHERE account.key = account_key AND account.name = $1 AND passkey.key = $2
RETURNING passkey.key;

-- name: remove
-- A passkey opens nothing any more. $1: account, $2: key. No row comes back where it is not the account's.
DELETE FROM passkey USING account
WHERE account.key = account_key AND account.name = $1 AND passkey.key = $2
RETURNING passkey.title;

-- name: remove_all
-- None of an account's passkeys opens anything any more. $1: account. Answers their titles.
DELETE FROM passkey USING account
WHERE account.key = account_key AND account.name = $1
RETURNING passkey.title;
