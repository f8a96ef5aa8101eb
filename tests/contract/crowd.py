"""A tenant with so much in it that PostgreSQL's planner has to choose: written by SQL, in a second or two."""

from __future__ import annotations

from typing import Final

import asyncpg

ENTITIES: Final = 5_000
OBSERVATIONS_EACH: Final = 20
ORIGINS: Final = 200_000
LINES: Final = 20_000
"""In the audit, and of tokens."""

_CROWD: Final = f"""
INSERT INTO term (iri) SELECT 'urn:term:' || n FROM generate_series(1, 200) n;
INSERT INTO origin (kind, at, principal)
SELECT 'pack', timestamptz '2026-02-01' + n * interval '1 s', 'gateway-t' FROM generate_series(1, {ORIGINS}) n;
INSERT INTO meta (body, hash) SELECT jsonb_build_object('n', n), sha256(n::text::bytea) FROM generate_series(1, 500) n;
INSERT INTO entity (id, types, created_at, modified_at)
SELECT 'urn:crowd:' || n, ARRAY[(SELECT min(key) FROM term WHERE iri LIKE 'urn:term:%') + n % 50], now(), now()
FROM generate_series(1, {ENTITIES}) n;
INSERT INTO device (id, entity_key, profile_key, registered_at)
SELECT 'crowd-' || e.key, e.key, (SELECT min(key) FROM profile), now() FROM entity e WHERE e.id LIKE 'urn:crowd:%';
INSERT INTO heard (device_key, first_at, last_at, messages)
SELECT key, now(), now(), 1 FROM device ON CONFLICT DO NOTHING;
INSERT INTO series (entity_key, term_key)
SELECT e.key, (SELECT min(key) FROM term WHERE iri LIKE 'urn:term:%') + (e.key + n) % 100
FROM entity e CROSS JOIN generate_series(1, 2) n WHERE e.id LIKE 'urn:crowd:%';
INSERT INTO attribute (
    series_key, entity_key, term_key, as_of, observed_at, created_at, modified_at, origin_key, number
)
SELECT key, entity_key, term_key, now(), now(), now(), now(),
    (SELECT min(origin.key) FROM origin) + key % {ORIGINS}, key
FROM series
ON CONFLICT DO NOTHING;
INSERT INTO place (series_key, entity_key, term_key, bounds, geojson)
SELECT min(s.key), e.key, (SELECT key FROM term WHERE iri LIKE '%/location'),
       box(point(20 + e.key * 0.001, 60), point(20 + e.key * 0.001, 60)), '{{"type": "Point", "coordinates": [20, 60]}}'
FROM entity e JOIN series s ON s.entity_key = e.key WHERE e.id LIKE 'urn:crowd:%' GROUP BY e.key;
INSERT INTO observation (series_key, observed_at, origin_key, number)
SELECT s.key, timestamptz '2026-02-01' + n * interval '1 h', (SELECT min(key) FROM origin) + n, n
FROM series s CROSS JOIN generate_series(1, {OBSERVATIONS_EACH}) n ON CONFLICT DO NOTHING;
INSERT INTO import_run (file_hash, mapping_hash, file_name, origin_key, started_at)
SELECT sha256(n::text::bytea), sha256('m'), 'file', (SELECT min(key) FROM origin), now() FROM generate_series(1, 500) n;
"""
_PEOPLE: Final = f"""
INSERT INTO account (name, title) SELECT 'crowd-' || n, 'One of many' FROM generate_series(1, {LINES // 10}) n;
INSERT INTO account_role (account_key, tenant_key, role)
SELECT account.key, tenant.key, 'viewer' FROM account, tenant WHERE account.key % 2 = tenant.key % 2
ON CONFLICT DO NOTHING;
INSERT INTO token (hash, account_key, kind, title, created_at, expires_at)
SELECT sha256(n::text::bytea), (SELECT min(key) FROM account) + n % 2000, 'api', 'token', now(), now() + '1 year'
FROM generate_series(1, {LINES}) n;
INSERT INTO audit (at, principal, tenant, action, subject)
SELECT now(), 'crowd-' || n % 2000, CASE n % 3 WHEN 0 THEN 'city' WHEN 1 THEN 'harbour' END, 'device.create', 'a-' || n
FROM generate_series(1, {LINES}) n;
INSERT INTO device_login (username, tenant_key, device_key, secret_hash, salt)
SELECT 'crowd-' || n, (SELECT min(key) FROM tenant), 1000000 + n, sha256('s'), sha256('t')
FROM generate_series(1, {ENTITIES}) n;
INSERT INTO device_certificate (fingerprint, username, is_ours, created_by, created_at, expires_at)
SELECT sha256(username::bytea), username, true, 'crowd', now(), now() + '1 year' FROM device_login
ON CONFLICT DO NOTHING;
INSERT INTO passkey
    (id, account_key, site, title, public_key, sign_count, is_syncable, is_synced, transports, created_at)
SELECT sha256(name::bytea), key, 'city.example', 'Key', 'x', 0, true, true, '{{}}', now() FROM account;
INSERT INTO identity (issuer, subject, account_key, linked_at)
SELECT 'https://login.example', 'crowd-' || key, key, now() FROM account;
INSERT INTO ceremony (hash, purpose, expires_at)
SELECT sha256(n::text::bytea), 'passkey-first', now() + '1 year' FROM generate_series(1, {LINES // 10}) n;
INSERT INTO sign_in_attempt (subject, since, attempts)
SELECT 'account:crowd-' || n, now(), 1 FROM generate_series(1, {LINES // 10}) n;
"""


async def gather(dsn: str, tenant: str) -> None:
    """Fill a tenant, and the people of the house, and let the planner know."""
    connection = await asyncpg.connect(dsn)
    try:
        for schema, statements in ((f"tenant_{tenant}", _CROWD), ("control", _PEOPLE)):
            await connection.execute(f"SET search_path TO {schema}")
            await connection.execute(statements)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
