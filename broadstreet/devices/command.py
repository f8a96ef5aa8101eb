"""Commands: what the house tells devices to do, from the order to the answer.

    queued ──▶ delivered ──▶ acknowledged | rejected          what its device said
       └───────────┴───────▶ expired | cancelled              nobody answered in time; somebody took it back

A command is offered, by MQTT and to whoever fetches over HTTP, until its device answers or its time is over. It carries
an id, so that a device which is offered it twice executes it once. An answer comes through the log like a reading, is
applied by the recorder, and says what has been done: it counts even where the command had expired meanwhile. Who orders
what, and why, is in the audit before the command is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.model.errors import Conflict, InvalidInput, NotFound, TooLarge, TooMany
from broadstreet.model.terms import expand
from broadstreet.store import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.access import Principal
    from broadstreet.access.audit import Audit
    from broadstreet.store import Database

CommandState = Literal["queued", "delivered", "acknowledged", "rejected", "expired", "cancelled"]

MAX_DEVICES: Final = 10_000
"""Devices that one request commands."""
MAX_OPEN: Final = 100
"""Open commands of one device."""
MAX_BODY_BYTES: Final = 16 * 1024
MAX_WHY_LENGTH: Final = 500
MAX_PAGE: Final = 500
MIN_LIFETIME_S, DEFAULT_LIFETIME_S, MAX_LIFETIME_S = 5, 3_600, 30 * 86_400
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5, 600
"""Between two offers of a command; each pause is twice the one before."""
TOPIC: Final = "commands"
RESULT: Final = "result"
_ID_BYTES: Final = 16
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,62}")
_ADDRESS: Final = expand("address")
_SQL = load_queries("command")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which devices: all that is given must hold.

    type: an entity type's IRI; area: west, south, east, north in degrees; entities: their ids.
    """

    devices: Sequence[str] | None = None
    type: str | None = None
    street: str | None = None
    area: tuple[float, float, float, float] | None = None
    entities: Sequence[str] | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, and why. body: any JSON value. lifetime_s: how long it is offered."""

    name: str
    why: str
    body: Any = None
    lifetime_s: float = DEFAULT_LIFETIME_S


class Offer(msgspec.Struct, frozen=True):
    """A command as its device sees it; times are RFC 3339."""

    id: str
    name: str
    body: Any
    ordered_at: str
    expires_at: str


class CommandRow(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it stands. key: its place in lists; times in microseconds since 1970, None: not yet."""

    key: int
    id: str
    device: str
    name: str
    body: Any
    principal: str
    why: str
    state: CommandState
    created_us: int
    expires_us: int
    offers: int
    offered_us: int | None
    delivered_us: int | None
    ended_us: int | None
    result: Any


def topic_of(device: str, command: str) -> str:
    """The MQTT topic on which a command is offered; its result goes to the same with `/result` behind."""
    return f"devices/{device}/{TOPIC}/{command}"


def offer_of(row: asyncpg.Record) -> Offer:
    """A row of a command as its device sees it."""
    return Offer(
        row["id"], row["name"], row["body"], format_rfc3339(row["created_at"]), format_rfc3339(row["expires_at"])
    )


def pause_s(offers: int) -> int:
    """How long after its n-th offer a command is offered again."""
    return min(FIRST_PAUSE_S << min(offers - 1, 10), LONGEST_PAUSE_S)


