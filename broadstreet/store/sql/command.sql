-- name: choose_devices
-- Devices that are not shut out, by what they are and where they stand; null asks for nothing. $1: device ids, $2: IRI of
-- a type, $3: street, $4: IRI of an address, $5 to $8: west, south, east, north in degrees, $9: entity ids, $10: how many.
SELECT d.key, d.id
FROM device d
JOIN entity e ON e.key = d.entity_key AND e.deleted_at IS NULL
WHERE d.disabled_at IS NULL
  AND ($1::text[] IS NULL OR d.id = ANY ($1))
  AND ($2::text IS NULL OR e.types @> ARRAY[(SELECT key FROM term WHERE iri = $2)])
  AND ($3::text IS NULL OR EXISTS (
      SELECT FROM series s JOIN attribute a ON a.series_key = s.key AND a.deleted_at IS NULL
      WHERE s.entity_key = e.key AND s.term_key = (SELECT key FROM term WHERE iri = $4)
        AND a.value ->> 'streetAddress' = $3))
  AND ($5::float8 IS NULL OR EXISTS (
      SELECT FROM place p
      WHERE p.entity_key = e.key AND p.bounds && box(point($5, $6::float8), point($7::float8, $8::float8))))
  AND ($9::text[] IS NULL OR e.id = ANY ($9))
ORDER BY d.id LIMIT $10;

-- name: crowded
-- A device of these that has as many open commands as it may. $1: device keys, $2: how many.
SELECT d.id FROM command c JOIN device d ON d.key = c.device_key
WHERE c.device_key = ANY ($1::int[]) AND c.next_at IS NOT NULL
GROUP BY d.id HAVING count(*) >= $2 LIMIT 1;

-- name: insert
-- Commands, one a device. $1: ids, $2: device keys, $3: name, $4: body, $5: by, $6: why, $7: now, $8: until when.
INSERT INTO command (id, device_key, name, body, principal, why, created_at, expires_at, next_at)
SELECT id, device_key, $3, $4, $5, $6, $7, $8, $7 FROM unnest($1::text[], $2::int[]) AS new (id, device_key);

-- name: list
-- Commands, newest first. $1: device or null, $2: state or null, $3: before (a row's key, or null), $4: how many at most.
SELECT c.key, c.id, d.id AS device, c.name, c.body, c.principal, c.why, c.state, c.created_at, c.expires_at, c.offers,
    c.offered_at, c.delivered_at, c.ended_at, c.result
FROM command c JOIN device d ON d.key = c.device_key
WHERE ($1::text IS NULL OR c.device_key = (SELECT key FROM device WHERE id = $1))
  AND ($2::text IS NULL OR c.state = $2)
  AND ($3::bigint IS NULL OR c.key < $3)
ORDER BY c.key DESC LIMIT $4;

-- name: find
-- One command. $1: its id.
SELECT c.key, c.id, d.id AS device, c.name, c.body, c.principal, c.why, c.state, c.created_at, c.expires_at, c.offers,
    c.offered_at, c.delivered_at, c.ended_at, c.result
FROM command c JOIN device d ON d.key = c.device_key WHERE c.id = $1;

-- name: cancel
-- End a command that is open. $1: its id, $2: now. Answers its key if it was open.
UPDATE command SET state = 'cancelled', next_at = NULL, ended_at = $2 WHERE id = $1 AND next_at IS NOT NULL RETURNING key;

-- name: expire
-- End commands whose time is over. $1: now, $2: how many at most. Answers their ids.
UPDATE command SET state = 'expired', next_at = NULL, ended_at = $1
WHERE key IN (SELECT key FROM command WHERE next_at IS NOT NULL AND expires_at <= $1
              ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING id;

-- name: due
-- Open commands that are to be offered: their pause is over, or their device has connected since. $1: now, $2: how many.
SELECT c.key, c.id, d.id AS device, c.name, c.body, c.created_at, c.expires_at, c.offers
FROM command c
JOIN device d ON d.key = c.device_key AND d.disabled_at IS NULL
LEFT JOIN connection n ON n.device_key = c.device_key AND n.disconnected_at IS NULL
WHERE c.next_at IS NOT NULL AND c.expires_at > $1 AND (c.next_at <= $1 OR n.connected_at > c.offered_at)
ORDER BY c.key LIMIT $2 FOR UPDATE OF c SKIP LOCKED;

-- name: offered
-- Commands were offered. $1: keys, $2: now, $3: when each is offered next.
UPDATE command c SET offers = offers + 1, offered_at = $2, next_at = new.next_at
FROM unnest($1::bigint[], $3::timestamptz[]) AS new (key, next_at) WHERE c.key = new.key AND c.next_at IS NOT NULL;

-- name: fetch
-- The oldest open command of a device, handed over: it has it now. One that was fetched stands back for a pause, in which
-- it may be answered; that it was offered by MQTT meanwhile does not put it off, since the answer may have been lost on
-- its way. $1: device, $2: now, $3: when it is offered next, $4: fetched by then, it may be handed over again.
UPDATE command c
SET offers = offers + 1, offered_at = $2, next_at = $3, delivered_at = coalesce(delivered_at, $2), fetched_at = $2,
    state = 'delivered'
WHERE c.key = (
    SELECT o.key FROM command o
    WHERE o.device_key = (SELECT key FROM device WHERE id = $1 AND disabled_at IS NULL)
      AND o.next_at IS NOT NULL AND o.expires_at > $2
      AND (o.state = 'queued' OR coalesce(o.fetched_at, o.delivered_at, $4) <= $4)
    ORDER BY o.key LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING c.id, c.name, c.body, c.created_at, c.expires_at;

-- name: answer
-- What devices said of their commands; the first answer to a command stands. $1: command ids, $2: device keys, $3: states,
-- $4: results, $5: times. A device that says it has a command moves it on from queued alone.
UPDATE command c
SET state = said.state,
    result = CASE WHEN said.state = 'delivered' THEN c.result ELSE said.result END,
    delivered_at = coalesce(c.delivered_at, said.at),
    ended_at = CASE WHEN said.state = 'delivered' THEN NULL ELSE said.at END,
    next_at = CASE WHEN said.state = 'delivered' THEN c.next_at END
FROM unnest($1::text[], $2::int[], $3::text[], $4::jsonb[], $5::timestamptz[]) AS said (id, device_key, state, result, at)
WHERE c.id = said.id AND c.device_key = said.device_key
  AND CASE WHEN said.state = 'delivered' THEN c.state = 'queued' ELSE c.state NOT IN ('acknowledged', 'rejected') END;

