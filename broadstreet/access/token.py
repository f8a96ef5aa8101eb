"""Tokens: API tokens, sessions and one-time links. 256 random bits, of which only the SHA-256 is kept.

An API token may be limited to some permissions; then it has those of them that its account's roles give. It may be
limited to entity types and datasets; then it reads those, through routes that keep to them, and nothing else. A token's
public id is the first eight bytes of its hash in hex: it names the token in a list, and whoever finds a
secret can compute it. Who holds a token is remembered for `REMEMBERED_US`, so that another process's revocation is
felt here within that time, and this process's at once.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

from broadstreet.access.audit import record
from broadstreet.access.policy import Permission, Role
from broadstreet.access.principal import Principal
from broadstreet.access.reach import check_datasets, check_names, reach_of_limits
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import InvalidInput, NotAllowed, NotFound, NotSignedIn, UnknownTenant
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from asyncpg import Record

    from broadstreet.store.database import Connection

TokenKind = Literal["api", "session", "link", "pending"]

PREFIX: Final = "bst_"
SECRET_BYTES: Final = 32
SESSION_LIFETIME_S: Final = 12 * 3_600
PENDING_LIFETIME_S: Final = 10 * 60
LINK_LIFETIME_S: Final = 15 * 60
MAX_API_LIFETIME_S: Final = 2 * 366 * 86_400
ENDED_KEPT_US: Final = 86_400 * US_PER_S
REMEMBERED_US: Final = US_PER_S
MAX_REMEMBERED: Final = 10_000
MAX_TITLE_LENGTH: Final = 200
_SQL = load_queries("token")
_ACCOUNT_SQL = load_queries("account")


@dataclass(frozen=True, slots=True)
class TokenScope:
    """All that a token shows; None: all that its account may see.

    types: IRIs of entity types; datasets: their ids. Where both are given, both must hold.
    """

    types: tuple[str, ...] | None = None
    datasets: tuple[str, ...] | None = None

    @classmethod
    def checked(cls, types: Iterable[str] | None, datasets: Iterable[str] | None) -> Self:
        """From names as a person writes them. Raises InvalidInput."""
        return cls(
            None if types is None else check_names(types, "types"),
            None if datasets is None else check_datasets(datasets),
        )

    @property
    def reach(self) -> str | None:
        """How far it sees, as a principal carries it."""
        return reach_of_limits(self.types, self.datasets)


EVERYTHING: Final = TokenScope()


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token on the one occasion its secret is seen."""

    secret: str
    id: str
    account: str
    expires_at_us: int
    kind: TokenKind


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A token in a list, without its secret."""

    id: str
    account: str
    kind: TokenKind
    title: str
    created_at_us: int
    expires_at_us: int
    used_at_us: int | None
    revoked_at_us: int | None
    permissions: tuple[str, ...] | None
    """All that it lets through; None: all that its account may."""
    scope: TokenScope = EVERYTHING


@dataclass(frozen=True, slots=True)
class _Holder:
    name: str
    title: str
    roles: dict[str, frozenset[Role]]
    via: str | None
    limits: frozenset[Permission] | None
    reach: str | None
    good_until_us: int


def hash_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def id_of(secret: str) -> str:
    """A token's public id."""
    return hash_of(secret)[:8].hex()


def _entry(row: Record) -> TokenEntry:
    permissions = row["permissions"]
    return TokenEntry(
        row["id"],
        row["account"],
        row["kind"],
        row["title"],
        row["created_at"],
        row["expires_at"],
        row["used_at"],
        row["revoked_at"],
        None if permissions is None else tuple(permissions),
        _scope(row),
    )


def _scope(row: Record) -> TokenScope:
    types, datasets = row["types"], row["datasets"]
    return TokenScope(None if types is None else tuple(types), None if datasets is None else tuple(datasets))


