"""The one door of HTTP: who is calling, and whether the route lets them in.

Every route declares what it asks for (`broadstreet.access.requires`, `signed_in`, `public`); `check_declared` refuses
to start with one that does not, and the guard denies what is undeclared. A caller is known by one of

    Authorization: Bearer bst_…      an account's API token
    Authorization: Basic …           a device's id and secret
    Cookie: broadstreet_session=…    a session of the portal

in this order, the first that is there; a credential that does not hold is not followed by another. A write under a
cookie must come from a page of ours: its Origin is compared with the address it was sent to.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from broadstreet.access import Access, Demand, Principal, demand_of
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.model.errors import BroadstreetError, NotAllowed, NotSignedIn, UnknownTenant

TENANT_HEADER: Final = "NGSILD-Tenant"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
DeviceLogin = Callable[[str, str], Awaitable[Principal]]
"""A device's id and secret to its principal. Raises NotSignedIn."""


class Guard:
    """Litestar calls it before each handler; it leaves the principal in `request.user`."""

    def __init__(self, access: Access, device_login: DeviceLogin, origins: frozenset[str] = frozenset()) -> None:
        """origins: addresses of the portal beside the one a request was sent to, such as a proxy's."""
        self._access = access
        self._device_login = device_login
        self._origins = origins

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Raises NotSignedIn, NotAllowed, UnknownTenant."""
        demand = demand_of(handler.opt) or Demand(None)
        is_write = connection.scope.get("method") not in SAFE_METHODS
        authorization = connection.headers.get("authorization")
        if is_write and authorization is None:
            self._check_origin(connection, must_be_said=not demand.is_public)
        if demand.is_public:
            return
        principal = await self._principal(connection, authorization)
        if not _lets_in(demand, principal):
            if principal.kind == "account":
                raise NotAllowed("this is done in person, under a session of the portal, and by no token")
            raise NotAllowed("a device's credential opens nothing but what its readings need")
        if demand.permission is not None:
            principal.require(demand.permission)
        connection.scope["user"] = principal

    async def holds(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """Whether the credential that opened a long answer still holds, so that a stream ends with its session."""
        demand = demand_of(connection.route_handler.opt) or Demand(None)
        try:
            principal = await self._principal(connection, connection.headers.get("authorization"))
        except (NotSignedIn, NotAllowed, UnknownTenant):
            return False
        return _lets_in(demand, principal) and (demand.permission is None or principal.may(demand.permission))

    async def _principal(self, connection: ASGIConnection[Any, Any, Any, Any], authorization: str | None) -> Principal:
        tenant = connection.headers.get(TENANT_HEADER) or None
        if authorization is None:
            secret = connection.cookies.get(SESSION_COOKIE)
            if not secret:
                raise NotSignedIn()
            return await self._access.tokens.principal(secret, "session", tenant)
        scheme, _, credential = authorization.partition(" ")
        match scheme.lower():
            case "bearer":
                return await self._access.tokens.principal(credential.strip(), "api", tenant)
            case "basic":
                device, secret = _basic(credential)
                principal = await self._device_login(device, secret)
                if tenant not in (None, principal.tenant):
                    raise NotAllowed(f"{device} is a device of another tenant", where=TENANT_HEADER)
                return principal
        raise NotSignedIn("the header Authorization is neither Bearer nor Basic", where="Authorization")

    def _check_origin(self, connection: ASGIConnection[Any, Any, Any, Any], *, must_be_said: bool) -> None:
        origin = connection.headers.get("origin")
        if origin is None:
            if must_be_said and connection.headers.get("sec-fetch-site") != "same-origin":
                if SESSION_COOKIE not in connection.cookies:
                    raise NotSignedIn()
                raise NotAllowed("a write under a cookie says where it comes from", where="Origin")
            return
        if urlsplit(origin).netloc != connection.headers.get("host") and origin not in self._origins:
            raise NotAllowed("this write was sent by a page of another site", where="Origin")


def _lets_in(demand: Demand, principal: Principal) -> bool:
    """Being signed in is enough for accounts alone; a device needs a permission, and a token cannot be in person."""
    if demand.in_person and principal.via is not None:
        return False
    return demand.permission is not None or principal.kind == "account"


def _basic(credential: str) -> tuple[str, str]:
    """User and password of a Basic credential (RFC 7617)."""
    try:
        user, colon, password = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise NotSignedIn("the Basic credential cannot be read", where="Authorization")
    return user, password


def principal_of(request: Request[Principal, Any, Any]) -> Principal:
    """The dependency `principal` of every handler that is not public."""
    return request.user


def handlers_of(app: Litestar) -> list[tuple[str, HTTPRouteHandler]]:
    """(path, handler) of every route, without the OPTIONS answers that the framework adds."""
    return [
        (route.path_format, handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler) and handler.http_methods != {"OPTIONS"}
    ]


def check_declared(app: Litestar) -> None:
    """Raises BroadstreetError, naming them, where routes do not say who may call them."""
    silent = sorted(
        f"{' '.join(sorted(handler.http_methods))} {path}"
        for path, handler in handlers_of(app)
        if demand_of(handler.opt) is None
    )
    foreign = sorted(route.path for route in app.routes if route.scope_type != "http")
    if silent or foreign:
        raise BroadstreetError(
            f"routes that do not say who may call them: {', '.join((*silent, *foreign))}",
            remedy='Declare each with opt=requires("…"), signed_in() or public("why").',
        )
