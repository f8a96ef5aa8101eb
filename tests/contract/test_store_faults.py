"""A database that goes away in the middle: said as what it is, and never in place of something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from broadstreet.log import Log
from broadstreet.model.errors import EngineFailed
from broadstreet.recorder import Recorder
from broadstreet.store import Database, Store

PATIENCE_S = 30.0


@pytest.fixture
async def store(city_dsn: str) -> AsyncIterator[Store]:
    async with await Store.connect(city_dsn) as opened:
        yield opened


@pytest.fixture
async def database(store: Store) -> Database:
    return await store.tenant("city")


async def cut(dsn: str, connection: asyncpg.Connection) -> None:
    """End a connection from the server's side, and wait until the driver has noticed."""
    gone = asyncio.Event()
    connection.add_termination_listener(lambda _: gone.set())
    owner = await asyncpg.connect(dsn)
    try:
        assert await owner.fetchval("SELECT pg_terminate_backend($1, 10000)", connection.get_server_pid())
    finally:
        await owner.close()
    async with asyncio.timeout(PATIENCE_S):
        await gone.wait()


async def test_a_cancellation_is_not_hidden_by_a_rollback_that_fails(city_dsn: str, database: Database) -> None:
    inside: asyncio.Queue[asyncpg.Connection] = asyncio.Queue()

    async def write() -> None:
        async with database.transaction() as connection:
            inside.put_nowait(connection)
            await asyncio.Event().wait()

    writing = asyncio.create_task(write())
    await cut(city_dsn, await inside.get())
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await database.fetchval("SELECT 1") == 1, "and the pool goes on"


async def test_an_error_is_not_hidden_by_a_rollback_that_fails(city_dsn: str, database: Database) -> None:
    with pytest.raises(KeyError, match="the reason"):
        async with database.transaction() as connection:
            await cut(city_dsn, connection)
            raise KeyError("the reason")
    assert await database.fetchval("SELECT 1") == 1


async def test_a_work_that_ends_well_rolls_nothing_back(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("UPDATE registry_version SET version = 41")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("UPDATE registry_version SET version = 42")
            _ = 1 // 0
    assert await database.fetchval("SELECT version FROM registry_version") == 41


async def test_a_dying_connection_is_an_engine_that_failed(database: Database) -> None:
    for _ in range(20):
        with pytest.raises(EngineFailed, match="went away"):
            async with database.acquire():
                raise asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")
    assert await database.fetchval("SELECT 1") == 1, "and the pool has its connections back"


async def test_a_recorder_that_is_stopped_ends_even_if_its_clean_up_fails(store: Store, nats_url: str) -> None:
    async with await Log.connect(nats_url) as log:
        recorder = Recorder(log, store, range(1))
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise OSError("nothing can be cleaned up here")

        looping = asyncio.create_task(recorder._again("a loop", work))
        await begun.wait()
        looping.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(PATIENCE_S):
                await looping
