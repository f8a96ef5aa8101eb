"""A past to ask questions of: many series every minute for some hours, a few every five minutes for a year.

Rows are written in order of time, all series side by side, as they would have come.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from benchmarks.preload import without_key
from broadstreet.engines import Engines
from broadstreet.store.migration import tenant_schema

END_US: Final = 1_790_000_000_000_000
MINUTE_S: Final = 60
FIVE_MINUTES_S: Final = 300
ROWS_AT_ONCE: Final = 1_000_000
PACKS: Final = 50
"""From how many packs, and so under how many origins, the readings of one step came."""

_ENTITIES = """
WITH made AS (
    INSERT INTO entity (id, types, created_at, modified_at)
    SELECT 'urn:ngsi-ld:T' || $2::int || ':' || i, '{1}', now(), now() FROM generate_series(1, $1::int) i RETURNING key
)
INSERT INTO series (entity_key, term_key) SELECT key, $2::int FROM made RETURNING key
"""
_CURRENT = """
INSERT INTO attribute (
    series_key, entity_key, term_key, is_fed, as_of, observed_at, created_at, modified_at, origin_key, number
)
SELECT key, entity_key, term_key, true, to_timestamp($1), to_timestamp($1), to_timestamp($1), to_timestamp($1), $2, 20
FROM series
"""
_FILL = f"""
INSERT INTO observation (series_key, observed_at, origin_key, number)
SELECT key, to_timestamp($1 - step * $2::int), $3 + ($7::int - step) * {PACKS} + key % {PACKS},
    round((20 + 5 * sin(step * 0.01 + key) + random())::numeric, 2)
FROM generate_series($4::int, $5::int, -1) step CROSS JOIN unnest($6::int[]) key
ORDER BY step DESC, key
"""


class Stretch(msgspec.Struct, frozen=True):
    """So many series, each observed every step_s for so long, up to the end of all."""

    series: int
    step_s: int
    length_s: int

    @property
    def steps(self) -> int:
        return self.length_s // self.step_s


class Laid(msgspec.Struct, frozen=True):
    """What was written: for each stretch its attribute's term and its series."""

    rows: int
    term_keys: list[int]
    series_keys: list[list[int]]


async def lay(dsn: str, tenant: str, stretches: list[Stretch]) -> Laid:
    """Write stretches into an empty tenant; the later they begin, the later they are written."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"SET search_path = {tenant_schema(tenant)}")
        origin = await connection.fetchval(
            "INSERT INTO origin (kind, at, principal) VALUES ('simulated', now(), 'benchmark') RETURNING key"
        )
        terms, keys = [], []
        for number, stretch in enumerate(stretches):
            name = f"urn:level-{number}"
            terms.append(await connection.fetchval("INSERT INTO term (iri) VALUES ($1) RETURNING key", name))
            keys.append([row["key"] for row in await connection.fetch(_ENTITIES, stretch.series, terms[-1])])
        await connection.execute(_CURRENT, END_US / 1e6, origin)
        rows = 0
        async with without_key(connection):
            for stretch, series in sorted(zip(stretches, keys, strict=True), key=lambda one: -one[0].length_s):
                left, portion = stretch.steps, max(1, ROWS_AT_ONCE // stretch.series)
                while left > 0:
                    first = max(1, left - portion + 1)
                    await connection.execute(
                        _FILL, END_US / 1e6, stretch.step_s, origin, left, first, series, stretch.steps
                    )
                    rows, left = rows + (left - first + 1) * stretch.series, first - 1
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return Laid(rows, terms, keys)


async def settle(dsn: str, tenant: str) -> None:
    """What autovacuum does by itself in time: what was deleted is not looked at any more."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"VACUUM ANALYZE {tenant_schema(tenant)}.observation")
    finally:
        await connection.close()


async def chill(engines: Engines) -> None:
    """Stop the engines, let the system forget what it has of their files, and start them again."""
    await engines.stop()
    await asyncio.to_thread(_forget, engines.data_dir)
    await engines.start()


def _forget(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
