-- name: insert
-- Write terms down; those that stand already are left. $1: IRIs.
INSERT INTO term (iri) SELECT unnest($1::text[]) ON CONFLICT (iri) DO NOTHING;

-- name: keys
-- Keys of known terms. $1: IRIs.
SELECT key, iri FROM term WHERE iri = ANY ($1::text[]);

-- name: iris
-- IRIs of keys. $1: keys.
SELECT key, iri FROM term WHERE key = ANY ($1::int[]);
