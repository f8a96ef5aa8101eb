"""What must answer before requests can be served: PostgreSQL, its migrations, the log."""

from __future__ import annotations

from broadstreet.apis.health import Check
from broadstreet.log import Log
from broadstreet.model.errors import EngineFailed
from broadstreet.store import Store, load_queries
from broadstreet.store.migration import CONTROL_SCHEMA, migrations

RAW_STREAM = "RAW"
_SQL = load_queries("readiness")


def checks_of(store: Store, log: Log) -> dict[str, Check]:
    """The checks of `/ready`, by name."""
    newest = {kind: migrations(kind)[-1][0] for kind in ("control", "tenant")}

    async def postgres() -> None:
        await store.control.fetch(_SQL["versions"])

    async def migrated() -> None:
        for row in await store.control.fetch(_SQL["versions"]):
            kind = "control" if row["schema"] == CONTROL_SCHEMA else "tenant"
            if row["version"] != newest[kind]:
                raise EngineFailed(f"{row['schema']} is at version {row['version']}, not {newest[kind]}")

    async def nats() -> None:
        if not log.client.is_connected:
            raise EngineFailed("NATS is not connected")
        await log.stream_info(RAW_STREAM)

    return {"postgres": postgres, "migrations": migrated, "log": nats}
