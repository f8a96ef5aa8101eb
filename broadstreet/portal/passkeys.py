"""Passkeys in the portal: one's own, added, named and removed in person; and the door that they open.

What is begun here comes back under a cookie that no script reads, and once.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from broadstreet.access import in_person, public
from broadstreet.access.authenticator import Options
from broadstreet.access.ceremony import Ceremony
from broadstreet.access.passkey import MAX_TITLE_LENGTH, PasskeyEntry
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.access.site import Site, passkey_site
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import NotFound, OperationNotSupported
from broadstreet.portal.door import (
    AnyRequest,
    Caller,
    InPortal,
    address_of,
    entered,
    house_address,
    house_title,
    is_https,
    made_whole,
)
from broadstreet.portal.portal import Portal
from broadstreet.portal.second_factor import RecoveryCodes
from broadstreet.portal.session import PENDING_COOKIE, SessionView

CEREMONY_COOKIE = "broadstreet_ceremony"
CEREMONY_PATH = "/portal/api"
KEY: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class PasskeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey. site: the domain it works on; doubted_at: when it counted backwards, as a copy of it would."""

    id: int
    title: str
    site: str
    is_synced: bool
    created_at: str
    used_at: str | None
    doubted_at: str | None


class PasskeysView(msgspec.Struct, frozen=True, kw_only=True):
    """One's passkeys. site: where new ones would work; why_not: why there can be none, or null."""

    passkeys: list[PasskeyView]
    site: str | None
    why_not: str | None


class NewPasskey(msgspec.Struct, frozen=True):
    """A passkey that the browser has just made, and what to call it."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE_LENGTH)]
    credential: dict[str, Any]


class PasskeyTitle(msgspec.Struct, frozen=True):
    """What a passkey is to be called."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE_LENGTH)]


class PasskeyAnswer(msgspec.Struct, frozen=True):
    """What the browser answers by a passkey."""

    credential: dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """What the browser is to ask an authenticator."""

    options: Options


class Ways(msgspec.Struct, frozen=True):
    """How one may sign in beside by password. passkeys: whether they work at this address.

    provider: what the city's own sign-in is called, or null where there is none.
    """

    passkeys: bool
    provider: str | None


def site_of(portal: Portal, request: AnyRequest) -> Site:
    """Where the house stands. Raises OperationNotSupported where there can be no passkeys."""
    return passkey_site(house_address(portal, request), is_set=bool(portal.settings.origin))


@get("/api/sign-in/ways", opt=public("the page for signing in shows them"))
async def ways(portal: InPortal, request: AnyRequest) -> Ways:
    """How one may sign in beside by password."""
    door = portal.access.provider_sign_in
    provider = None if door is None else door.settings.title
    try:
        site_of(portal, request)
    except OperationNotSupported:
        return Ways(passkeys=False, provider=provider)
    return Ways(passkeys=True, provider=provider)


@get("/api/account/passkeys", opt=in_person())
async def own_passkeys(portal: InPortal, request: AnyRequest, principal: Caller) -> PasskeysView:
    """One's passkeys, and whether there can be more."""
    entries = [_view(entry) for entry in await portal.access.passkeys.of_account(principal.name)]
    try:
        site = site_of(portal, request)
    except OperationNotSupported as error:
        return PasskeysView(passkeys=entries, site=None, why_not=f"{_sentence(error.message)} {error.remedy}")
    return PasskeysView(passkeys=entries, site=site.domain, why_not=None)


@post("/api/account/passkeys/begin", opt=in_person(), status_code=HTTP_200_OK)
async def begin_passkey(portal: InPortal, request: AnyRequest, principal: Caller) -> Response[Asked]:
    """Ask for a new passkey."""
    site = site_of(portal, request)
    await portal.access.sign_in.require_recent(request.cookies[SESSION_COOKIE])
    title = f"Broadstreet {house_title(portal, principal.tenant)}"
    ceremony, options = await portal.access.passkeys.begin(principal.name, site, title)
    return _asked(portal, request, ceremony, options)


@post("/api/account/passkeys", opt=in_person())
async def add_passkey(
    portal: InPortal, request: AnyRequest, principal: Caller, data: JSONBody[NewPasskey]
) -> Response[RecoveryCodes]:
    """Keep a passkey that was just made. Recovery codes come with an account's first factor, this once."""
    site = site_of(portal, request)
    await portal.access.sign_in.require_recent(request.cookies[SESSION_COOKIE])
    codes = await portal.access.passkeys.add(principal.name, site, _secret(request), data.credential, data.title)
    return await made_whole(portal, request, principal, Response(RecoveryCodes(codes)))


