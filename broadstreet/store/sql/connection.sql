-- name: saw
-- What a gateway saw of devices' connections: the newest fact of each. A device that is gone meanwhile is left out.
-- $1: the gateway, $2: device keys, $3: connected at, $4: disconnected at or null while connected, $5: why it ended.
INSERT INTO connection (device_key, gateway, connected_at, disconnected_at, reason)
SELECT device_key, $1, connected_at, disconnected_at, reason
FROM unnest($2::int[], $3::timestamptz[], $4::timestamptz[], $5::text[])
    AS new (device_key, connected_at, disconnected_at, reason)
JOIN device ON device.key = new.device_key
ON CONFLICT (device_key) DO UPDATE SET gateway = EXCLUDED.gateway, connected_at = EXCLUDED.connected_at,
    disconnected_at = EXCLUDED.disconnected_at, reason = EXCLUDED.reason;

-- name: saw_refused
-- Sign-ins that were refused under devices' ids. $1: the gateway, $2: device keys, $3: when, $4: why.
INSERT INTO connection (device_key, gateway, refused_at, refused_reason)
SELECT device_key, $1, refused_at, refused_reason
FROM unnest($2::int[], $3::timestamptz[], $4::text[]) AS new (device_key, refused_at, refused_reason)
JOIN device ON device.key = new.device_key
ON CONFLICT (device_key) DO UPDATE SET refused_at = EXCLUDED.refused_at, refused_reason = EXCLUDED.refused_reason;

-- name: lost
-- A gateway begins: whatever it left open when it ended without a word is closed. $1: the gateway, $2: now, $3: why.
UPDATE connection SET disconnected_at = $2, reason = $3 WHERE gateway = $1 AND disconnected_at IS NULL
    AND connected_at IS NOT NULL;
