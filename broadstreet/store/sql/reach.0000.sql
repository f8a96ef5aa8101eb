-- What a limited principal sees of a tenant: views that are called what the tenant's tables are called, in a schema beside
-- them, with a role that reaches nothing else. So every query of the house, asked there, is limited in PostgreSQL itself:
-- its rows, its counts, its filters. No data is here; the schema is made anew at each start, after the migrations. It is
-- made with `reach_<tenant>, tenant_<tenant>` as search path: a name means the table until a view of that name is there.
--
-- The setting broadstreet.reach of a connection says how far it goes: a list of items, in order; each series belongs to the
-- first item that names it, and one that none names is not there. Without the setting there is nothing. A list that is
-- left out restricts nothing. An item that is `whole` shows what it names as it is (a limited token); one that is not (the
-- public view) shows the present of what was not deleted, numbers alone of the past, no sub-attribute but the unit, places
-- and times as coarse as it says.
--
-- Written with what PostgreSQL can take into the query that asks: no WITH, nothing that hides an index, and so few tables in
-- a view's own FROM that two views together stay below join_collapse_limit, beyond which each would be read whole.

CREATE FUNCTION reach_item() RETURNS TABLE (
    place int,
    whole boolean,
    type_keys int[],
    dataset_keys int[],
    term_keys int[],
    classes text[],                                       -- of personal data that may be shown
    grain interval,                                       -- null: readings; otherwise means of so long
    position_m float8,                                    -- null: places as they are; otherwise rounded to so much
    from_at timestamptz,                                  -- nothing observed before
    until_at timestamptz                                  -- where the mean begins that is not complete yet
) LANGUAGE sql STABLE SECURITY DEFINER ROWS 4
BEGIN ATOMIC
    SELECT i.place, coalesce(i.whole, false),
        CASE WHEN i.types IS NOT NULL THEN ARRAY(SELECT t.key FROM term t WHERE t.iri = ANY (i.types)) END,
        CASE WHEN i.datasets IS NOT NULL THEN ARRAY(SELECT d.key FROM dataset d WHERE d.id = ANY (i.datasets)) END,
        CASE WHEN i.attributes IS NOT NULL THEN ARRAY(SELECT t.key FROM term t WHERE t.iri = ANY (i.attributes)) END,
        i.classes, make_interval(secs => i.grain_s), i.position_m, to_timestamp(i.from_s), to_timestamp(i.until_s)
    FROM jsonb_to_recordset(nullif(current_setting('broadstreet.reach', true), '')::jsonb) AS i (
        place int, whole boolean, types text[], datasets text[], attributes text[], classes text[], grain_s float8,
        position_m float8, from_s float8, until_s float8
    );
END;

-- A point (longitude, latitude) moved to the nearest corner of a grid of so many metres.
CREATE FUNCTION rounded(at point, step_m float8) RETURNS point LANGUAGE sql IMMUTABLE
RETURN (
    SELECT point(
        round((round(at[0] / lon_step) * lon_step)::numeric, 6)::float8, round(lat::numeric, 6)::float8
    )
    FROM (
        SELECT lat, step_m / (111320 * greatest(cos(radians(lat)), 0.01)) AS lon_step
        FROM (SELECT round(at[1] / (step_m / 111320)) * (step_m / 111320) AS lat) parallel
    ) grid
);

-- The series that are there, each with what its item says. What has no dataset of its own, such as a name or a place,
-- goes with the entity's series that have.
CREATE VIEW seen AS
SELECT s.key, s.entity_key, s.term_key, s.dataset_id, s.parent_key, s.dataset_key, s.owner, s.purpose, s.licence,
    s.personal_data, s.retention, i.place AS item, i.whole, i.grain, i.position_m, i.from_at, i.until_at
