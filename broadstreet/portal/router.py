"""The portal's routes. docs/reference/portal-api.md describes each, and a test compares."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Annotated, Final

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED

from broadstreet.access import public, requires
from broadstreet.history.downsampling import DEFAULT_CHART_POINTS, MAX_CHART_POINTS, POINTS_A_STRETCH
from broadstreet.model.clock import US_PER_S, parse_rfc3339
from broadstreet.model.units import UNITS
from broadstreet.portal.account import change_password, end_token, new_token, own_account, sign_out_everywhere
from broadstreet.portal.changes import MAX_CHANGES, ChangeView, changes_view
from broadstreet.portal.client import ClientFiles
from broadstreet.portal.door import AnyRequest, Caller, InPortal, follow_link, session, sign_in, sign_in_code, sign_out
from broadstreet.portal.enrolment import Enrolled, NewDevice, ProfileView, enrol, profile_view, renew_secret
from broadstreet.portal.entity import EntityView, entity_view
from broadstreet.portal.labels import Label, WantedLabels, draw_labels
from broadstreet.portal.live import Holds
from broadstreet.portal.maps import map_answer
from broadstreet.portal.passkeys import passkey_routes
from broadstreet.portal.portal import Portal
from broadstreet.portal.provenance import ProvenanceView, provenance_view
from broadstreet.portal.provider import provider_routes
from broadstreet.portal.public import PublicPages
from broadstreet.portal.public_routes import public_routes
from broadstreet.portal.ranking import MAX_ROWS, RankingView, ranking_view
from broadstreet.portal.saved import saved_routes
from broadstreet.portal.search import Hit, search
from broadstreet.portal.second_factor import confirm_factor, new_factor, remove_factor
from broadstreet.portal.selection import Selection
from broadstreet.portal.series import SeriesView, series_view
from broadstreet.portal.system import SystemView, system_view
from broadstreet.portal.town import Town

DAY_US: Final = 24 * 3600 * US_PER_S
PACKING_LEVEL: Final = 4
"""Of gzip: a city of 520 sensors, 300 kB, becomes 30 kB in a few milliseconds."""
EVENT_STREAM: Final = "text/event-stream; charset=utf-8"
NOT_TRANSFORMED: Final = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}

InTown = NamedDependency[Town]


def _range(portal: Portal, begin: str | None, end: str | None, default_us: int) -> tuple[int, int]:
    """A range's ends in microseconds: until now where no end is given, `default_us` long where no begin is."""
    to_us = portal.clock() + 1 if end is None else parse_rfc3339(end, "to")
    return (to_us - default_us if begin is None else parse_rfc3339(begin, "from")), to_us


From = Annotated[str | None, QueryParameter(name="from")]
To = Annotated[str | None, QueryParameter(name="to")]


@get("/api/city", opt=requires("entity:read"))
async def city(
    town: InTown,
    request: AnyRequest,
    types: Annotated[str | None, QueryParameter(name="type")] = None,
    standing: Annotated[str | None, QueryParameter(name="state")] = None,
    street: FromQuery[str | None] = None,
) -> Response[bytes]:
    """The map and its table, packed to a tenth where the browser takes it."""
    body = msgspec.json.encode(await town.view(Selection.of(types, standing, street)))
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, PACKING_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)


@get("/api/live", opt=requires("entity:read"))
async def live(town: InTown, holds: NamedDependency[Holds]) -> Stream:
    """What happens, as server-sent events."""
    client = town.clients.open()

    async def events() -> AsyncIterator[bytes]:
        try:
            async for event in client.stream(holds):
                yield event
        finally:
            town.clients.close(client)

    return Stream(events(), media_type=EVENT_STREAM, headers=NOT_TRANSFORMED)


@get("/api/entity", opt=requires("entity:read"))
async def entity(portal: InPortal, town: InTown, id: FromQuery[str]) -> EntityView:
    """One entity."""
    return await entity_view(portal.store, town, id, portal.clock())


@get("/api/series", opt=requires("history:read"))
async def series(
    portal: InPortal,
    town: InTown,
    id: FromQuery[str],
    attribute: FromQuery[str],
    begin: From = None,
    end: To = None,
    points: Annotated[int, QueryParameter(ge=POINTS_A_STRETCH, le=MAX_CHART_POINTS)] = DEFAULT_CHART_POINTS,
) -> SeriesView:
    """A chart of one attribute; the last day where no range is given."""
    return await series_view(town, id, attribute, *_range(portal, begin, end, DAY_US), points)


@get("/api/provenance", opt=requires("history:read"))
async def provenance(
    portal: InPortal, town: InTown, id: FromQuery[str], attribute: FromQuery[str], at: FromQuery[str | None] = None
) -> ProvenanceView:
    """Where an observation comes from; the newest where no time is given."""
    now_us = portal.clock()
    return await provenance_view(
        portal.access, town, id, attribute, now_us if at is None else parse_rfc3339(at, "at"), now_us
    )


