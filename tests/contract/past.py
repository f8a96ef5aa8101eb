"""A tenant with a few series, and the past that is appended to them: for the tests of history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from broadstreet.history import Appended, Observations, append, held, pieces
from broadstreet.history.reading import Observation, observations_of
from broadstreet.store import Database, Store, migrate, write_origin
from broadstreet.store.migration import tenant_schema

T0_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


class Past:
    """A tenant with some series, written to the way an import would."""

    def __init__(self, database: Database, series_keys: list[int], term_key: int) -> None:
        self.database = database
        self.series_keys = series_keys
        self.term_key = term_key

    async def append(
        self, observations: Observations, written_at_us: int = T0_US, kind: str = "import"
    ) -> tuple[Appended, int]:
        async with self.database.transaction() as connection:
            origin_key = await write_origin(connection, kind, "test", written_at_us)
            done = await append(connection, observations, origin_key=origin_key, written_at_us=written_at_us)
        return done, origin_key

    async def rows(self) -> list[tuple[Any, ...]]:
        found = await self.database.fetch(
            "SELECT series_key, observed_at, number, value, origin_key, modified_at FROM observation ORDER BY 1, 2"
        )
        return [tuple(row) for row in found]

    async def current(self, series_key: int) -> asyncpg.Record | None:
        return await self.database.fetchrow("SELECT * FROM attribute WHERE series_key = $1", series_key)

    async def meta(self) -> int:
        """The key of some interned sub-attributes."""
        found = await self.database.fetchval(
            "INSERT INTO meta (body, hash) VALUES ('{\"unitCode\": \"GQ\"}', '\\x01') RETURNING key"
        )
        return int(found)

    async def moved_rows(self) -> int:
        """How many observations files hold."""
        return int(await self.database.fetchval("SELECT sum(rows) FROM past_file"))

    async def analyze(self, postgres_dsn: str) -> None:
        """What autovacuum does by itself in time: as the owner, for a role of its own may not."""
        await self._as_owner(postgres_dsn, "VACUUM (ANALYZE, FREEZE) observation")

    async def rekey(self, postgres_dsn: str, key: str) -> None:
        """Another primary key for observations."""
        await self._as_owner(postgres_dsn, "ALTER TABLE observation DROP CONSTRAINT observation_pkey")
        await self._as_owner(postgres_dsn, f"ALTER TABLE observation ADD {key}")

    async def _as_owner(self, postgres_dsn: str, statement: str) -> None:
        connection = await asyncpg.connect(postgres_dsn)
        try:
            await connection.execute(f"SET search_path = {tenant_schema(self.database.name)}")
            await connection.execute(statement)
        finally:
            await connection.close()


async def all_of(
    database: Database, series_keys: Sequence[int], from_us: int, to_us: int
) -> AsyncIterator[list[Observation]]:
    """All that was observed, of one moment, piece by piece."""
    async with held(database, from_us, to_us) as sight:
        async for frame in pieces(sight, series_keys, from_us, to_us):
            yield observations_of(frame)


@asynccontextmanager
async def open_past(postgres_dsn: str, tenant: str = "city", files: Path | None = None) -> AsyncIterator[Past]:
    """Five entities with a series each, and nothing in them yet. files: where what moves out of the table goes."""
    await migrate(postgres_dsn)
    async with await Store.connect(postgres_dsn, files=files) as store:
        city = await store.create_tenant(tenant, "The city")
        terms = await store.terms(city).intern(["urn:type", "urn:no2"])
        entities = await city.fetch(
            "INSERT INTO entity (id, types, created_at, modified_at) "
            "SELECT 'urn:ngsi-ld:Sensor:' || i, ARRAY[$1::int], now(), now() "
            "FROM generate_series(1, 5) i RETURNING key",
            terms["urn:type"],
        )
        rows = await city.fetch(
            "INSERT INTO series (entity_key, term_key) SELECT unnest($1::int[]), $2 RETURNING key",
            [row["key"] for row in entities],
            terms["urn:no2"],
        )
        yield Past(city, [row["key"] for row in rows], terms["urn:no2"])