FROM series s
CROSS JOIN LATERAL (
    SELECT r.place, r.whole, r.grain, r.position_m, r.from_at, r.until_at
    FROM entity e CROSS JOIN reach_item() r
    WHERE e.key = s.entity_key
      AND (r.type_keys IS NULL OR r.type_keys && e.types)
      AND (r.term_keys IS NULL OR s.term_key = ANY (r.term_keys))
      AND (r.dataset_keys IS NULL OR s.dataset_key = ANY (r.dataset_keys) OR (s.dataset_key IS NULL AND EXISTS (
          SELECT FROM series o WHERE o.entity_key = s.entity_key AND o.dataset_key = ANY (r.dataset_keys)
      )))
      AND (r.classes IS NULL OR r.classes @> ARRAY[coalesce(
          s.personal_data, (SELECT d.personal_data FROM dataset d WHERE d.key = s.dataset_key), 'none'
      )])
      AND (r.whole OR (e.deleted_at IS NULL AND s.parent_key IS NULL))
    ORDER BY r.place
    LIMIT 1
) i;

-- A reading that is shown as means is the newest complete one; one that is no number has none, and is not there. A value
-- that was written without a time of observation is a fact, and stands as it is.
CREATE VIEW attribute AS
SELECT a.series_key, s.entity_key, s.term_key, s.dataset_id, a.meta_key, a.kind,
    CASE WHEN s.whole THEN a.version ELSE 1 END AS version,
    coalesce(newest.at, a.as_of) AS as_of, coalesce(newest.at, a.observed_at) AS observed_at,
    CASE WHEN s.whole THEN a.created_at ELSE coalesce(newest.at, a.as_of) END AS created_at,
    CASE WHEN s.whole THEN a.modified_at ELSE coalesce(newest.at, a.as_of) END AS modified_at,
    a.deleted_at, CASE WHEN s.whole THEN a.origin_key ELSE 0 END AS origin_key,
    CASE WHEN newest.at IS NULL THEN a.number ELSE (
        SELECT avg(o.number) FROM observation o
        WHERE o.series_key = a.series_key AND o.observed_at >= newest.at AND o.observed_at < newest.at + s.grain
    ) END AS number,
    CASE
        WHEN a.kind <> 1 OR s.position_m IS NULL THEN a.value
        ELSE jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(near.at[0], near.at[1]))
    END AS value
FROM attribute a
JOIN seen s ON s.key = a.series_key
LEFT JOIN LATERAL (
    SELECT date_bin(s.grain, o.observed_at, 'epoch') AS at
    FROM observation o
    WHERE o.series_key = a.series_key AND o.observed_at < s.until_at AND o.number IS NOT NULL
    ORDER BY o.observed_at DESC
    LIMIT 1
) newest ON s.grain IS NOT NULL AND a.observed_at IS NOT NULL AND a.number IS NOT NULL
LEFT JOIN LATERAL (
    SELECT rounded(center(p.bounds), s.position_m) AS at FROM place p WHERE p.series_key = a.series_key
) near ON s.position_m IS NOT NULL AND a.kind = 1
WHERE s.whole OR (
    a.deleted_at IS NULL
    AND (s.grain IS NULL OR a.observed_at IS NULL OR newest.at IS NOT NULL)
    AND (s.from_at IS NULL OR a.observed_at IS NULL OR coalesce(newest.at, a.observed_at) >= s.from_at)
    AND (s.position_m IS NULL OR a.kind <> 1 OR near.at IS NOT NULL)
);

CREATE VIEW place AS
SELECT p.series_key, p.entity_key, p.term_key,
    CASE WHEN s.position_m IS NULL THEN p.bounds ELSE box(near.at, near.at) END AS bounds,
    CASE
        WHEN s.position_m IS NULL THEN p.geojson
        ELSE jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(near.at[0], near.at[1]))
    END AS geojson
FROM place p
JOIN seen s ON s.key = p.series_key
CROSS JOIN LATERAL (SELECT rounded(center(p.bounds), s.position_m) AS at) near
WHERE EXISTS (SELECT FROM attribute a WHERE a.series_key = p.series_key);

CREATE VIEW observation AS
SELECT o.series_key, o.meta_key, o.observed_at, CASE WHEN s.whole THEN o.origin_key ELSE 0 END AS origin_key, o.number,
    o.value, CASE WHEN s.whole THEN o.modified_at END AS modified_at, o.n
