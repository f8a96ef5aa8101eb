"""What a house needs before its roles start: schema, streams, the first tenant. Nothing happens where it is there."""

from __future__ import annotations

from broadstreet.app.settings import Settings
from broadstreet.engines import EngineAddresses
from broadstreet.log import Log
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.store import create_tenant, migrate

UNTITLED = "City"


async def prepare_store(settings: Settings, addresses: EngineAddresses) -> None:
    """Bring the database's schema up to date and make the default tenant."""
    await migrate(addresses.postgres_dsn)
    await create_tenant(addresses.postgres_dsn, DEFAULT_TENANT, settings.city.title or UNTITLED)


async def prepare_log(settings: Settings, addresses: EngineAddresses) -> None:
    """Make the log's streams, or bring their bounds up to date."""
    async with await Log.connect(addresses.nats_url, name="broadstreet up") as log:
        await log.ensure_streams(settings.log.limits)
