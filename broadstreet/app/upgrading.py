"""What an upgrade of the program means for a house: which schemas it will bring further, and whether it can at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from broadstreet.app.preparation import prepare_log, prepare_store
from broadstreet.app.settings import Settings
from broadstreet.engines import DataFolder, EngineAddresses, Engines, read_addresses
from broadstreet.model.errors import Conflict, NoHouse
from broadstreet.store import Store, load_queries
from broadstreet.store.migration import CONTROL_SCHEMA, migrations

_SQL = load_queries("readiness")


class SchemaState(NamedTuple):
    """A schema, the version it has, and the one this program knows."""

    schema: str
    found: int
    known: int

    @property
    def is_newer(self) -> bool:
        """Whether a newer program has been here."""
        return self.found > self.known


async def schema_states(settings: Settings) -> list[SchemaState]:
    """Every schema of the house, which runs or not; nothing is changed. Raises NoHouse."""
    async with _engines_as_they_are(settings) as addresses, await Store.connect(addresses.postgres_dsn) as store:
        known = {kind: migrations(kind)[-1][0] for kind in ("control", "tenant")}
        return [
            SchemaState(
                row["schema"], row["version"], known["control" if row["schema"] == CONTROL_SCHEMA else "tenant"]
            )
            for row in await store.control.fetch(_SQL["versions"])
        ]


async def upgrade(settings: Settings) -> None:
    """Bring a house that does not run to what this program knows. Killed, it is run again. Raises Conflict, NoHouse."""
    if DataFolder(settings.data_path).in_use():
        raise Conflict(
            "the house runs",
            where=str(settings.data_path),
            remedy="Its next start upgrades it. Or `broadstreet drain`.",
        )
    async with _engines_as_they_are(settings) as addresses:
        await prepare_store(settings, addresses)
        await prepare_log(settings, addresses)


@asynccontextmanager
async def _engines_as_they_are(settings: Settings) -> AsyncIterator[EngineAddresses]:
    """The engines of a house, running or started for as long as the block takes, with nothing prepared."""
    folder = DataFolder(settings.data_path)
    if folder.in_use():
        yield read_addresses(settings.data_path)
        return
    if not folder.is_founded():
        raise NoHouse(
            "there is no house in this folder",
            where=str(folder.path),
            remedy="Name the folder of yours with --data-dir.",
        )
    engines = Engines(settings.data_path, settings.engines.postgres_url or None, settings.engines.nats_url or None)
    async with engines:
        yield engines.addresses
