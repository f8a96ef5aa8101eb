"""Who is signed in, and what their portal needs to know of the city: name, place, clocks, map."""

from __future__ import annotations

import msgspec
from litestar.datastructures import Cookie

from broadstreet.access import IssuedToken, Principal
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.model.geometry import Box
from broadstreet.portal.portal import Portal
from broadstreet.portal.roster import Roster

PENDING_COOKIE = "broadstreet_pending"
CODE_PATH = "/portal/api/sign-in/code"
MAPS_PATH = "/portal/maps/"
MARGIN_DEG = 0.002
"""Around the sensors, where no city was made."""
NOWHERE = Box(-180.0, -60.0, 180.0, 75.0)
UNTITLED = "City"


class PrincipalView(msgspec.Struct, frozen=True):
    """Who is signed in, and what they may do."""

    name: str
    title: str
    roles: list[str]
    permissions: list[str]


class CityFacts(msgspec.Struct, frozen=True):
    """The city. basemap: its map's address, or null; attribution: the words that the map's licence asks for."""

    title: str
    center: tuple[float, float]
    bounds: Box
    time_zone: str
    basemap: str | None
    attribution: str | None


class SessionView(msgspec.Struct, frozen=True):
    """What the client asks for first. needs_factor: whether a second factor must be added before anything else.

    is_from_provider: whether somebody came in by the city's sign-in, and is to leave by it too.
    """

    principal: PrincipalView
    tenant: str
    city: CityFacts
    needs_factor: bool
    is_from_provider: bool = False


async def session_view(portal: Portal, principal: Principal) -> SessionView:
    """The session of a principal."""
    view = PrincipalView(principal.name, principal.title, sorted(principal.roles), sorted(principal.permissions))
    return SessionView(
        view, principal.tenant, await _city(portal, principal.tenant), principal.is_limited and principal.via is None
    )


async def _city(portal: Portal, tenant: str) -> CityFacts:
    settings, city = portal.settings, portal.city(tenant)
    zone = str(portal.zone(tenant))
    if city is not None:
        return CityFacts(
            settings.title or city.title, city.center, city.bounds, zone, MAPS_PATH + city.basemap, city.attribution
        )
    bounds = _around(await (await portal.town(tenant)).roster())
    center = ((bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2)
    return CityFacts(settings.title or UNTITLED, center, bounds, zone, None, None)


def _around(roster: Roster) -> Box:
    places = [(sensor.lon, sensor.lat) for sensor in roster.sensors.values()]
    if not places:
        return NOWHERE
    longitudes, latitudes = zip(*places, strict=True)
    return Box(
        min(longitudes) - MARGIN_DEG,
        min(latitudes) - MARGIN_DEG,
        max(longitudes) + MARGIN_DEG,
        max(latitudes) + MARGIN_DEG,
    )


def session_cookie(session: IssuedToken, now_us: int, *, is_https: bool) -> Cookie:
    """The cookie of a session: for our pages alone, out of scripts' reach, gone when the session is."""
    return Cookie(
        key=SESSION_COOKIE,
        value=session.secret,
        max_age=(session.expires_at_us - now_us) // 1_000_000,
        httponly=True,
        samesite="lax",
        secure=is_https,
    )


def pending_cookie(pending: IssuedToken, now_us: int, *, is_https: bool) -> Cookie:
    """The cookie of a sign-in that waits for its code: sent to where codes are taken, and nowhere else."""
    return Cookie(
        key=PENDING_COOKIE,
        path=CODE_PATH,
        value=pending.secret,
        max_age=(pending.expires_at_us - now_us) // 1_000_000,
        httponly=True,
        samesite="strict",
        secure=is_https,
    )


def no_cookie(*, is_https: bool) -> Cookie:
    """The cookie of nobody: signing out."""
    return Cookie(key=SESSION_COOKIE, value="", max_age=0, httponly=True, samesite="lax", secure=is_https)
