"""Sites of the registry: entities that stand somewhere, as places to reach, with the rights of whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import shapely

from broadstreet.context import CORE, Broker, Selection, Selector, parse_query, parse_types
from broadstreet.model.naming import NAME, called
from broadstreet.model.terms import expand
from broadstreet.network.ground import Site
from broadstreet.network.scenarios.project import RegistrySites
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.access import Principal
    from broadstreet.store import Database, Store
    from broadstreet.store.database import Connection

MAX_SITES: Final = 20_000
"""Entities that are sites of one project."""
LOCATION: Final = expand("location")
_SQL = load_queries("plan_project")


async def sites_of(
    store: Store, broker: Broker, database: Database, principal: Principal, wanted: RegistrySites
) -> tuple[Site, ...]:
    """The entities that are meant, where they stand now. What is no point is reached in its midst.

    Raises NotAllowed, InvalidQuery for a query that cannot be understood, TooMany over MAX_SITES.
    """
    known = await store.terms(database).find((LOCATION, NAME))
    async with database.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        keys = await _chosen(broker, connection, principal, wanted.type, wanted.q)
        critical = set[int]()
        if wanted.critical is not None:
            both = f"({wanted.q});({wanted.critical})" if wanted.q else wanted.critical
            critical = set(await _chosen(broker, connection, principal, wanted.type, both))
        rows = await connection.fetch(_SQL["places"], keys, known.get(LOCATION, 0), known.get(NAME, 0))
    found: dict[str, Site] = {}
    for row in rows:
        middle = shapely.from_geojson(msgspec.json.encode(row["geojson"])).representative_point()
        site = Site(
            id=row["id"],
            label=called(row["name"], row["id"]),
            lon=float(middle.x),
            lat=float(middle.y),
            fibres=wanted.fibres,
            is_critical=row["key"] in critical,
        )
        found.setdefault(site.id, site)
    return tuple(found.values())


async def _chosen(
    broker: Broker, connection: Connection, principal: Principal, types: str, query: str | None
) -> list[int]:
    selection = Selection(
        selectors=(Selector(types=parse_types(types, CORE)),),
        query=None if query is None else parse_query(query),
        limit=MAX_SITES,
    )
    return await broker.choose(principal, selection, connection)