def _public_id(text: str) -> bytes:
    """A public id as it is kept; what cannot be one is nobody's."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


class Tokens:
    """Issue, resolve and revoke."""

    def __init__(self, control: Database, clock: Callable[[], int], random_bytes: Callable[[int], bytes]) -> None:
        """random_bytes: a source fit for secrets, such as `secrets.token_bytes`."""
        self._control = control
        self._clock = clock
        self._random_bytes = random_bytes
        self._remembered: dict[tuple[bytes, TokenKind], _Holder] = {}

    async def issue(
        self,
        account: str,
        kind: TokenKind,
        title: str,
        lifetime_s: int,
        *,
        by: str,
        limits: frozenset[Permission] | None = None,
        scope: TokenScope = EVERYTHING,
    ) -> IssuedToken:
        """A new token. limits: the permissions it is to have at most; None: no limit. scope: what it is to show.

        Raises NotFound where the account does not exist or is shut out, InvalidInput.
        """
        if not 0 < lifetime_s <= MAX_API_LIFETIME_S:
            raise InvalidInput(f"a token lives 1 s to {MAX_API_LIFETIME_S} s", where="lifetime")
        if not title or len(title) > MAX_TITLE_LENGTH:
            raise InvalidInput(f"a title has 1 to {MAX_TITLE_LENGTH} characters", where="title")
        async with self._control.transaction() as connection:
            return await self.issue_within(
                connection, account, kind, title, lifetime_s, by=by, limits=limits, scope=scope
            )

    async def issue_within(
        self,
        connection: Connection,
        account: str,
        kind: TokenKind,
        title: str,
        lifetime_s: int,
        *,
        by: str,
        limits: frozenset[Permission] | None = None,
        scope: TokenScope = EVERYTHING,
    ) -> IssuedToken:
        """`issue` inside the caller's transaction."""
        secret = PREFIX + base64.urlsafe_b64encode(self._random_bytes(SECRET_BYTES)).rstrip(b"=").decode()
        now_us = self._clock()
        until_us = now_us + lifetime_s * US_PER_S
        said = None if limits is None else sorted(limits)
        row = (hash_of(secret), account, kind, title, now_us, until_us, said, scope.types, scope.datasets)
        if await connection.fetchval(_SQL["insert"], *row) is None:
            raise NotFound(f"there is no account {account[:80]!r} that may sign in", where="account")
        await connection.execute(_SQL["prune"], now_us - ENDED_KEPT_US)
        detail = {"kind": kind, "title": title, "lifetime_s": lifetime_s, "account": account, "permissions": said}
        detail |= {"types": scope.types, "datasets": scope.datasets}
        await record(connection, now_us, by, "token.create", id_of(secret), detail=detail)
        return IssuedToken(secret, id_of(secret), account, until_us, kind)

    async def principal(self, secret: str, kind: TokenKind, tenant: str | None = None) -> Principal:
        """Who presents this token, in a tenant. tenant: None for the account's own (the default tenant, or the first).

        Raises NotSignedIn for a token that does not hold, UnknownTenant, NotAllowed for a tenant without a role.
        """
        return await self.principal_of(hash_of(secret), kind, tenant)

    async def principal_of(self, digest: bytes, kind: TokenKind, tenant: str | None = None) -> Principal:
        """`principal` by what is kept of a secret, for whoever was let in by it and is looked at again."""
        holder = await self._holder(digest, kind)
        if tenant is None:
            tenant = DEFAULT_TENANT if DEFAULT_TENANT in holder.roles else next(iter(holder.roles), None)
            if tenant is None:
                raise NotAllowed(f"{holder.name} has no role in any tenant", remedy="Ask an administrator for one.")
        roles = holder.roles.get(tenant)
        if roles is None:
            if not await self._control.fetchval(_ACCOUNT_SQL["tenant_exists"], tenant):
                raise UnknownTenant(f"there is no tenant {tenant[:80]!r}", where="NGSILD-Tenant")
            raise NotAllowed(f"{holder.name} has no role in the tenant {tenant}", where="NGSILD-Tenant")
        return Principal.account(holder.name, holder.title, tenant, roles, holder.via, holder.limits, holder.reach)

    async def revoke(self, token_id: str, *, by: str, of: str | None = None) -> None:
        """End a token by its public id. of: the account it must be of, where only that one's may be ended.

        Raises NotFound.
        """
        now_us = self._clock()
        async with self._control.transaction() as connection:
            account = await connection.fetchval(_SQL["revoke"], _public_id(token_id), now_us, of)
            if account is None:
                raise NotFound(f"there is no token {token_id[:80]!r} in use", remedy="List them to see their ids.")
            await record(connection, now_us, by, "token.revoke", token_id, detail={"account": account})
        self.forget()

    async def revoke_secret(self, secret: str, *, by: str) -> None:
        """End the token that was presented: signing out."""
        now_us = self._clock()
        async with self._control.transaction() as connection:
            await connection.execute(_SQL["revoke_hash"], hash_of(secret), now_us)
            await record(connection, now_us, by, "token.revoke", id_of(secret), detail={"account": by})
        self.forget()

    async def end_sessions(self, account: str, *, by: str, but: str | None = None) -> int:
        """End all sessions and links of an account. but: the secret of the one that stays. Answers how many ended."""
        now_us = self._clock()
        async with self._control.transaction() as connection:
            kept = None if but is None else hash_of(but)
            ended = int(await connection.fetchval(_SQL["revoke_everywhere"], account, now_us, kept))
            await record(connection, now_us, by, "session.end-all", account, detail={"ended": ended})
        self.forget()
        return ended

    async def revoke_sessions(self, connection: Connection, account_key: int, now_us: int) -> None:
        """End an account's sessions and links inside the caller's transaction; the caller then calls `forget`."""
        await connection.execute(_SQL["revoke_sessions"], account_key, now_us)

    async def in_use(self, account: str) -> list[TokenEntry]:
        """The tokens and sessions of an account that still hold, newest first."""
        return [_entry(row) for row in await self._control.fetch(_SQL["in_use"], account, self._clock())]

    async def list(self, account: str | None = None) -> list[TokenEntry]:
        """Tokens of an account or of all, newest first, at most 1,000."""
        return [_entry(row) for row in await self._control.fetch(_SQL["list"], account)]

    def forget(self) -> None:
        """Remember no holder: something about tokens, accounts or roles has changed."""
        self._remembered.clear()

    async def _holder(self, digest: bytes, kind: TokenKind) -> _Holder:
        now_us = self._clock()
        remembered = self._remembered.get((digest, kind))
        if remembered is not None and now_us < remembered.good_until_us:
            return remembered
        rows = await self._control.fetch(_SQL["holder"], digest, kind, now_us)
        if not rows:
            raise NotSignedIn("the token is unknown, has expired or was revoked", remedy="Sign in again.")
        roles = {row["tenant"]: frozenset(row["roles"]) for row in rows if row["tenant"] is not None}
        good_until_us = min(rows[0]["expires_at"], now_us + REMEMBERED_US)
        via = rows[0]["token"] if kind == "api" else None
        limits = None if rows[0]["permissions"] is None else frozenset(rows[0]["permissions"])
        reach = _scope(rows[0]).reach
        holder = _Holder(rows[0]["name"], rows[0]["title"], roles, via, limits, reach, good_until_us)
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[digest, kind] = holder
        return holder
