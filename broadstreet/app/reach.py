"""Reaching a house's engines for a piece of work, whether the house runs or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broadstreet.app.preparation import prepare_log, prepare_store
from broadstreet.app.settings import Settings
from broadstreet.engines import DataFolder, EngineAddresses, Engines, read_addresses
from broadstreet.model.errors import NoHouse


@asynccontextmanager
async def reach_engines(settings: Settings, *, found: bool = False) -> AsyncIterator[EngineAddresses]:
    """The engines of the settings' data folder: as they run, or started and prepared for as long as the block takes.

    found: whether a house is made where there is none. Enter it in the main thread. Raises NoHouse, and EngineFailed
    where the engines cannot be reached or started.
    """
    folder = DataFolder(settings.data_path)
    if folder.in_use():
        yield read_addresses(settings.data_path)
        return
    if not found and not folder.is_founded() and not settings.engines.postgres_url:
        raise NoHouse(
            "there is no house in this folder",
            where=str(folder.path),
            remedy="Name the folder of yours with --data-dir, or make one: `broadstreet up`, `city new` or `demo`.",
        )
    engines = Engines(settings.data_path, settings.engines.postgres_url or None, settings.engines.nats_url or None)
    async with engines:
        await prepare_store(settings, engines.addresses)
        await prepare_log(settings, engines.addresses)
        yield engines.addresses
