"""A pool of connections pinned to one role and one schema.

Times cross the border as `int` microseconds since 1970 (`timestamptz` ↔ `*_us`), JSON as Python values (`jsonb`; a
`msgspec.Raw` passes unchanged). Role and search_path come with each connection's start packet, and no query of the
house changes them: a tenant's connection cannot name another tenant's table.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from broadstreet.model.errors import EngineFailed, Unavailable
from broadstreet.store.queries import load_queries
from broadstreet.store.seal import Seal

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

POSTGRES_EPOCH_US = 946_684_800_000_000
"""2000-01-01T00:00:00Z, from which PostgreSQL counts microseconds."""
ACQUIRE_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 60.0
GONE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What giving something back can meet where the server has gone away; the pool drops such a connection by itself."""
_KEEPALIVES = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
"""So the server sees within a minute that a machine is away, and lets its locks go; by default, after two hours."""

_REACH_SQL = load_queries("reach")
_encode_json = msgspec.json.encode
_decode_json = msgspec.json.decode


def _encode_jsonb(value: Any) -> bytes:
    return b"\x01" + _encode_json(value)


def _decode_jsonb(data: bytes) -> Any:
    return _decode_json(data[1:])


def json_array(values: Iterable[Any]) -> list[msgspec.Raw | None]:
    """Values for a jsonb[] parameter: encoded, so that a list is one value and no dimension; None is NULL."""
    return [None if value is None else msgspec.Raw(_encode_json(value)) for value in values]


async def prepare_connection(connection: Connection) -> None:
    """Teach a connection the house's way with times and JSON."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda at_us: (at_us - POSTGRES_EPOCH_US,),
        decoder=lambda parts: parts[0] + POSTGRES_EPOCH_US,
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_encode_jsonb, decoder=_decode_jsonb
    )


async def _keep(_: Connection) -> None:
    """What a connection is given back with: nothing.

    Nobody changes a session's settings, whoever takes an advisory lock lets it go, and an open transaction asyncpg ends
    by itself; a reset by the server would cost every call a round trip more. What a limited connection may see is said
    anew whenever it is taken, and without it there is nothing.
    """


async def _pool(dsn: str, user: str | None, settings: dict[str, str], min_size: int, max_size: int) -> Pool:
    return await asyncpg.create_pool(
        dsn,
        user=user,
        min_size=min_size,
        max_size=max_size,
        init=prepare_connection,
        reset=_keep,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings=settings,
    )


class Database:
    """Connections to one schema: a tenant's, the views of a part of one, or the control schema."""

    def __init__(
        self,
        name: str,
        pool: Pool,
        files: Path | None = None,
        reach: str | None = None,
        planners: Pool | None = None,
    ) -> None:
        """planners: connections that plan each query anew; None: there are none beside the others."""
        self.name = name
        """The tenant's name, or 'control'."""
        self.files = files
        """The folder of what the tenant keeps in files; None where this process was not told of it."""
        self.seal = Seal()
        """What secrets are sealed by; it has no keys where this process was not told of them, nor in a tenant."""
        self._pool = pool
        self._planners = planners
        self._reach = reach

    @property
    def is_whole(self) -> bool:
        """Whether what is kept is seen, and not a part of it through views."""
        return self._reach is None

    def within(self, reach: str) -> Database:
        """The same connections, limited: each is told how far it sees before it is used."""
        return Database(self.name, self._pool, self.files, reach, self._planners)

    @classmethod
    async def open(
        cls,
        name: str,
        dsn: str,
        *,
        user: str | None,
        role: str,
        schema: str,
        min_size: int = 1,
        max_size: int = 8,
        files: Path | None = None,
    ) -> Database:
        """Open the pool. Raises EngineFailed where PostgreSQL does not answer or the role is missing."""
        settings = {"role": role, "search_path": schema, "application_name": f"broadstreet {name}", **_KEEPALIVES}
        try:
            pool = await _pool(dsn, user, settings, min_size, max_size)
            planning = {**settings, "plan_cache_mode": "force_custom_plan"}
            planners = await _pool(dsn, user, planning, 0, max(1, max_size // 2))
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            raise EngineFailed(
                f"PostgreSQL does not answer: {error}",
                where=f"schema {schema}",
                remedy="Check that it runs and is migrated.",
            ) from error
        return cls(name, pool, files, planners=planners)

    async def close(self) -> None:
        """Close all connections; those still in use are cut after a moment."""
        for pool in (self._pool, self._planners):
            if pool is None:
                continue
            try:
                async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def acquire(self, *, plans: bool = False) -> AsyncIterator[Connection]:
        """A connection. plans: one that plans each query for the values that come with it, of which the way to its
        answer hangs; others plan a query once they have seen it five times. Raises Unavailable when none is free in
        time, EngineFailed when the server is away."""
        pool = self._planners if plans and self._planners is not None else self._pool
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
                connection = await pool.acquire()
        except TimeoutError as error:
            raise Unavailable("all database connections are busy", remedy="Try again in a moment.") from error
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
            raise EngineFailed(f"PostgreSQL does not answer: {error}") from error
        except asyncpg.InternalClientError as error:
            raise EngineFailed(f"PostgreSQL went away: {error}") from error
        try:
            if self._reach is not None:
                await connection.fetchval(_REACH_SQL["set"], self._reach)
            yield connection  # type: ignore[misc]  # a PoolConnectionProxy behaves as the connection it stands for
        except asyncpg.InternalClientError as error:
            # So says the driver of a connection that has heard its server's last word and is not closed yet.
            raise EngineFailed(f"PostgreSQL went away: {error}") from error
        finally:
            with suppress(*GONE):
                await pool.release(connection, timeout=ACQUIRE_TIMEOUT_S)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: committed at the end, rolled back when an exception leaves the block."""
        async with self.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield connection
            except BaseException:
                # A rollback that fails, since the server is gone, must not hide why it was asked for: least of all a
                # cancellation.
                with suppress(*GONE):
                    await transaction.rollback()
                raise
            await transaction.commit()

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows of a query."""
        async with self.acquire() as connection:
            return await connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row of a query, or None."""
        async with self.acquire() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first value of the first row, or None."""
        async with self.acquire() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Run a statement; answers its command tag."""
        async with self.acquire() as connection:
            return await connection.execute(sql, *args)

    async def executemany(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement for each row, in one transaction."""
        async with self.acquire() as connection:
            await connection.executemany(sql, rows)
