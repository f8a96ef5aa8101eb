-- What has an end, and what of it has ended.

-- name: next
-- When the next thing ends, and what ended and is not deleted yet: the earliest of all ends.
SELECT least(
    (SELECT min(e.expires_at) FROM entity e WHERE e.expires_at IS NOT NULL AND e.deleted_at IS NULL),
    (SELECT min(t.next_at) FROM transient t)
);

-- name: ended
-- What ended: ids of entities, and series of attributes of theirs. $1: at, $2: how many at most of each.
(SELECT e.id, NULL::int AS series_key FROM entity e
 WHERE e.expires_at <= $1 AND e.deleted_at IS NULL ORDER BY e.expires_at LIMIT $2::int)
UNION ALL
(SELECT e.id, t.series_key FROM transient t JOIN entity e ON e.key = t.entity_key
 WHERE t.next_at <= $1 ORDER BY t.next_at LIMIT $2::int);

-- name: series
-- Attributes that have ended and are not deleted yet. $1: at.
SELECT t.series_key FROM transient t WHERE t.next_at <= $1 AND t.expires_at <= $1;

-- name: keep
-- Attributes that end. $1: series keys, $2: entity keys, $3: their own ends or null, $4: when the first thing of each ends.
INSERT INTO transient (series_key, entity_key, expires_at, next_at)
SELECT * FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[])
ON CONFLICT (series_key) DO UPDATE SET expires_at = excluded.expires_at, next_at = excluded.next_at;

-- name: release
-- These attributes end no more. $1: series keys.
DELETE FROM transient WHERE series_key = ANY ($1::int[]);

-- name: settle
-- What ended of these attributes is deleted. $1: series keys, $2: at.
DELETE FROM transient WHERE series_key = ANY ($1::int[]) AND next_at <= $2;

-- name: forget
-- Take observations that have ended out of the past. $1: series keys, $2: at.
DELETE FROM observation o USING meta m
WHERE o.series_key = ANY ($1::int[]) AND m.key = o.meta_key AND (m.body ->> 'expiresAt')::timestamptz <= $2;
