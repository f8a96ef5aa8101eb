-- name: newest_profile
-- The newest version of a profile. $1: its name.
SELECT key, name, version, body FROM profile WHERE name = $1 ORDER BY version DESC LIMIT 1;

-- name: newest_profiles
-- The newest version of every profile.
SELECT DISTINCT ON (name) key, name, version, body, created_at FROM profile ORDER BY name, version DESC;

-- name: profile_versions
-- All versions of one profile, newest first. $1: its name.
SELECT key, name, version, body, created_at FROM profile WHERE name = $1 ORDER BY version DESC;

-- name: insert_profile
-- A new version of a profile. $1: name, $2: version, $3: TOML, $4: at.
INSERT INTO profile (name, version, body, created_at) VALUES ($1, $2, $3, $4) RETURNING key;

-- name: adopt_profile
-- Devices of any version of a profile go over to one. $1: the profile's name, $2: its new key; answers the devices' keys.
UPDATE device SET profile_key = $2 WHERE profile_key IN (SELECT key FROM profile WHERE name = $1) AND profile_key <> $2
RETURNING key;

-- name: insert_device_profiles
-- From when a profile decodes devices. $1: device keys, $2: since, $3: profile key.
INSERT INTO device_profile (device_key, since, profile_key) SELECT unnest($1::int[]), $2, $3
ON CONFLICT (device_key, since) DO UPDATE SET profile_key = EXCLUDED.profile_key;

-- name: insert_series_for_devices
-- Series for a profile's attributes at its devices' entities. $1: device keys, $2: term keys.
INSERT INTO series (entity_key, term_key, dataset_key)
SELECT d.entity_key, t.term_key, d.dataset_key
FROM device d CROSS JOIN unnest($2::int[]) AS t (term_key)
WHERE d.key = ANY ($1::int[])
ON CONFLICT (entity_key, term_key, dataset_id, parent_key) DO NOTHING;

-- name: bump_registry
-- Tell the recorders that devices or profiles changed.
UPDATE registry_version SET version = version + 1;

-- name: registry_version
-- The count that goes up with every change of devices and profiles.
SELECT version FROM registry_version;

-- name: device_key
-- The key of one device. $1: its id.
SELECT key FROM device WHERE id = $1;

-- name: existing_devices
-- Which of these device ids are registered. $1: ids.
SELECT d.key, d.id, e.id AS entity_id FROM device d JOIN entity e ON e.key = d.entity_key WHERE d.id = ANY ($1::text[]);

-- name: insert_entities
-- Entities; those that exist are left as they are. $1: ids, $2: types, the term key of each, $3: at.
INSERT INTO entity (id, types, created_at, modified_at)
SELECT id, ARRAY[type_key], $3, $3 FROM unnest($1::text[], $2::int[]) AS new (id, type_key)
ON CONFLICT (id) DO NOTHING
RETURNING key, id;

-- name: entity_keys
-- Keys of entities. $1: ids.
SELECT key, id FROM entity WHERE id = ANY ($1::text[]);

-- name: insert_devices
-- Devices. $1: ids, $2: entity keys, $3: profile keys, $4: dataset keys or nulls, $5: registered at.
INSERT INTO device (id, entity_key, profile_key, dataset_key, registered_at)
SELECT id, entity_key, profile_key, dataset_key, $5
FROM unnest($1::text[], $2::int[], $3::int[], $4::int[]) AS new (id, entity_key, profile_key, dataset_key)
RETURNING key, id;

-- name: insert_series
-- Series; those that exist are left. $1: entity keys, $2: term keys, $3: dataset keys or nulls.
INSERT INTO series (entity_key, term_key, dataset_key)
SELECT entity_key, term_key, dataset_key FROM unnest($1::int[], $2::int[], $3::int[]) AS new (entity_key, term_key, dataset_key)
ON CONFLICT (entity_key, term_key, dataset_id, parent_key) DO NOTHING;

-- name: series_keys
-- Series of entities. $1: entity keys, $2: term keys.
SELECT key, entity_key, term_key FROM series
WHERE entity_key = ANY ($1::int[]) AND term_key = ANY ($2::int[]) AND dataset_id = '' AND parent_key IS NULL;

-- name: insert_attributes
-- Values that come with the registration; a value that is there already stays. $1: series keys, $2: kinds, $3: numbers or
-- nulls, $4: JSON values or nulls, $5: meta keys or nulls, $6: at, $7: origin key.
INSERT INTO attribute (
    series_key, entity_key, term_key, dataset_id, kind, number, value, meta_key, as_of, created_at, modified_at, origin_key
)
SELECT new.series_key, s.entity_key, s.term_key, coalesce(s.dataset_id, ''), new.kind, new.number, new.value, new.meta_key, $6, $6, $6, $7
FROM unnest($1::int[], $2::smallint[], $3::float8[], $4::jsonb[], $5::int[]) AS new (series_key, kind, number, value, meta_key)
LEFT JOIN series s ON s.key = new.series_key
ON CONFLICT (series_key) DO NOTHING
RETURNING series_key;

-- name: insert_observations
-- The same values as the first of their past. Parameters as in insert_attributes, without kinds.
INSERT INTO observation (series_key, observed_at, number, value, meta_key, origin_key)
SELECT series_key, $5, number, value, meta_key, $6
FROM unnest($1::int[], $2::float8[], $3::jsonb[], $4::int[]) AS new (series_key, number, value, meta_key)
ON CONFLICT (series_key, observed_at, n) DO NOTHING;

