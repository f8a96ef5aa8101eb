-- name: begin
-- Something to come back from a browser. $1: SHA-256, $2: purpose, $3: account or null, $4: until.
INSERT INTO ceremony (hash, purpose, account_key, expires_at)
VALUES ($1, $2, (SELECT key FROM account WHERE name = $3), $4);

-- name: finish
-- It has come back: one row for the first who comes. $1: SHA-256, $2: purpose, $3: now.
DELETE FROM ceremony
WHERE hash = $1 AND purpose = $2 AND expires_at > $3
RETURNING (SELECT name FROM account WHERE key = account_key) AS account;

-- name: prune
-- Forget what will not come back, and the oldest where there are too many. $1: now, $2: how many there may be.
DELETE FROM ceremony
WHERE hash IN (
    SELECT hash FROM ceremony WHERE expires_at <= $1
    UNION ALL
    (SELECT hash FROM ceremony ORDER BY expires_at DESC OFFSET $2)
);
