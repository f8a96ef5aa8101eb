"""The end of a house in order: what was taken in is recorded before the recorder stops; and being asked to end."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import Final

import asyncpg

from broadstreet.app.settings import Settings
from broadstreet.engines import DataFolder, EngineAddresses, read_status
from broadstreet.log import Log
from broadstreet.model.errors import EngineFailed, NoHouse, RoleFailed
from broadstreet.store import Store, load_queries

POLL_S: Final = 0.05
_SQL = load_queries("recorder")


async def recorded(addresses: EngineAddresses, within_s: float) -> bool:
    """Wait until everything in the log is applied; whether it was, within that time. Raises EngineFailed."""
    try:
        async with (
            asyncio.timeout(within_s),
            await Store.connect(addresses.postgres_dsn, pool_size=1) as store,
            await Log.connect(addresses.nats_url, name="drain") as log,
        ):
            for tenant in await store.tenants():
                await _recorded_of(store, log, tenant)
    except TimeoutError:
        return False
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise EngineFailed(f"PostgreSQL does not answer: {error}") from error
    return True


async def _recorded_of(store: Store, log: Log, tenant: str) -> None:
    database = await store.tenant(tenant)
    while True:
        cursors = await database.fetch(_SQL["cursors"])
        if not any([await log.count_raw(tenant, row["partition"], row["sequence"]) for row in cursors]):
            return
        await asyncio.sleep(POLL_S)


async def drain(settings: Settings, within_s: float) -> None:
    """
    Ask the house of the data folder to end in order, and return when it has.

    Raises NoHouse where none runs, RoleFailed where it has not ended within that time: it may still.
    """
    status = read_status(settings.data_path)
    if status is None:
        raise NoHouse("no house runs in this folder", where=str(settings.data_path), remedy="There is nothing to end.")
    with suppress(ProcessLookupError):
        os.kill(status.supervisor_pid, signal.SIGTERM)
    folder = DataFolder(settings.data_path)
    try:
        async with asyncio.timeout(within_s):
            while True:
                if not folder.in_use():
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise RoleFailed(
            f"the house has not ended within {within_s:g} s",
            where=str(settings.data_path),
            remedy="See logs/ for what holds it up. Nothing that was acknowledged is lost if it is killed.",
        ) from None
