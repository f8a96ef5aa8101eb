-- name: insert
-- A new token of an account that is not shut out. $1: SHA-256, $2: account, $3: kind, $4: title, $5: now, $6: until,
-- $7: the permissions it is limited to, $8: entity types, $9: datasets, each or null.
INSERT INTO token (hash, account_key, kind, title, created_at, expires_at, permissions, types, datasets)
SELECT $1, key, $3, $4, $5, $6, $7, $8, $9 FROM account WHERE name = $2 AND disabled_at IS NULL
RETURNING key;

-- name: holder
-- Who holds a token that is still good, a row for each tenant with the roles there; tenant and roles are null for
-- an account that has none. $1: SHA-256, $2: kind, $3: now.
SELECT account.name, account.title, token.title AS token, token.expires_at, token.permissions, token.types,
       token.datasets, tenant.name AS tenant, array_agg(role) AS roles
FROM token
JOIN account ON account.key = account_key
LEFT JOIN account_role USING (account_key)
LEFT JOIN tenant ON tenant.key = tenant_key
WHERE hash = $1 AND kind = $2 AND expires_at > $3 AND revoked_at IS NULL AND disabled_at IS NULL
GROUP BY account.key, token.key, tenant.key
ORDER BY tenant.key;

-- name: began
-- When a session that is presented was begun. $1: SHA-256.
SELECT created_at FROM token WHERE hash = $1 AND kind = 'session';

-- name: use_link
-- Spend a one-time link: one row for the first who comes, none afterwards. $1: SHA-256, $2: now.
UPDATE token SET used_at = $2
FROM account
WHERE hash = $1 AND kind = 'link' AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2
  AND account.key = account_key AND disabled_at IS NULL
RETURNING account.name;

-- name: revoke
-- End tokens whose public id (the first bytes of the hash) is this. $1: id, $2: now, $3: whose they must be, or null.
UPDATE token SET revoked_at = $2
FROM account
WHERE account.key = account_key AND substring(hash FOR 8) = $1 AND revoked_at IS NULL
  AND ($3::text IS NULL OR account.name = $3)
RETURNING account.name;

-- name: revoke_hash
-- End one token by what was presented. $1: SHA-256, $2: now.
UPDATE token SET revoked_at = $2 WHERE hash = $1 AND revoked_at IS NULL;

-- name: revoke_sessions
-- End an account's sessions and links, as a new password does. $1: account key, $2: now.
UPDATE token SET revoked_at = $2 WHERE account_key = $1 AND kind <> 'api' AND revoked_at IS NULL;

-- name: revoke_everywhere
-- End all sessions and links of an account but one. $1: account, $2: now, $3: SHA-256 of the one that stays, or null.
-- Answers how many were ended.
WITH ended AS (
    UPDATE token SET revoked_at = $2
    FROM account
    WHERE account.key = account_key AND account.name = $1 AND kind <> 'api' AND revoked_at IS NULL AND expires_at > $2
      AND hash IS DISTINCT FROM $3::bytea
    RETURNING token.key
)
SELECT count(*) FROM ended;

-- name: in_use
-- What still holds of an account's tokens and sessions, newest first. $1: account, $2: now.
SELECT encode(substring(hash FOR 8), 'hex') AS id, account.name AS account, kind, token.title, token.created_at,
       expires_at, used_at, revoked_at, permissions, types, datasets
FROM token JOIN account ON account.key = account_key
WHERE account.name = $1 AND kind IN ('api', 'session') AND revoked_at IS NULL AND expires_at > $2
ORDER BY token.key DESC
LIMIT 1000;

-- name: list
-- Tokens of an account, or of all, newest first; spent and expired ones only as long as they are kept. $1: account or null.
SELECT encode(substring(hash FOR 8), 'hex') AS id, account.name AS account, kind, token.title, token.created_at,
       expires_at, used_at, revoked_at, permissions, types, datasets
FROM token JOIN account ON account.key = account_key
WHERE $1::text IS NULL OR account.name = $1
ORDER BY token.key DESC
LIMIT 1000;

-- name: prune
-- Forget sessions and links that ended before a time; API tokens stay, for the audit. $1: before.
DELETE FROM token
WHERE key IN (SELECT key FROM token WHERE kind <> 'api' AND expires_at < $1 FOR UPDATE SKIP LOCKED);

-- name: count_attempt
-- Count an attempt to sign in; a window that is over begins anew. $1: subject, $2: now, $3: windows begun before this
-- are over. Answers how many there were in this window, this one included, and since when.
INSERT INTO sign_in_attempt AS a (subject, since, attempts)
VALUES ($1, $2, 1)
ON CONFLICT (subject) DO UPDATE
SET attempts = CASE WHEN a.since < $3 THEN 1 ELSE a.attempts + 1 END,
    since = CASE WHEN a.since < $3 THEN $2 ELSE a.since END
RETURNING attempts, since;

-- name: forgive_attempts
-- A sign-in that held clears what it was counted under. $1: subjects.
DELETE FROM sign_in_attempt WHERE subject = ANY ($1::text[]);

-- name: prune_attempts
-- Forget windows that are over. $1: begun before.
DELETE FROM sign_in_attempt
WHERE subject IN (SELECT subject FROM sign_in_attempt WHERE since < $1 FOR UPDATE SKIP LOCKED);
