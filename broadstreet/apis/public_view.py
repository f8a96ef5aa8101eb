"""`/v1/public-view`: what everyone may see of a tenant without signing in, written by an administrator or a steward."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from broadstreet.access import requires
from broadstreet.access.publication import MAX_ITEMS, Publication, PublicView
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.terms import compact


class PublicViewFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A public view as it stands. version: to be said by whoever changes it; 0 where nobody has written one."""

    version: int
    items: list[Publication]
    changed_at: str | None
    changed_by: str | None


class NewPublicView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public view to take the place of one. version: of the one that it was made from."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    items: Annotated[list[Publication], msgspec.Meta(max_length=MAX_ITEMS)]


def _facts(view: PublicView) -> PublicViewFacts:
    return PublicViewFacts(
        version=view.version,
        items=[
            msgspec.structs.replace(
                item,
                types=None if item.types is None else tuple(map(compact, item.types)),
                attributes=tuple(map(compact, item.attributes)),
            )
            for item in view.items
        ],
        changed_at=None if view.changed_at_us is None else format_rfc3339(view.changed_at_us),
        changed_by=view.changed_by,
    )


@get("/public-view", opt=requires("steward:write"))
async def read_public_view(call: NamedDependency[Call]) -> PublicViewFacts:
    """What everyone may see, item by item; nothing listed is nothing shown."""
    return _facts(await call.services.access.publications.read(call.principal.tenant))


@put("/public-view", opt=requires("steward:write"))
async def write_public_view(call: NamedDependency[Call], data: JSONBody[NewPublicView]) -> PublicViewFacts:
    """Say what everyone may see. Personal data is refused, with the reason; a view that has changed meanwhile, too."""
    publications = call.services.access.publications
    view = await publications.write(
        call.principal.tenant, call.database, data.items, version=data.version, by=call.principal.name
    )
    return _facts(view)


def public_view_router() -> Router:
    """`/public-view`, to stand below `/v1`."""
    return Router("/", route_handlers=[read_public_view, write_public_view], tags=["Data"])
