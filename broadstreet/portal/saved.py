"""Queries that people keep under a name, each for themselves or for their colleagues too.

A query is what the page of questions has in its address: parameters of NGSI-LD, which say nothing that their reader may
not ask anyway, and which are asked with the reader's own rights.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from broadstreet.access import in_person, requires
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import NotFound, TooMany
from broadstreet.portal.door import Caller, InPortal
from broadstreet.store import load_queries

MAX_KEPT: Final = 200
"""Queries one account keeps."""
MAX_SHARED: Final = 1_000
"""Queries of colleagues that are shown."""
MAX_NAME: Final = 120
MAX_QUERY: Final = 8_192
"""Characters of an address's query."""
_KEY: Final = re.compile(r"\d{1,18}", re.ASCII)
_SQL = load_queries("saved_query")


class NewQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query to keep, in place of one's own of that name."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME, pattern=r"^\S(.*\S)?$")]
    query: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_QUERY)]
    is_shared: bool = False


class SavedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query that is kept. owner: what its owner is called; is_own: whether that is who asks."""

    id: int
    name: str
    query: str
    owner: str
    is_own: bool
    is_shared: bool
    changed_at: str


@get("/api/queries", opt=requires("entity:read"))
async def saved_queries(portal: InPortal, principal: Caller) -> list[SavedQuery]:
    """One's own queries by name, then those that colleagues share."""
    database = await portal.store.tenant(principal.tenant)
    rows = await database.fetch(_SQL["seen"], principal.name, MAX_SHARED)
    titles = await portal.access.accounts.titles(row["owner"] for row in rows)
    return [
        SavedQuery(
            id=row["key"],
            name=row["name"],
            query=row["query"],
            owner=titles.get(row["owner"], row["owner"]),
            is_own=row["owner"] == principal.name,
            is_shared=row["is_shared"],
            changed_at=format_rfc3339(row["changed_at"]),
        )
        for row in rows
    ]


@post("/api/queries", opt=in_person())
async def save_query(portal: InPortal, principal: Caller, data: JSONBody[NewQuery]) -> SavedQuery:
    """Keep a query under a name."""
    principal.require("entity:read")
    at_us = portal.clock()
    database = await portal.store.tenant(principal.tenant)
    async with database.transaction() as connection:
        await connection.execute(_SQL["lock"])
        if await connection.fetchval(_SQL["count"], principal.name, data.name) >= MAX_KEPT:
            raise TooMany(f"you keep {MAX_KEPT} queries already", where="name", remedy="Remove one first.")
        key = await connection.fetchval(_SQL["save"], principal.name, data.name, data.query, data.is_shared, at_us)
    detail = {"query": data.query, "is_shared": data.is_shared}
    await portal.access.audit.record(
        at_us, principal.name, "query.save", data.name, tenant=principal.tenant, detail=detail
    )
    return SavedQuery(
        id=key,
        name=data.name,
        query=data.query,
        owner=principal.title,
        is_own=True,
        is_shared=data.is_shared,
        changed_at=format_rfc3339(at_us),
    )


@delete("/api/queries/{saved:str}", opt=in_person())
async def remove_query(portal: InPortal, principal: Caller, saved: FromPath[str]) -> None:
    """Keep a query no longer: one's own; a steward any that is shared."""
    database = await portal.store.tenant(principal.tenant)
    key = int(saved) if _KEY.fullmatch(saved) else 0  # which nothing has
    name = await database.fetchval(_SQL["remove"], key, principal.name, principal.may("steward:write"))
    if name is None:
        raise NotFound("you keep no such query", where="saved")
    await portal.access.audit.record(portal.clock(), principal.name, "query.remove", name, tenant=principal.tenant)


def saved_routes() -> list[HTTPRouteHandler]:
    """All of them."""
    return [saved_queries, save_query, remove_query]
