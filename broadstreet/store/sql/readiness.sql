-- name: versions
-- The newest migration that every schema has had.
SELECT schema, max(version) AS version FROM migration GROUP BY schema;