-- name: upsert_places
-- Where entities stand. $1: series keys, $2: entity keys, $3: term key, $4: longitudes, $5: latitudes, $6: GeoJSON.
INSERT INTO place (series_key, entity_key, term_key, bounds, geojson)
SELECT series_key, entity_key, $3, box(point(lon, lat), point(lon, lat)), geojson
FROM unnest($1::int[], $2::int[], $4::float8[], $5::float8[], $6::jsonb[]) AS new (series_key, entity_key, lon, lat, geojson)
ON CONFLICT (series_key) DO NOTHING;

-- name: upsert_meta
-- Intern sub-attributes. $1: bodies, $2: hashes.
INSERT INTO meta (body, hash) SELECT * FROM unnest($1::jsonb[], $2::bytea[]) ON CONFLICT (hash) DO NOTHING;

-- name: meta_keys
-- Keys of interned sub-attributes. $1: hashes.
SELECT key, hash FROM meta WHERE hash = ANY ($1::bytea[]);

-- name: dataset_keys
-- Keys of datasets. $1: ids.
SELECT key, id FROM dataset WHERE id = ANY ($1::text[]);

-- name: upsert_dataset
-- A dataset with its steward's facts, brought up to date. $1: id, $2: title, $3: owner, $4: purpose, $5: licence,
-- $6: personal data class, $7: retention or null, $8: simulated.
INSERT INTO dataset (id, title, owner, purpose, licence, personal_data, retention, simulated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, owner = EXCLUDED.owner, purpose = EXCLUDED.purpose,
    licence = EXCLUDED.licence, personal_data = EXCLUDED.personal_data, retention = EXCLUDED.retention,
    simulated = EXCLUDED.simulated
RETURNING key;

-- name: plans
-- What a recorder must know of devices: their profile and their series. $1: device keys.
SELECT d.key, d.id, d.entity_key, d.profile_key, d.disabled_at
FROM device d WHERE d.key = ANY ($1::int[]);

-- name: profiles_by_key
-- Profiles. $1: keys.
SELECT key, name, version, body FROM profile WHERE key = ANY ($1::int[]);

-- name: device_by_id
-- One device, and what its entity is called. $1: its id, $2: the IRI of a name.
SELECT d.key, d.id, d.entity_key, e.id AS entity_id, called.value AS name, p.name AS profile,
    p.version AS profile_version, d.registered_at, d.disabled_at, h.first_at, h.last_at, coalesce(h.messages, 0) AS messages
FROM device d
JOIN entity e ON e.key = d.entity_key
JOIN profile p ON p.key = d.profile_key
LEFT JOIN heard h ON h.device_key = d.key
LEFT JOIN LATERAL (
    SELECT a.value
    FROM series s JOIN attribute a ON a.series_key = s.key AND a.deleted_at IS NULL
    WHERE s.entity_key = e.key AND s.term_key = (SELECT key FROM term WHERE iri = $2)
      AND s.dataset_id = '' AND s.parent_key IS NULL
) called ON true
WHERE d.id = $1;

-- name: devices
-- Devices by id, as in device_by_id. $1: behind which id, '' to begin; $2: how many at most, $3: the IRI of a name.
SELECT d.key, d.id, d.entity_key, e.id AS entity_id, called.value AS name, p.name AS profile,
    p.version AS profile_version, d.registered_at, d.disabled_at, h.first_at, h.last_at, coalesce(h.messages, 0) AS messages
FROM device d
JOIN entity e ON e.key = d.entity_key
JOIN profile p ON p.key = d.profile_key
LEFT JOIN heard h ON h.device_key = d.key
LEFT JOIN LATERAL (
    SELECT a.value
    FROM series s JOIN attribute a ON a.series_key = s.key AND a.deleted_at IS NULL
    WHERE s.entity_key = e.key AND s.term_key = (SELECT key FROM term WHERE iri = $3)
      AND s.dataset_id = '' AND s.parent_key IS NULL
) called ON true
WHERE d.id > $1 ORDER BY d.id LIMIT $2;

-- name: disable_device
-- Stop or let in a device; one that is stopped stays so since when it was. $1: its key, $2: at, or null to let it in again.
UPDATE device SET disabled_at = CASE WHEN $2::timestamptz IS NOT NULL THEN coalesce(disabled_at, $2) END WHERE key = $1;

-- name: enabled_devices
-- Keys of devices that may send. $1: ids.
SELECT key, id FROM device WHERE id = ANY ($1::text[]) AND disabled_at IS NULL;

-- name: enabled_profiles
-- The profiles of devices that may send. $1: ids.
SELECT d.id, d.profile_key FROM device d WHERE d.id = ANY ($1::text[]) AND d.disabled_at IS NULL;

-- name: was_met
-- Whether a device has ever connected, or was heard. $1: its id.
SELECT EXISTS (SELECT FROM connection c WHERE c.device_key = d.key AND c.connected_at IS NOT NULL)
    OR EXISTS (SELECT FROM heard h WHERE h.device_key = d.key)
FROM device d WHERE d.id = $1;

-- name: entities
-- The entities of devices. $1: the devices' ids.
SELECT d.id, e.id AS entity FROM device d JOIN entity e ON e.key = d.entity_key WHERE d.id = ANY ($1::text[]);
