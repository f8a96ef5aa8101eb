-- name: server
-- The server's version and clock, and what the database takes.
SELECT current_setting('server_version') AS version, now() AS now, pg_database_size(current_database()) AS bytes;

-- name: size
-- What the database takes, in bytes.
SELECT pg_database_size(current_database());
