-- name: keep_log
-- Keep the server's log from now until this session ends. $1: the slot's name.
SELECT pg_create_physical_replication_slot($1, true, true);

-- name: knows
-- Whether every one of these versions of attributes has been written here. $1: series' keys, $2: a version of each.
SELECT NOT EXISTS (
    SELECT FROM unnest($1::int[], $2::bigint[]) AS c (series_key, version)
    LEFT JOIN attribute a USING (series_key)
    WHERE a.version IS NULL OR a.version < c.version
);
