"""Observations that a house already holds before it is measured, of the series that the load will feed.

Rows are written in order of time, as they would have come, and the key's index is built afterwards: a hundred million
take minutes, not an hour. They end a minute before the load begins.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from benchmarks.house import Subject
from broadstreet.store.migration import tenant_schema

STEP_S = 60
ROWS_AT_ONCE = 2_000_000
_KEY = """
SELECT conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE conrelid = 'observation'::regclass AND contype = 'p'
"""
_FILL = f"""
INSERT INTO observation (series_key, observed_at, origin_key, number)
SELECT fed.key, now() - interval '{STEP_S} seconds' * step, $1, round((20 + 5 * sin(step * 0.01 + fed.key))::numeric, 2)
FROM generate_series($2::int, $3::int, -1) step CROSS JOIN (
    SELECT s.key FROM series s JOIN device d ON d.entity_key = s.entity_key
    WHERE NOT EXISTS (SELECT FROM attribute a WHERE a.series_key = s.key)
) fed
"""


async def preload(subject: Subject, rows: int, series: int) -> None:
    """Write that many rows, spread over the series; the house's roles are idle meanwhile."""
    began_s = time.monotonic()
    connection = await asyncpg.connect(subject.house.engines.addresses.postgres_dsn)
    try:
        await connection.execute(f"SET search_path = {tenant_schema(subject.database.name)}")
        origin = await connection.fetchval(
            "INSERT INTO origin (kind, at, principal) VALUES ('simulated', now(), 'benchmark') RETURNING key"
        )
        left, portion = -(-rows // series), max(1, ROWS_AT_ONCE // series)
        async with without_key(connection):
            while left > 0:
                await connection.execute(_FILL, origin, left, max(1, left - portion + 1))
                left -= portion
    finally:
        await connection.close()
    print(f"  {rows:,} rows were there before, written in {time.monotonic() - began_s:.0f} s", flush=True)


@asynccontextmanager
async def without_key(connection: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[None]:
    """Observations without their key's index; it is built at the end, and the table left as autovacuum keeps one."""
    await connection.execute("SET maintenance_work_mem = '1GB'")
    (key,) = await connection.fetch(_KEY)
    await connection.execute(f"ALTER TABLE observation DROP CONSTRAINT {key['name']}")
    yield
    await connection.execute(f"ALTER TABLE observation ADD CONSTRAINT {key['name']} {key['definition']}")
    await connection.execute("VACUUM ANALYZE observation")
    await connection.execute("CHECKPOINT")
