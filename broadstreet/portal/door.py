"""Coming in and going out: by password, by one-time link; who is in. And what the portal's handlers are handed."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeVar

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT, HTTP_303_SEE_OTHER

from broadstreet.access import IssuedToken, Principal, public, signed_in
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.model.errors import NotSignedIn
from broadstreet.portal.portal import Portal
from broadstreet.portal.session import (
    PENDING_COOKIE,
    UNTITLED,
    SessionView,
    no_cookie,
    pending_cookie,
    session_cookie,
    session_view,
)

T = TypeVar("T")
PROVIDER_COOKIE: Final = "broadstreet_provider"
"""Whoever has it came in by the city's sign-in, and leaves by it too."""
Step = Literal["code", "passkey", "either"]
AnyRequest = Request[Principal, Any, State]
InPortal = NamedDependency[Portal]
Caller = NamedDependency[Principal]


class Credentials(msgspec.Struct, frozen=True):
    """What is asked at sign-in."""

    name: str
    password: str


class Code(msgspec.Struct, frozen=True):
    """A code of a second factor, or a recovery code."""

    code: str


class Pending(msgspec.Struct, frozen=True):
    """What a sign-in still waits for: a code, a passkey, or either. A recovery code does in every case."""

    pending: Step


def address_of(portal: Portal, request: AnyRequest) -> str:
    """Where the caller is; behind a proxy, what the proxy itself added last to X-Forwarded-For."""
    forwarded = request.headers.get("x-forwarded-for") if portal.settings.is_behind_proxy else None
    if forwarded:
        return forwarded.rsplit(",", 1)[-1].strip()
    return request.client.host if request.client else ""


def is_https(portal: Portal, request: AnyRequest) -> bool:
    """Whether cookies travel over TLS alone."""
    return (portal.settings.origin or request.url.scheme).startswith("https")


def waiting(portal: Portal, request: AnyRequest, issued: IssuedToken) -> Cookie:
    """The cookie of a sign-in that waits for its code."""
    return pending_cookie(issued, portal.clock(), is_https=is_https(portal, request))


async def entered(portal: Portal, request: AnyRequest, issued: IssuedToken) -> Response[SessionView]:
    """The answer to somebody who has just come in: the session, and its cookie."""
    principal = await portal.access.tokens.principal(issued.secret, "session")
    cookie = session_cookie(issued, portal.clock(), is_https=is_https(portal, request))
    return Response(await session_view(portal, principal), cookies=[cookie])


async def made_whole(portal: Portal, request: AnyRequest, principal: Principal, answer: Response[T]) -> Response[T]:
    """An answer to somebody who has just added a second factor: a session that waited for it becomes a whole one."""
    if principal.is_limited:
        issued = await portal.access.sign_in.after_factor(principal.name, address_of(portal, request))
        await portal.access.sign_in.sign_out(request.cookies[SESSION_COOKIE], by=principal.name)
        answer.set_cookie(session_cookie(issued, portal.clock(), is_https=is_https(portal, request)))
    return answer


async def step_of(portal: Portal, issued: IssuedToken) -> Step:
    """What a pending sign-in waits for."""
    state = await portal.access.second_factor.state(issued.account)
    if state.has_codes:
        return "either" if state.passkeys else "code"
    return "passkey"


def house_address(portal: Portal, request: AnyRequest) -> str:
    """Where browsers reach the house, without a slash at the end."""
    return portal.settings.origin.rstrip("/") or f"{request.url.scheme}://{request.headers.get('host', '')}"


def house_title(portal: Portal, tenant: str) -> str:
    """What the house is called in the tenant's city."""
    city = portal.city(tenant)
    return portal.settings.title or (city.title if city else UNTITLED)


def left(portal: Portal, request: AnyRequest) -> Response[None]:
    """The answer to somebody who has just gone."""
    return Response(None, cookies=[no_cookie(is_https=is_https(portal, request))])


@get("/api/session", opt=signed_in())
async def session(portal: InPortal, request: AnyRequest, principal: Caller) -> SessionView:
    """Who is signed in, and what the client must know of the city."""
    view = await session_view(portal, principal)
    is_from_provider = portal.access.provider_sign_in is not None and PROVIDER_COOKIE in request.cookies
    return msgspec.structs.replace(view, is_from_provider=is_from_provider)


@post("/api/sign-in", opt=public("the password in the body is the credential"), status_code=HTTP_200_OK)
async def sign_in(
    portal: InPortal, request: AnyRequest, data: JSONBody[Credentials]
) -> Response[SessionView] | Response[Pending]:
    """Sign in by password. Whoever has a second factor is asked for its code next."""
    issued = await portal.access.sign_in.with_password(data.name, data.password, address_of(portal, request))
    if issued.kind == "pending":
        return Response(Pending(await step_of(portal, issued)), cookies=[waiting(portal, request, issued)])
    return await entered(portal, request, issued)


@post("/api/sign-in/code", opt=public("a pending sign-in's cookie and the code are the credential"), status_code=200)
async def sign_in_code(portal: InPortal, request: AnyRequest, data: JSONBody[Code]) -> Response[SessionView]:
    """Finish a sign-in by a code of the second factor, or a recovery code."""
    pending = request.cookies.get(PENDING_COOKIE, "")
    return await entered(
        portal, request, await portal.access.sign_in.with_code(pending, data.code, address_of(portal, request))
    )


@post("/api/sign-out", opt=signed_in(), status_code=HTTP_204_NO_CONTENT)
async def sign_out(portal: InPortal, request: AnyRequest, principal: Caller) -> Response[None]:
    """End the session."""
    if secret := request.cookies.get(SESSION_COOKIE):
        await portal.access.sign_in.sign_out(secret, by=principal.name)
    return left(portal, request)


@get("/link/{secret:str}", opt=public("the secret in the path is the credential"), status_code=HTTP_303_SEE_OTHER)
async def follow_link(portal: InPortal, request: AnyRequest, secret: FromPath[str]) -> Redirect:
    """Sign in by a one-time link."""
    try:
        issued = await portal.access.sign_in.with_link(secret, address_of(portal, request))
    except NotSignedIn:
        # A browser came, not a program: the page for signing in can say what to do, a problem in JSON cannot.
        return Redirect("/sign-in?link=used", status_code=HTTP_303_SEE_OTHER)
    if issued.kind == "pending":
        then = f"/sign-in?step={await step_of(portal, issued)}"
        return Redirect(then, status_code=HTTP_303_SEE_OTHER, cookies=[waiting(portal, request, issued)])
    cookie = session_cookie(issued, portal.clock(), is_https=is_https(portal, request))
    return Redirect("/", status_code=HTTP_303_SEE_OTHER, cookies=[cookie])
