"""Reaching a house's engines for a piece of work, whether the house runs or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broadstreet.app.preparation import prepare_log, prepare_store
from broadstreet.app.settings import Settings
from broadstreet.engines import DataFolder, EngineAddresses, Engines, read_addresses


@asynccontextmanager
async def reach_engines(settings: Settings) -> AsyncIterator[EngineAddresses]:
    """The engines of the settings' data folder: as they run, or started and prepared for as long as the block takes.

    Enter it in the main thread. Raises EngineFailed where they cannot be reached or started.
    """
    if DataFolder(settings.data_path).in_use():
        yield read_addresses(settings.data_path)
        return
    engines = Engines(settings.data_path, settings.engines.postgres_url or None, settings.engines.nats_url or None)
    async with engines:
        await prepare_store(settings, engines.addresses)
        await prepare_log(settings, engines.addresses)
        yield engines.addresses
