-- name: claim
-- A request under a key: written down if it is new, or if the one that is there has ended. $1: principal, $2: key, $3: now,
-- $4: fingerprint, $5: when a key that ends now began.
INSERT INTO keyed_request AS k (principal, key, at, fingerprint) VALUES ($1, $2, $3, $4)
ON CONFLICT (principal, key) DO UPDATE
SET at = EXCLUDED.at, fingerprint = EXCLUDED.fingerprint, receipt = NULL WHERE k.at <= $5;

-- name: find
-- What is known of a request under a key. $1: principal, $2: key.
SELECT at, fingerprint, receipt FROM keyed_request WHERE principal = $1 AND key = $2;

-- name: finish
-- All of a request is on disk. $1: principal, $2: key, $3: when it began, $4: its receipt.
UPDATE keyed_request SET receipt = $4 WHERE principal = $1 AND key = $2 AND at = $3;

-- name: forget
-- Keys that have ended. $1: when a key that ends now began.
DELETE FROM keyed_request WHERE at <= $1;
