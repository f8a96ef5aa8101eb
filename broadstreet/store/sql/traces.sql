-- What changes leave behind that is no value: deletions of attributes, and scopes over time.

-- name: keep_deletions
-- Attributes were deleted. $1: series, $2: when, $3: when that was observed, where it was told of the past; else null,
-- $4: origin.
INSERT INTO deletion AS d (series_key, deleted_at, observed_at, origin_key)
SELECT series_key, deleted_at, observed_at, $4::bigint
FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS g (series_key, deleted_at, observed_at)
ON CONFLICT (series_key, deleted_at) DO UPDATE SET observed_at = coalesce(d.observed_at, excluded.observed_at);

-- name: keep_scopes
-- Since when entities had scopes. $1: entities, $2: since when, $3: scopes of each as an array's text, $4: now.
INSERT INTO scoped (entity_key, observed_at, scopes, recorded_at)
SELECT entity_key, observed_at, scopes::text[], $4
FROM unnest($1::int[], $2::timestamptz[], $3::text[]) AS g (entity_key, observed_at, scopes)
ON CONFLICT (entity_key, observed_at) DO UPDATE SET scopes = excluded.scopes, recorded_at = excluded.recorded_at;

-- name: settle_scopes
-- The scopes of entities are the newest of them. $1: entities.
UPDATE entity e SET scopes = n.scopes
FROM (
    SELECT DISTINCT ON (entity_key) entity_key, scopes FROM scoped WHERE entity_key = ANY ($1::int[])
    ORDER BY entity_key, observed_at DESC
) n
WHERE e.key = n.entity_key AND e.scopes <> n.scopes;

-- name: deletions
-- When attributes were deleted, oldest first. $1: series, $2: from, $3: to, $4: whether the time counts at which that was
-- observed, which only those have that were told, $5: how many of each at most, $6: whether to begin with the newest.
SELECT d.series_key, d.deleted_at, d.observed_at
FROM unnest($1::int[]) AS s (key)
CROSS JOIN LATERAL (
    SELECT o.series_key, o.deleted_at, o.observed_at FROM deletion o
    WHERE o.series_key = s.key
      AND CASE WHEN $4::bool THEN o.observed_at ELSE o.deleted_at END >= $2::timestamptz
      AND CASE WHEN $4::bool THEN o.observed_at ELSE o.deleted_at END < $3::timestamptz
    ORDER BY CASE WHEN $6::bool THEN -1 ELSE 1 END * extract(epoch FROM o.deleted_at)
    LIMIT $5
) d
ORDER BY d.series_key, d.deleted_at;

-- name: scopes
-- Scopes of entities, and until when they were valid, oldest first. $1: entities, $2: how many of each at most, the newest.
-- `true /* scopes */` is where a query over them stands, which `holds` answers.
SELECT c.entity_key, c.observed_at, c.recorded_at, c.scopes, true /* scopes */ AS holds, (
    SELECT min(later.observed_at) FROM scoped later
    WHERE later.entity_key = c.entity_key AND later.observed_at > c.observed_at
) AS until
FROM unnest($1::int[]) AS s (key)
CROSS JOIN LATERAL (
    SELECT * FROM scoped o WHERE o.entity_key = s.key ORDER BY o.observed_at DESC LIMIT $2::int
) c
ORDER BY c.entity_key, c.observed_at;

-- name: forget_deletions
-- Nobody shall know when attributes were deleted. $1: series.
DELETE FROM deletion WHERE series_key = ANY ($1::int[]);

-- name: forget_scopes
-- Nobody shall know what scopes an entity had, but for those it has. $1: entity.
DELETE FROM scoped s
WHERE s.entity_key = $1::int
  AND EXISTS (SELECT FROM scoped later WHERE later.entity_key = s.entity_key AND later.observed_at > s.observed_at);