@get("/api/changes", opt=requires("history:read"))
async def changes(
    portal: InPortal,
    town: InTown,
    id: FromQuery[str],
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_CHANGES)] = 100,
) -> list[ChangeView]:
    """Who changed an entity."""
    return await changes_view(portal.store, portal.access, town, id, limit)


@get("/api/ranking", opt=requires("history:read"))
async def ranking(
    portal: InPortal,
    town: InTown,
    attribute: FromQuery[str],
    stat: FromQuery[str] = "max",
    begin: From = None,
    end: To = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_ROWS)] = 10,
) -> RankingView:
    """Which entities had most of an attribute; over the last day where no range is given."""
    from_us, to_us = _range(portal, begin, end, DAY_US)
    return await ranking_view(portal.store, town, attribute, stat, from_us, to_us, limit, portal.clock())


@get("/api/system", opt=requires("system:read"))
async def system(portal: InPortal, town: InTown) -> SystemView:
    """The house's own health."""
    return await system_view(portal, town)


@get("/api/search", opt=requires("entity:read"))
async def find(portal: InPortal, town: InTown, principal: Caller, q: FromQuery[str] = "") -> list[Hit]:
    """Sensors and streets by name; people too, for who may see them."""
    described = portal.city(town.tenant)
    may_see_people = "account:read" in principal.permissions
    people = await portal.access.accounts.list(town.tenant) if may_see_people else ()
    return search(q, await town.roster(), described.streets if described else (), people)


@get("/api/profiles", opt=requires("device:read"))
async def profiles(portal: InPortal, town: InTown) -> list[ProfileView]:
    """The profiles a device can be added with."""
    return [profile_view(version) for version in await portal.registry.profiles(town.database)]


@get("/api/units", opt=requires("entity:read"))
async def units() -> dict[str, str]:
    """The symbols of units by their codes."""
    return {code: unit.symbol for code, unit in UNITS.items()}


@post("/api/devices", opt=requires("device:write"))
async def add_device(
    portal: InPortal, town: InTown, request: AnyRequest, principal: Caller, data: JSONBody[NewDevice]
) -> Enrolled:
    """Add a device of one's own. The secret comes this once."""
    return await enrol(portal, town.database, principal, data, request.url.hostname or "")


@post("/api/labels", opt=requires("device:write"), status_code=HTTP_200_OK)
async def labels(portal: InPortal, request: AnyRequest, data: JSONBody[WantedLabels]) -> list[Label]:
    """The labels of prepared devices, to print."""
    return draw_labels(data, portal.settings.origin or str(request.base_url).rstrip("/"))


@post("/api/devices/{device:str}/secret", opt=requires("device:write"), status_code=HTTP_200_OK)
async def new_secret(
    portal: InPortal, town: InTown, request: AnyRequest, principal: Caller, device: FromPath[str]
) -> Enrolled:
    """Give a device a new secret. It comes this once."""
    return await renew_secret(portal, town.database, principal, device, request.url.hostname or "")


@get("/maps/{file:str}", opt=requires("entity:read"))
async def city_map(portal: InPortal, request: AnyRequest, file: FromPath[str]) -> Response[bytes] | Stream:
    """A city's map, or the part of it that a Range header asks for."""
    return map_answer(portal.settings.maps, file, request)


@get(["/", "/{path:path}"], opt=public("the client itself holds no secret, and signs people in"))
async def client_file(client: NamedDependency[ClientFiles], request: AnyRequest) -> Response[bytes]:
    """A file of the built client, or its page for one of its views."""
    found = await client.find(request.url.path)
    encoding, body = found.best(request.headers.get("accept-encoding", ""))
    etag = found.etag if not encoding else f'{found.etag[:-1]}-{encoding}"'
    headers = {"ETag": etag, "Cache-Control": found.cache_control, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(body, media_type=found.media_type, headers=headers)


def portal_routers(portal: Portal) -> list[Router]:
    """The portal's API, its maps and its client, for `create_app`."""

    async def town_of(principal: Caller) -> Town:
        return await portal.town(principal.tenant)

    client, pages = ClientFiles(portal.settings.client), PublicPages(portal)
    return [
        Router(
            "/portal",
            route_handlers=[
                session,
                sign_in,
                sign_out,
                follow_link,
                sign_in_code,
                new_factor,
                confirm_factor,
                remove_factor,
                *passkey_routes(),
                *provider_routes(),
                own_account,
                new_token,
                end_token,
                sign_out_everywhere,
                change_password,
                city,
                live,
                entity,
                series,
                provenance,
                changes,
                ranking,
                system,
                find,
                profiles,
                units,
                add_device,
                labels,
                new_secret,
                city_map,
                *public_routes(),
                *saved_routes(),
            ],
            dependencies={
                "portal": Provide(lambda: portal, sync_to_thread=False),
                "town": Provide(town_of),
                "pages": Provide(lambda: pages, sync_to_thread=False),
            },
            include_in_schema=False,
        ),
        Router(
            "/",
            route_handlers=[client_file],
            dependencies={"client": Provide(lambda: client, sync_to_thread=False)},
            include_in_schema=False,
        ),
    ]
