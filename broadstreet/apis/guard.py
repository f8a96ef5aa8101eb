"""The one door of HTTP: who is calling, and whether the route lets them in.

Every route declares what it asks for (`broadstreet.access.requires`, `signed_in`, `public`); `check_declared` refuses
to start with one that does not, and the guard denies what is undeclared. A caller is known by one of

    Authorization: Bearer bst_…      an account's API token
    Authorization: Basic …           a device's id and secret
    Cookie: broadstreet_session=…    a session of the portal

in this order, the first that is there; a credential that does not hold is not followed by another. Who has none may
read what the tenant shows to everyone, by the routes that keep to it, and not too often from one address; or, in a
house that is open to all of its machine, read and write entities. A write under a cookie must come from a page of ours:
its Origin is compared with the address it was sent to.
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

from broadstreet.access import Access, Demand, Principal, Tenancy, demand_of
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.access.token import TokenKind
from broadstreet.access.visits import address_of
from broadstreet.model.errors import BroadstreetError, NotAllowed, NotSignedIn, UnknownTenant
from broadstreet.model.identifiers import DEFAULT_TENANT

TENANT_HEADER: Final = "NGSILD-Tenant"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
DeviceLogin = Callable[[str, str], Awaitable[Principal]]
"""A device's id and secret to its principal. Raises NotSignedIn."""


class Guard:
    """Litestar calls it before each handler; it leaves the principal in `request.user`."""

    def __init__(
        self,
        access: Access,
        device_login: DeviceLogin,
        tenancy: Tenancy,
        origins: frozenset[str] = frozenset(),
        *,
        is_behind_proxy: bool = False,
        is_open: bool = False,
    ) -> None:
        """origins: addresses of the portal beside the one a request was sent to, such as a proxy's.

        is_behind_proxy: whether what the proxy says of a caller's address is believed. is_open: whether who has no
        credential may read and write entities.
        """
        self._access = access
        self._tenancy = tenancy
        self._is_open = is_open
        self._device_login = device_login
        self._origins = origins
        self._is_behind_proxy = is_behind_proxy

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Raises NotSignedIn, NotAllowed, UnknownTenant."""
        demand = demand_of(handler.opt) or Demand(None)
        is_write = connection.scope.get("method") not in SAFE_METHODS
        authorization = connection.headers.get("authorization")
        if is_write and authorization is None:
            self._check_origin(connection, must_be_said=not (demand.is_public or self._is_open))
        if demand.is_public:
            return
        principal = await self._principal(connection, authorization, demand)
        _check_credential(demand, principal)
        if demand.permission is not None:
            principal.require(demand.permission)
        connection.scope["user"] = principal

    async def holds(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """Whether the credential that opened a long answer still holds, so that a stream ends with its session."""
        demand = demand_of(connection.route_handler.opt) or Demand(None)
        try:
            principal = await self._principal(connection, connection.headers.get("authorization"), demand)
            _check_credential(demand, principal)
        except (NotSignedIn, NotAllowed, UnknownTenant):
            return False
        return demand.permission is None or principal.may(demand.permission)

    async def _principal(
        self, connection: ASGIConnection[Any, Any, Any, Any], authorization: str | None, demand: Demand
    ) -> Principal:
        tenant = connection.headers.get(TENANT_HEADER) or None
        if authorization is None:
            secret = connection.cookies.get(SESSION_COOKIE)
            if not secret:
                return await self._anyone(connection, tenant or DEFAULT_TENANT, demand)
            return await self._account(secret, "session", tenant, demand)
        scheme, _, credential = authorization.partition(" ")
        match scheme.lower():
            case "bearer":
                return await self._account(credential.strip(), "api", tenant, demand)
            case "basic":
                device, secret = _basic(credential)
                principal = await self._device_login(device, secret)
                if tenant not in (None, principal.tenant):
                    raise NotAllowed(f"{device} is a device of another tenant", where=TENANT_HEADER)
                return principal
        raise NotSignedIn("the header Authorization is neither Bearer nor Basic", where="Authorization")

    async def _account(self, secret: str, kind: TokenKind, tenant: str | None, demand: Demand) -> Principal:
        """Who presents a token, in a tenant that is begun where the route makes one. Raises as `Tokens.principal`."""
        tokens = self._access.tokens
        try:
            return await tokens.principal(secret, kind, tenant)
        except UnknownTenant as unknown:
            if tenant is None or not demand.makes_tenant:
                raise
            try:
                who = await tokens.principal(secret, kind, DEFAULT_TENANT)
            except NotAllowed:
                raise unknown from None
            await self._tenancy.begin(tenant, who)
            tokens.forget()
            return await tokens.principal(secret, kind, tenant)

    async def _anyone(self, connection: ASGIConnection[Any, Any, Any, Any], tenant: str, demand: Demand) -> Principal:
        """Whoever shows no credential: in an open house, or where the tenant shows anything to everyone.

        Raises NotSignedIn, TooMany, UnknownTenant.
        """
        if self._is_open and demand.permission is not None:
            unnamed = Principal.unnamed(tenant)
            if demand.makes_tenant and not await self._tenancy.has(tenant):
                await self._tenancy.begin(tenant, unnamed)
            return unnamed
        if not demand.within_reach or connection.scope.get("method") not in SAFE_METHODS:
            raise NotSignedIn()
        anyone = await self._access.publications.anyone(tenant)
        if anyone is None:
            raise NotSignedIn()
        host = connection.client.host if connection.client else ""
        forwarded = connection.headers.get("x-forwarded-for")
        self._access.visits.count(address_of(forwarded, host, is_behind_proxy=self._is_behind_proxy))
        return anyone

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


def _check_credential(demand: Demand, principal: Principal) -> None:
    """Raises NotAllowed for a sort of credential that a route does not take, whatever it may do."""
    if demand.in_person and principal.via is not None:
        raise NotAllowed("this is done in person, under a session of the portal, and by no token")
    if demand.permission is None and principal.kind != "account":
        raise NotAllowed("a device's credential opens nothing but what its readings need")
    if principal.reach is not None and not demand.within_reach:
        raise NotAllowed(
            f"the token {principal.via!r} is limited to entity types or datasets, and this route does not keep to them",
            remedy="Read through NGSI-LD, or use a token without such a limit.",
        )


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
