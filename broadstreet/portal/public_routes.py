"""The routes of the page for everyone: no sign-in, no cookie, and not too often from one address.

A tenant is named in the query, so that a link leads there; without one it is `city`. Whoever is signed in sees the same
here as everyone: what the policy shows, not what they may see.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import public, requires
from broadstreet.access.publication import MAX_ITEMS, Publication
from broadstreet.history.downsampling import DEFAULT_CHART_POINTS, MAX_CHART_POINTS, POINTS_A_STRETCH
from broadstreet.model.clock import US_PER_S, parse_rfc3339
from broadstreet.model.errors import NotFound
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.portal.door import AnyRequest, Caller, InPortal, address_of
from broadstreet.portal.maps import map_answer
from broadstreet.portal.portal import Portal
from broadstreet.portal.public import (
    CSV_TYPE,
    PublicPage,
    PublicPages,
    PublicSeries,
    anyone_of,
    previewed,
    public_series,
    series_csv,
    values_csv,
)

WEEK_US: Final = 7 * 86_400 * US_PER_S
REASON: Final = "shows what the tenant's public view lists, and nothing else"

From = Annotated[str | None, QueryParameter(name="from")]
To = Annotated[str | None, QueryParameter(name="to")]
InPages = NamedDependency[PublicPages]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that is not written yet."""

    items: Annotated[list[Publication], msgspec.Meta(max_length=MAX_ITEMS)]


def _counted(portal: Portal, request: AnyRequest) -> None:
    """Raises TooMany for an address that has asked too often."""
    portal.access.visits.count(address_of(portal, request))


def _range(portal: Portal, begin: str | None, end: str | None) -> tuple[int, int]:
    to_us = portal.clock() + 1 if end is None else parse_rfc3339(end, "to")
    return (to_us - WEEK_US if begin is None else parse_rfc3339(begin, "from")), to_us


def _file(body: bytes, name: str) -> Response[bytes]:
    return Response(body, media_type=CSV_TYPE, headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})


@get("/api/public", opt=public(REASON))
async def public_view(
    portal: InPortal, pages: InPages, request: AnyRequest, tenant: FromQuery[str] = DEFAULT_TENANT
) -> Response[bytes]:
    """What everyone may see: places, their newest values, under which licences, by whom."""
    _counted(portal, request)
    return Response(await pages.page(tenant), media_type="application/json")


@get("/api/public/series", opt=public(REASON))
async def public_chart(
    portal: InPortal,
    request: AnyRequest,
    id: FromQuery[str],
    attribute: FromQuery[str],
    begin: From = None,
    end: To = None,
    points: Annotated[int, QueryParameter(ge=POINTS_A_STRETCH, le=MAX_CHART_POINTS)] = DEFAULT_CHART_POINTS,
    tenant: FromQuery[str] = DEFAULT_TENANT,
) -> PublicSeries:
    """A chart of one attribute; the last week where no range is given."""
    _counted(portal, request)
    return await public_series(portal, tenant, id, attribute, *_range(portal, begin, end), points)


@get("/api/public/series.csv", opt=public(REASON))
async def public_series_file(
    portal: InPortal,
    request: AnyRequest,
    id: FromQuery[str],
    attribute: FromQuery[str],
    begin: From = None,
    end: To = None,
    tenant: FromQuery[str] = DEFAULT_TENANT,
) -> Response[bytes]:
    """One attribute over time as a file; the last week where no range is given."""
    _counted(portal, request)
    return _file(await series_csv(portal, tenant, id, attribute, *_range(portal, begin, end)), "readings")


@get("/api/public/values.csv", opt=public(REASON))
async def public_values_file(
    portal: InPortal,
    pages: InPages,
    request: AnyRequest,
    item: FromQuery[int | None] = None,
    tenant: FromQuery[str] = DEFAULT_TENANT,
) -> Response[bytes]:
    """The newest values of one item, or of all, as a file."""
    _counted(portal, request)
    page = msgspec.json.decode(await pages.page(tenant), type=PublicPage)
    return _file(values_csv(page, item), "values")


@get("/api/public/map", opt=public("the plan of a city, drawn from OpenStreetMap, where anything is shown on it"))
async def public_map(
    portal: InPortal, request: AnyRequest, tenant: FromQuery[str] = DEFAULT_TENANT
) -> Response[bytes] | Stream:
    """The city's plan, or the part of it that a Range header asks for."""
    _counted(portal, request)
    await anyone_of(portal, tenant)
    city = portal.city(tenant)
    if city is None:
        raise NotFound("there is no map of this city")
    return map_answer(portal.settings.maps, city.basemap, request)


@post("/api/public/preview", opt=requires("steward:write"), status_code=HTTP_200_OK)
async def preview(portal: InPortal, principal: Caller, data: JSONBody[Draft]) -> PublicPage:
    """What everyone would see by a policy that is not written yet."""
    return await previewed(portal, principal.tenant, data.items)


def public_routes() -> list[HTTPRouteHandler]:
    """All of them, to stand below `/portal`."""
    return [public_view, public_chart, public_series_file, public_values_file, public_map, preview]