FROM observation o
JOIN seen s ON s.key = o.series_key
WHERE s.whole
   OR (s.grain IS NULL AND o.number IS NOT NULL AND (s.from_at IS NULL OR o.observed_at >= s.from_at))
UNION ALL
SELECT o.series_key, max(o.meta_key), date_bin(s.grain, o.observed_at, 'epoch'), 0, avg(o.number), NULL, NULL, 0::smallint
FROM observation o
JOIN seen s ON s.key = o.series_key
WHERE NOT s.whole AND s.grain IS NOT NULL AND o.number IS NOT NULL
  AND (s.from_at IS NULL OR o.observed_at >= s.from_at) AND o.observed_at < s.until_at
GROUP BY o.series_key, date_bin(s.grain, o.observed_at, 'epoch');

-- An entity is there where something of it is; whole, also where it has nothing. Of its types those that were named.
CREATE VIEW entity AS
SELECT e.key, e.id,
    ARRAY(
        SELECT own.key FROM unnest(e.types) AS own (key)
        WHERE EXISTS (SELECT FROM reach_item() r WHERE r.type_keys IS NULL OR own.key = ANY (r.type_keys))
        ORDER BY own.key
    ) AS types,
    CASE WHEN (SELECT bool_and(r.whole) FROM reach_item() r) THEN e.scopes ELSE '{}' END AS scopes,
    e.created_at,
    CASE WHEN (SELECT bool_and(r.whole) FROM reach_item() r) THEN e.modified_at ELSE e.created_at END AS modified_at,
    e.deleted_at, e.expires_at
FROM entity e
WHERE EXISTS (SELECT FROM seen s JOIN attribute a ON a.series_key = s.key WHERE s.entity_key = e.key)
   OR EXISTS (SELECT FROM reach_item() r WHERE r.whole AND r.dataset_keys IS NULL AND r.type_keys && e.types);

CREATE VIEW series AS
SELECT key, entity_key, term_key, dataset_id, parent_key, dataset_key, owner, purpose, licence, personal_data, retention
FROM seen;

CREATE VIEW transient AS
SELECT t.series_key, t.entity_key, t.expires_at, t.next_at
FROM transient t
WHERE EXISTS (SELECT FROM seen s WHERE s.key = t.series_key);

CREATE VIEW dataset AS
SELECT d.key, d.id, d.title, d.owner, d.purpose, d.licence, d.personal_data, d.retention, d.simulated, d.created_at
FROM dataset d
WHERE EXISTS (SELECT FROM seen s WHERE s.dataset_key = d.key);

CREATE VIEW meta AS
SELECT m.key,
    CASE
        WHEN (SELECT bool_and(r.whole) FROM reach_item() r) THEN m.body
        ELSE jsonb_strip_nulls(jsonb_build_object('unitCode', m.body -> 'unitCode', 'expiresAt', m.body -> 'expiresAt'))
    END AS body,
    m.hash
FROM meta m;

CREATE VIEW origin AS
SELECT o.key, o.kind, o.at
FROM origin o
WHERE (SELECT bool_and(r.whole) FROM reach_item() r);

-- Files hold readings as they came: who sees less sees what the table holds.
CREATE VIEW past_file AS
SELECT f.name, f.from_at, f.to_at, f.first_series, f.last_series, f.rows, f.bytes
FROM past_file f
WHERE (SELECT bool_and(r.whole) FROM reach_item() r);

CREATE VIEW term AS SELECT t.key, t.iri FROM term t;

-- When attributes were deleted, and what scopes things had: of what is shown whole.
CREATE VIEW deletion AS
SELECT d.series_key, d.deleted_at, d.observed_at, d.origin_key
FROM deletion d JOIN seen s ON s.key = d.series_key
WHERE s.whole;

CREATE VIEW scoped AS
SELECT c.entity_key, c.observed_at, c.scopes, c.recorded_at
FROM scoped c
WHERE (SELECT bool_and(r.whole) FROM reach_item() r) AND EXISTS (SELECT FROM entity e WHERE e.key = c.entity_key);
