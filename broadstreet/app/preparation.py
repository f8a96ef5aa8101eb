"""What a house needs before its roles start: schema, streams, the first tenant. Nothing happens where it is there."""

from __future__ import annotations

import logging

from broadstreet.app.settings import Settings
from broadstreet.engines import EngineAddresses
from broadstreet.log import Log
from broadstreet.model.errors import EngineFailed
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.store import Store, create_tenant, keys_in_use, migrate, reseal

UNTITLED = "City"
_log = logging.getLogger(__name__)


async def prepare_store(settings: Settings, addresses: EngineAddresses) -> None:
    """Bring the database's schema up to date and make the default tenant."""
    await migrate(addresses.postgres_dsn)
    await create_tenant(addresses.postgres_dsn, DEFAULT_TENANT, settings.city.title or UNTITLED)
    async with await Store.connect(addresses.postgres_dsn, pool_size=1, keys=settings.keys_path) as store:
        await prepare_secrets(settings, store)


async def prepare_secrets(settings: Settings, store: Store) -> None:
    """Make the first key, and seal what is not sealed by the one in force; killed, it goes on at the next start.

    Raises EngineFailed where the keys are somewhere else than in the data folder, and are not there: a second machine
    of the house that made its own could not read what the first one sealed.
    """
    seal = store.control.seal
    if not seal.is_there:
        has_sealed = bool(await keys_in_use(store.control) - {None})
        if settings.access.keys or (has_sealed and settings.engines.postgres_url):
            raise EngineFailed(
                "the keys by which secrets in the database are sealed are not there",
                where=str(settings.keys_path),
                remedy="Copy the file from the house's other machine or a backup, or see the setting access.keys.",
            )
        if has_sealed:
            _log.error("the keys of the house are gone: what they sealed cannot be read until %s is back", seal.path)
        seal.add_key()
    done = await reseal(store.control)
    if done.sealed:
        _log.info("%d secrets in the database were sealed", done.sealed)
    if done.lost:
        _log.error("%d secrets cannot be read: the keys that sealed them are not in %s", done.lost, seal.path)


async def prepare_log(settings: Settings, addresses: EngineAddresses) -> None:
    """Make the log's streams, or bring their bounds up to date."""
    async with await Log.connect(addresses.nats_url, name="broadstreet up") as log:
        await log.ensure_streams(settings.log.limits)
