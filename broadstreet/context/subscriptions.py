"""Subscriptions of a tenant: made, shown, changed and removed (5.8.1 to 5.8.5 of the standard).

A subscription and the @context that was kept for it alone come and go in one transaction, which also says that
subscriptions are not what they were: whoever reads a change that was made later sees them as they are by then. Who is
told of what, and how that went, is the notifier's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import asyncpg
import msgspec

from broadstreet.access import Principal
from broadstreet.context.bounds import MAX_CONTEXT_BYTES, MAX_SUBSCRIPTIONS
from broadstreet.context.contexts import PATH
from broadstreet.context.subscription import merge, patterns_of
from broadstreet.context.subscription_representation import Subscription
from broadstreet.delivery import PORTS, Receivers
from broadstreet.model.clock import parse_rfc3339
from broadstreet.model.errors import Conflict, InvalidInput, InvalidQuery, NotAllowed, NotFound, TooLarge, TooMany
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

ID_STEM: Final = "urn:ngsi-ld:Subscription:"
_SQL = load_queries("subscription")
_CONTEXT_SQL = load_queries("jsonld_context")
_TRY_PATTERNS: Final = load_queries("entity")["try_patterns"]


@dataclass(frozen=True)
class FoundSubscriptions:
    """A page of subscriptions. count: of all, where it was asked for; more: whether some follow."""

    subscriptions: list[Subscription]
    count: int | None
    more: bool


class Subscriptions:
    """Make one a process. Every operation names its principal, whose tenant it works in and whose right it checks."""

    def __init__(self, store: Store, receivers: Receivers) -> None:
        """receivers: whom notifications may be delivered to."""
        self._store = store
        self._receivers = receivers

    async def create(
        self, principal: Principal, at_us: int, subscription_id: str | None, members: Mapping[str, Any], context: Any
    ) -> Subscription:
        """5.8.1. members: as `parse_subscription` answers them; context: the @context that they came under.

        Raises Conflict where the id is taken, InvalidInput where nothing may be delivered to its receiver, TooMany,
        InvalidQuery for a pattern that is none.
        """
        principal.require("subscription:write")
        made = subscription_id or ID_STEM + secrets.token_hex(16)
        database = await self._store.tenant(principal.tenant)
        async with database.transaction() as connection:
            await connection.execute(_SQL["lock"])
            if await connection.fetchval(_SQL["count"]) >= MAX_SUBSCRIPTIONS:
                raise TooMany(f"a tenant has at most {MAX_SUBSCRIPTIONS:,} subscriptions", remedy="Delete one.")
            await _try_patterns(connection, members)
            self._check_receiver(members)
            address, context_id = await _speak(connection, at_us, members.get("jsonldContext"), context)
            document = {name: value for name, value in members.items() if name != "jsonldContext"}
            is_active, ends_at_us = _standing(document)
            taken = await connection.fetchval(
                _SQL["insert"], made, document, address, context_id, principal.name, at_us, is_active, ends_at_us
            )
            if taken is None:
                raise Conflict(f"there is a subscription {made} already", where="id")
            await connection.execute(_SQL["tell"])
        return Subscription(made, document, address, context_id, at_us, at_us, is_active, ends_at_us)

    async def retrieve(self, principal: Principal, subscription_id: str) -> Subscription:
        """5.8.3. Raises NotFound."""
        principal.require("subscription:read")
        database = await self._store.tenant(principal.tenant)
        return _kept(await database.fetchrow(_SQL["one"], subscription_id), subscription_id)

    async def list(self, principal: Principal, limit: int, offset: int, *, counts: bool) -> FoundSubscriptions:
        """5.8.4: oldest first."""
        principal.require("subscription:read")
        database = await self._store.tenant(principal.tenant)
        rows = await database.fetch(_SQL["page"], limit + 1, offset)
        count = await database.fetchval(_SQL["count"]) if counts else None
        return FoundSubscriptions([_kept(row, "") for row in rows[:limit]], count, len(rows) > limit)

    async def update(
        self, principal: Principal, at_us: int, subscription_id: str, members: Mapping[str, Any], context: Any
    ) -> Subscription:
        """5.8.2, member by member. members: as `parse_update` answers them.

        The @context that notifications speak stays, unless `jsonldContext` is among the members; where that is taken
        away, it is the one that the update came under. Raises NotFound, InvalidInput, InvalidQuery.
        """
        principal.require("subscription:write")
        database = await self._store.tenant(principal.tenant)
        async with database.transaction() as connection:
            kept = _kept(await connection.fetchrow(_SQL["hold"], subscription_id), subscription_id)
            changed = {name: value for name, value in members.items() if name != "jsonldContext"}
            document = merge(kept.document, changed)
            await _try_patterns(connection, document)
            self._check_receiver(document)
            address, context_id = kept.jsonld_context, kept.context_id
            if "jsonldContext" in members:
                address, context_id = await _speak(connection, at_us, members["jsonldContext"], context)
                await _forget(connection, kept.context_id)
            is_active, ends_at_us = _standing(document)
            await connection.execute(
                _SQL["update"], subscription_id, document, address, context_id, at_us, is_active, ends_at_us
            )
            await connection.execute(_SQL["tell"])
        return msgspec.structs.replace(kept, document=document, jsonld_context=address, context_id=context_id)

    async def delete(self, principal: Principal, subscription_id: str) -> None:
        """5.8.5. Raises NotFound."""
        principal.require("subscription:write")
        database = await self._store.tenant(principal.tenant)
        async with database.transaction() as connection:
            gone = await connection.fetchrow(_SQL["delete"], subscription_id)
            if gone is None:
                raise _missing(subscription_id)
            await _forget(connection, gone["context_id"])
            await connection.execute(_SQL["tell"])

    def _check_receiver(self, document: Mapping[str, Any]) -> None:
        """That notifications can be delivered, as far as their address says that. Raises InvalidInput."""
        where = "notification.endpoint.uri"
        parts = urlsplit(document["notification"]["endpoint"]["uri"])
        try:
            self._receivers.check_literal(parts.hostname or "", parts.port or PORTS[parts.scheme])
        except NotAllowed as error:
            raise InvalidInput(error.message, where=where, remedy=error.remedy) from None


async def _speak(connection: Connection, at_us: int, named: str | None, context: Any) -> tuple[str, str | None]:
    """The address of the @context that notifications speak; and its id, where none of the caller's own has one."""
    while isinstance(context, list) and len(context) == 1:
        (context,) = context
    if named is not None or isinstance(context, str):
        return named or context, None
    body = {"@context": context}
    if len(msgspec.json.encode(body)) > MAX_CONTEXT_BYTES:
        raise TooLarge(f"an @context of more than {MAX_CONTEXT_BYTES:,} bytes", where="@context")
    made = secrets.token_hex(8)
    await connection.execute(_CONTEXT_SQL["insert"], made, None, "ImplicitlyCreated", body, at_us)
    return PATH + made, made


async def _forget(connection: Connection, context_id: str | None) -> None:
    """An @context that was kept for one subscription alone goes."""
    if context_id is not None:
        await connection.execute(_CONTEXT_SQL["delete"], context_id)


async def _try_patterns(connection: Connection, members: Mapping[str, Any]) -> None:
    patterns = patterns_of(members)
    if not patterns:
        return
    try:
        await connection.fetchval(_TRY_PATTERNS, patterns)
    except asyncpg.InvalidRegularExpressionError as error:
        raise InvalidQuery(f"the pattern is no regular expression: {error}") from None


def _standing(document: Mapping[str, Any]) -> tuple[bool, int | None]:
    """Whether it is active, and when it ends."""
    ends_at = document.get("expiresAt")
    return document.get("isActive", True), None if ends_at is None else parse_rfc3339(ends_at)


def _kept(row: Any, subscription_id: str) -> Subscription:
    if row is None:
        raise _missing(subscription_id)
    return Subscription(*row)


def _missing(subscription_id: str) -> NotFound:
    return NotFound(f"there is no subscription {subscription_id}", where="subscriptionId")