@patch("/api/account/passkeys/{passkey:str}", opt=in_person(), status_code=HTTP_204_NO_CONTENT)
async def rename_passkey(
    portal: InPortal, principal: Caller, passkey: FromPath[str], data: JSONBody[PasskeyTitle]
) -> None:
    """Call a passkey of one's own something else."""
    await portal.access.passkeys.rename(principal.name, _key(passkey), data.title)


@delete("/api/account/passkeys/{passkey:str}", opt=in_person())
async def remove_passkey(portal: InPortal, request: AnyRequest, principal: Caller, passkey: FromPath[str]) -> None:
    """Remove a passkey of one's own."""
    await portal.access.sign_in.require_recent(request.cookies[SESSION_COOKIE])
    await portal.access.passkeys.remove(principal.name, _key(passkey))


@post("/api/sign-in/passkey/begin", opt=public("asks an authenticator; nothing is opened"), status_code=HTTP_200_OK)
async def begin_sign_in(portal: InPortal, request: AnyRequest) -> Response[Asked]:
    """Ask for a passkey, whosever it is."""
    return _asked(portal, request, *await portal.access.passkey_sign_in.begin(site_of(portal, request)))


@post("/api/sign-in/passkey", opt=public("the passkey's answer is the credential"), status_code=HTTP_200_OK)
async def sign_in_passkey(
    portal: InPortal, request: AnyRequest, data: JSONBody[PasskeyAnswer]
) -> Response[SessionView]:
    """Sign in by a passkey alone."""
    site, address = site_of(portal, request), address_of(portal, request)
    issued = await portal.access.passkey_sign_in.finish(_secret(request), data.credential, site, address)
    return await entered(portal, request, issued)


@post(
    "/api/sign-in/code/passkey/begin",
    opt=public("a pending sign-in's cookie is the credential"),
    status_code=HTTP_200_OK,
)
async def begin_second(portal: InPortal, request: AnyRequest) -> Response[Asked]:
    """Ask for a passkey of whoever's sign-in waits for its second factor."""
    site, pending = site_of(portal, request), request.cookies.get(PENDING_COOKIE, "")
    return _asked(portal, request, *await portal.access.passkey_sign_in.begin_second(pending, site))


@post(
    "/api/sign-in/code/passkey",
    opt=public("a pending sign-in's cookie and the passkey's answer are the credential"),
    status_code=HTTP_200_OK,
)
async def finish_second(portal: InPortal, request: AnyRequest, data: JSONBody[PasskeyAnswer]) -> Response[SessionView]:
    """Finish a sign-in by a passkey as its second factor."""
    site, pending = site_of(portal, request), request.cookies.get(PENDING_COOKIE, "")
    issued = await portal.access.passkey_sign_in.finish_second(
        _secret(request), pending, data.credential, site, address_of(portal, request)
    )
    return await entered(portal, request, issued)


def passkey_routes() -> list[HTTPRouteHandler]:
    """The routes of this file."""
    return [
        ways,
        own_passkeys,
        begin_passkey,
        add_passkey,
        rename_passkey,
        remove_passkey,
        begin_sign_in,
        sign_in_passkey,
        begin_second,
        finish_second,
    ]


def _asked(portal: Portal, request: AnyRequest, ceremony: Ceremony, options: Options) -> Response[Asked]:
    cookie = Cookie(
        key=CEREMONY_COOKIE,
        path=CEREMONY_PATH,
        value=ceremony.secret,
        max_age=(ceremony.expires_at_us - portal.clock()) // 1_000_000,
        httponly=True,
        samesite="strict",
        secure=is_https(portal, request),
    )
    return Response(Asked(options), cookies=[cookie])


def _key(text: str) -> int:
    if KEY.fullmatch(text) is None:
        raise NotFound("there is no such passkey", remedy="List them to see which there are.")
    return int(text)


def _secret(request: AnyRequest) -> str:
    return request.cookies.get(CEREMONY_COOKIE, "")


def _view(entry: PasskeyEntry) -> PasskeyView:
    return PasskeyView(
        id=entry.key,
        title=entry.title,
        site=entry.site,
        is_synced=entry.is_synced,
        created_at=format_rfc3339(entry.created_at_us),
        used_at=None if entry.used_at_us is None else format_rfc3339(entry.used_at_us),
        doubted_at=None if entry.doubted_at_us is None else format_rfc3339(entry.doubted_at_us),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
