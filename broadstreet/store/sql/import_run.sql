-- Imports: how far a file has come, and the sensors it brings.

-- name: find
-- The run of a file by a mapping. $1: the file's hash, $2: the mapping's.
SELECT * FROM import_run WHERE file_hash = $1 AND mapping_hash = $2;

-- name: insert
-- A new run; nothing where another starter was quicker. $1: file hash, $2: mapping hash, $3: file name, $4: origin key,
-- $5: at.
INSERT INTO import_run (file_hash, mapping_hash, file_name, origin_key, started_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (file_hash, mapping_hash) DO NOTHING;

-- name: try_lock
-- Keep a second importer of the same run away for as long as this connection lives. $1: the run's key.
SELECT pg_try_advisory_lock(hashtext('import_run ' || current_schema()), $1);

-- name: unlock
-- Let the run go. $1: its key.
SELECT pg_advisory_unlock(hashtext('import_run ' || current_schema()), $1);

-- name: advance
-- How far a run is now, in the transaction that wrote its rows. $1: key, $2: rows done before, $3: rows done,
-- $4: accepted, $5: rejected, $6: skipped, $7: repeated, $8: corrected, $9: ambiguous, $10: shifted, $11: rejects bytes.
UPDATE import_run SET
    rows_done = $3, accepted = $4, rejected = $5, skipped = $6, repeated = $7, corrected = $8, ambiguous = $9,
    shifted = $10, rejects_bytes = $11
WHERE key = $1 AND rows_done = $2;

-- name: finish
-- A run is through. $1: key, $2: at.
UPDATE import_run SET finished_at = $2 WHERE key = $1;

-- name: insert_series
-- Series of a dataset; those that exist are left. $1: entity keys, $2: term keys, $3: dataset key.
INSERT INTO series (entity_key, term_key, dataset_key)
SELECT e.key, t.key, $3 FROM unnest($1::int[]) AS e (key) CROSS JOIN unnest($2::int[]) AS t (key)
ON CONFLICT (entity_key, term_key, dataset_id, parent_key) DO NOTHING;

-- name: revive
-- Deleted entities that newer readings bring back. $1: keys of the series with new current values.
UPDATE entity SET deleted_at = NULL
WHERE deleted_at IS NOT NULL AND key IN (SELECT entity_key FROM series WHERE key = ANY ($1::int[]))
RETURNING key, id, types;
