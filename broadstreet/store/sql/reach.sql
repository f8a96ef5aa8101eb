-- How far a connection to a limited view of a tenant sees; `reach.0000.sql` says what the setting means.

-- name: set
-- Limit what follows on this connection. $1: the items, as JSON.
SELECT set_config('broadstreet.reach', $1, false);
