"""My account: one's own password, API tokens and sessions. All of it in person: no token may make or end another."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from broadstreet.access import TokenEntry, in_person
from broadstreet.access.policy import check_permissions
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.access.token import MAX_API_LIFETIME_S, MAX_TITLE_LENGTH, TokenScope, id_of
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import NotAllowed
from broadstreet.model.terms import compact
from broadstreet.portal.door import AnyRequest, Caller, InPortal, address_of, entered, left
from broadstreet.portal.session import SessionView

DAY_S: Final = 86_400
MAX_DAYS: Final = MAX_API_LIFETIME_S // DAY_S


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token that holds.

    permissions: all that it lets through, or null for all that its account may; types, datasets: all that it reads, or
    null for all that its account sees.
    """

    id: str
    title: str
    created_at: str
    expires_at: str
    permissions: list[str] | None
    types: list[str] | None
    datasets: list[str] | None


class OwnSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that holds. is_this: whether it is the one that asks."""

    id: str
    title: str
    created_at: str
    expires_at: str
    is_this: bool


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """One's own account. has_factor: codes or a passkey; recovery_codes: how many of them are left."""

    name: str
    title: str
    roles: list[str]
    permissions: list[str]
    has_password: bool
    has_factor: bool
    has_codes: bool
    recovery_codes: int
    tokens: list[TokenView]
    sessions: list[OwnSession]


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token to make. permissions: all that it is to let through; null: whatever its account may.

    types, datasets: all that it is to read, and then it does nothing else; null: whatever its account sees.
    """

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE_LENGTH)]
    days: Annotated[int, msgspec.Meta(ge=1, le=MAX_DAYS)] = 90
    permissions: list[str] | None = None
    types: list[str] | None = None
    datasets: list[str] | None = None


class MadeToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token, with its secret, this once."""

    id: str
    secret: str
    expires_at: str


class NewPassword(msgspec.Struct, frozen=True, kw_only=True):
    """A password to take the place of the current one."""

    current: str
    password: str


@get("/api/account", opt=in_person())
async def own_account(portal: InPortal, request: AnyRequest, principal: Caller) -> AccountView:
    """One's own account: what it may, and what comes in under its name."""
    access = portal.access
    entries = await access.tokens.in_use(principal.name)
    factor = await access.second_factor.state(principal.name)
    this = id_of(request.cookies[SESSION_COOKIE])
    return AccountView(
        name=principal.name,
        title=principal.title,
        roles=sorted(principal.roles),
        permissions=sorted(principal.permissions),
        has_password=await access.accounts.has_password(principal.name),
        has_factor=factor.is_on,
        has_codes=factor.has_codes,
        recovery_codes=factor.recovery_codes,
        tokens=[_token(entry) for entry in entries if entry.kind == "api"],
        sessions=[_session(entry, this) for entry in entries if entry.kind == "session"],
    )


@post("/api/account/tokens", opt=in_person())
async def new_token(portal: InPortal, principal: Caller, data: JSONBody[NewToken]) -> MadeToken:
    """Make an API token of one's own. Its secret is told this once."""
    if principal.is_limited:
        raise NotAllowed("a second factor is asked for first", remedy="Add it under My account.")
    limits = None if data.permissions is None else check_permissions(data.permissions)
    scope = TokenScope.checked(data.types, data.datasets)
    made = await portal.access.tokens.issue(
        principal.name, "api", data.title, data.days * DAY_S, by=principal.name, limits=limits, scope=scope
    )
    return MadeToken(id=made.id, secret=made.secret, expires_at=format_rfc3339(made.expires_at_us))


@delete("/api/account/tokens/{token:str}", opt=in_person())
async def end_token(portal: InPortal, principal: Caller, token: FromPath[str]) -> None:
    """End a token or a session of one's own."""
    await portal.access.tokens.revoke(token, by=principal.name, of=principal.name)


@post("/api/account/sign-out-everywhere", opt=in_person(), status_code=HTTP_204_NO_CONTENT)
async def sign_out_everywhere(portal: InPortal, request: AnyRequest, principal: Caller) -> Response[None]:
    """End all sessions and links of one's own, this one too. Tokens stay."""
    await portal.access.tokens.end_sessions(principal.name, by=principal.name)
    return left(portal, request)


@post("/api/account/password", opt=in_person(), status_code=HTTP_200_OK)
async def change_password(
    portal: InPortal, request: AnyRequest, principal: Caller, data: JSONBody[NewPassword]
) -> Response[SessionView]:
    """Change one's own password. All other sessions end; this one goes on under a new cookie."""
    issued = await portal.access.sign_in.change_password(
        principal.name, data.current, data.password, address_of(portal, request)
    )
    return await entered(portal, request, issued)


def _token(entry: TokenEntry) -> TokenView:
    return TokenView(
        id=entry.id,
        title=entry.title,
        created_at=format_rfc3339(entry.created_at_us),
        expires_at=format_rfc3339(entry.expires_at_us),
        permissions=None if entry.permissions is None else list(entry.permissions),
        types=None if entry.scope.types is None else list(map(compact, entry.scope.types)),
        datasets=None if entry.scope.datasets is None else list(entry.scope.datasets),
    )


def _session(entry: TokenEntry, this: str) -> OwnSession:
    return OwnSession(
        id=entry.id,
        title=entry.title,
        created_at=format_rfc3339(entry.created_at_us),
        expires_at=format_rfc3339(entry.expires_at_us),
        is_this=entry.id == this,
    )
