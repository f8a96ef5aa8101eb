"""The city's OpenID Connect in the portal: a browser is sent there, comes back, and is signed in or told why not.

What goes wrong here goes wrong in an address bar: the answer is a page of ours that says it in words, never JSON.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT, HTTP_303_SEE_OTHER

from broadstreet.access import in_person, public
from broadstreet.access.ceremony import Ceremony
from broadstreet.access.provider_sign_in import ProviderSignIn, Returned, refusal_of
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import BroadstreetError, NotFound
from broadstreet.portal.door import (
    PROVIDER_COOKIE,
    AnyRequest,
    Caller,
    InPortal,
    address_of,
    house_address,
    is_https,
    step_of,
    waiting,
)
from broadstreet.portal.portal import Portal
from broadstreet.portal.session import session_cookie

PATH: Final = "/portal/oidc"
CEREMONY_COOKIE: Final = "broadstreet_provider_ceremony"
LINKING: Final = "link."
"""Before the secret in the cookie: what was begun was no sign-in."""
MAX_LENGTH: Final = 4_096
Text = Annotated[str, QueryParameter(max_length=MAX_LENGTH)]
MaybeText = Annotated[str | None, QueryParameter(max_length=MAX_LENGTH)]


class IdentityView(msgspec.Struct, frozen=True):
    """Whether one's account is linked to the city's sign-in. provider: what that is called; null: there is none."""

    provider: str | None
    linked_at: str | None


class Leave(msgspec.Struct, frozen=True):
    """Where the browser is to go next."""

    address: str


@get("/oidc/sign-in", opt=public("sends a browser to the city's sign-in"), status_code=HTTP_303_SEE_OTHER)
async def begin_provider(portal: InPortal, request: AnyRequest) -> Redirect:
    """Send the browser to the city's sign-in."""
    door = _door(portal)
    try:
        ceremony, address = await door.begin(_back(portal, request))
    except BroadstreetError as error:
        return _told(error)
    cookies = [_cookie(portal, request, ceremony)]
    return Redirect(address, status_code=HTTP_303_SEE_OTHER, cookies=cookies)


@get("/oidc/callback", opt=public("the code in the address is the credential"), status_code=HTTP_303_SEE_OTHER)
async def finish_provider(
    portal: InPortal,
    request: AnyRequest,
    code: Text = "",
    answered: Annotated[str, QueryParameter(name="state", max_length=MAX_LENGTH)] = "",
    iss: MaybeText = None,
    error: MaybeText = None,
) -> Redirect:
    """Let in whoever comes back from the city's sign-in."""
    door, returned = _door(portal), Returned(code, answered, iss, error)
    secret = request.cookies.get(CEREMONY_COOKIE, "")
    try:
        if secret.startswith(LINKING):
            return await _linked(portal, request, secret.removeprefix(LINKING), returned)
        issued = await door.finish(secret, returned, _back(portal, request), address_of(portal, request))
    except BroadstreetError as problem:
        return _told(problem)
    if issued.kind == "pending":
        then = f"/sign-in?step={await step_of(portal, issued)}"
        return Redirect(then, status_code=HTTP_303_SEE_OTHER, cookies=[waiting(portal, request, issued)])
    cookies = [
        session_cookie(issued, portal.clock(), is_https=is_https(portal, request)),
        Cookie(key=PROVIDER_COOKIE, value="1", path="/portal", httponly=True, secure=is_https(portal, request)),
    ]
    return Redirect("/", status_code=HTTP_303_SEE_OTHER, cookies=cookies)


@get("/oidc/sign-out", opt=public("the session has ended already"), status_code=HTTP_303_SEE_OTHER)
async def leave_provider(portal: InPortal, request: AnyRequest) -> Redirect:
    """Sign out at the city's sign-in too, where it offers that."""
    door = _door(portal)
    try:
        address = await door.provider.sign_out_address(f"{house_address(portal, request)}/sign-in")
    except BroadstreetError as error:
        return _told(error)
    gone = Cookie(key=PROVIDER_COOKIE, value="", path="/portal", max_age=0)
    return Redirect(address or "/sign-in", status_code=HTTP_303_SEE_OTHER, cookies=[gone])


@get("/api/account/identity", opt=in_person())
async def own_identity(portal: InPortal, principal: Caller) -> IdentityView:
    """Whether one's account is linked to the city's sign-in."""
    door = portal.access.provider_sign_in
    if door is None:
        return IdentityView(None, None)
    at_us = await door.identities.linked_at_us(principal.name)
    return IdentityView(door.settings.title, None if at_us is None else format_rfc3339(at_us))


@post("/api/account/identity/begin", opt=in_person(), status_code=HTTP_200_OK)
async def begin_link(portal: InPortal, request: AnyRequest, principal: Caller) -> Response[Leave]:
    """Begin to link one's account to the city's sign-in."""
    door = _door(portal)
    await portal.access.sign_in.require_recent(request.cookies[SESSION_COOKIE])
    ceremony, address = await door.begin(_back(portal, request), principal.name)
    return Response(Leave(address), cookies=[_cookie(portal, request, ceremony, LINKING)])


@delete("/api/account/identity", opt=in_person(), status_code=HTTP_204_NO_CONTENT)
async def end_link(portal: InPortal, request: AnyRequest, principal: Caller) -> None:
    """Link one's account no more."""
    door = _door(portal)
    await portal.access.sign_in.require_recent(request.cookies[SESSION_COOKIE])
    await door.identities.unlink(principal.name)


def provider_routes() -> list[HTTPRouteHandler]:
    """The routes of this file."""
    return [begin_provider, finish_provider, leave_provider, own_identity, begin_link, end_link]


async def _linked(portal: Portal, request: AnyRequest, secret: str, returned: Returned) -> Redirect:
    try:
        principal = await portal.access.tokens.principal(request.cookies.get(SESSION_COOKIE, ""), "session")
        await _door(portal).finish_link(secret, principal.name, returned, _back(portal, request))
    except BroadstreetError as error:
        return Redirect(f"/account?city={refusal_of(error)}", status_code=HTTP_303_SEE_OTHER)
    return Redirect("/account", status_code=HTTP_303_SEE_OTHER)


def _door(portal: Portal) -> ProviderSignIn:
    if portal.access.provider_sign_in is None:
        raise NotFound("this house has no other sign-in than its own")
    return portal.access.provider_sign_in


def _back(portal: Portal, request: AnyRequest) -> str:
    return f"{house_address(portal, request)}{PATH}/callback"


def _told(error: BroadstreetError) -> Redirect:
    return Redirect(f"/sign-in?city={refusal_of(error)}", status_code=HTTP_303_SEE_OTHER)


def _cookie(portal: Portal, request: AnyRequest, ceremony: Ceremony, begun: str = "") -> Cookie:
    """Lax: the browser comes back from another site, by a link."""
    return Cookie(
        key=CEREMONY_COOKIE,
        path=PATH,
        value=begun + ceremony.secret,
        max_age=(ceremony.expires_at_us - portal.clock()) // 1_000_000,
        httponly=True,
        samesite="lax",
        secure=is_https(portal, request),
    )