class Commands:
    """All tenants' commands. random_bytes: fit for ids, such as `os.urandom`."""

    def __init__(self, audit: Audit, random_bytes: Callable[[int], bytes]) -> None:
        self._audit = audit
        self._random_bytes = random_bytes

    async def choose(self, database: Database, choice: Choice) -> dict[str, int]:
        """The keys of the devices that are meant, by id. Raises NotFound where there is none, TooMany."""
        west, south, east, north = choice.area or (None, None, None, None)
        rows = await database.fetch(
            _SQL["choose_devices"],
            None if choice.devices is None else list(choice.devices),
            choice.type,
            choice.street,
            _ADDRESS,
            west,
            south,
            east,
            north,
            None if choice.entities is None else list(choice.entities),
            MAX_DEVICES + 1,
        )
        found = {row["id"]: int(row["key"]) for row in rows}
        if missing := sorted(set(choice.devices or ()) - found.keys()):
            raise NotFound(f"{missing[0][:80]!r} is no device that is meant, or it is disabled", where="devices")
        if not found:
            raise NotFound("no device is meant", remedy="Look at the map, or the list of devices, for what there is.")
        if len(found) > MAX_DEVICES:
            raise TooMany(f"more than {MAX_DEVICES:,} devices are meant", remedy="Choose fewer at a time.")
        return found

    async def order(
        self, database: Database, principal: Principal, at_us: int, devices: dict[str, int], order: Order
    ) -> dict[str, str]:
        """Give a command to each of these devices; answers its id by device. Raises InvalidInput, TooLarge, TooMany."""
        _check(order)
        ids = {device: self._random_bytes(_ID_BYTES).hex() for device in devices}
        detail = {"why": order.why, "name": order.name, "body": order.body, "commands": list(ids.values())[:MAX_PAGE]}
        subject = next(iter(devices)) if len(devices) == 1 else f"{len(devices)} devices"
        keys = list(devices.values())
        crowded = await database.fetchval(_SQL["crowded"], keys, MAX_OPEN)
        if crowded is not None:
            raise TooMany(
                f"{MAX_OPEN} commands wait for {crowded!r} already", remedy="Cancel some, or wait for it to answer."
            )
        await self._audit.record(
            at_us, principal.name, "command.order", subject, tenant=principal.tenant, detail=detail
        )
        until_us = at_us + round(order.lifetime_s * US_PER_S)
        await database.execute(
            _SQL["insert"],
            list(ids.values()),
            keys,
            order.name,
            order.body,
            principal.name,
            order.why,
            at_us,
            until_us,
        )
        return ids

    async def list(
        self,
        database: Database,
        *,
        device: str | None = None,
        state: CommandState | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[CommandRow]:
        """Commands, newest first."""
        rows = await database.fetch(_SQL["list"], device, state, before, min(limit, MAX_PAGE))
        return [_row(row) for row in rows]

    async def find(self, database: Database, command: str) -> CommandRow:
        """One command. Raises NotFound."""
        row = await database.fetchrow(_SQL["find"], command)
        if row is None:
            raise NotFound(f"there is no command {command[:80]!r}")
        return _row(row)

    async def cancel(self, database: Database, principal: Principal, at_us: int, command: str, why: str) -> CommandRow:
        """Take a command back: it is offered no more, though its device may have it. Raises NotFound, Conflict."""
        found = await self.find(database, command)
        _check_why(why)
        detail = {"why": why, "name": found.name, "command": command}
        if found.state not in ("queued", "delivered"):
            raise Conflict(f"the command is {found.state} already")
        await self._audit.record(
            at_us, principal.name, "command.cancel", found.device, tenant=principal.tenant, detail=detail
        )
        if await database.fetchval(_SQL["cancel"], command, at_us) is None:
            raise Conflict("the command has ended meanwhile")
        return await self.find(database, command)


async def fetch_command(database: Database, device: str, at_us: int) -> Offer | None:
    """Hand a device its oldest open command; None where none waits. Again only after the pause of an offer."""
    pause_us = FIRST_PAUSE_S * US_PER_S
    row = await database.fetchrow(_SQL["fetch"], device, at_us, at_us + pause_us, at_us - pause_us)
    return None if row is None else offer_of(row)


def _row(row: asyncpg.Record) -> CommandRow:
    return CommandRow(
        key=row["key"],
        id=row["id"],
        device=row["device"],
        name=row["name"],
        body=row["body"],
        principal=row["principal"],
        why=row["why"],
        state=row["state"],
        created_us=row["created_at"],
        expires_us=row["expires_at"],
        offers=row["offers"],
        offered_us=row["offered_at"],
        delivered_us=row["delivered_at"],
        ended_us=row["ended_at"],
        result=row["result"],
    )


def _check(order: Order) -> None:
    if _NAME.fullmatch(order.name) is None:
        raise InvalidInput(
            f"{order.name[:80]!r} cannot name a command",
            where="name",
            remedy="Use letters, digits and . _ -, a letter first, at most 63 characters, such as set-level.",
        )
    _check_why(order.why)
    if not MIN_LIFETIME_S <= order.lifetime_s <= MAX_LIFETIME_S:
        raise InvalidInput(f"a command is offered {MIN_LIFETIME_S} s to {MAX_LIFETIME_S:,} s", where="lifetime_s")
    encoded = msgspec.json.encode(order.body)
    if len(encoded) > MAX_BODY_BYTES:
        raise TooLarge(f"a command's body is at most {MAX_BODY_BYTES:,} bytes long", where="body")
    if b"\\u0000" in encoded:
        raise InvalidInput("a command's body cannot hold the character U+0000", where="body")


def _check_why(why: str) -> None:
    if not 0 < len(why.strip()) <= MAX_WHY_LENGTH:
        raise InvalidInput(
            f"a reason of 1 to {MAX_WHY_LENGTH} characters is asked for", where="why", remedy="Say why, for the audit."
        )
