"""`/v1/commands`: what devices are ordered to do, by whom and why, and what they said of it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context import CORE, Selection, Selector, parse_query, parse_types
from broadstreet.devices import Choice, CommandRow, CommandState, Order
from broadstreet.devices.command import (
    DEFAULT_LIFETIME_S,
    MAX_DEVICES,
    MAX_LIFETIME_S,
    MAX_PAGE,
    MAX_WHY_LENGTH,
    MIN_LIFETIME_S,
)
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import InvalidInput, TooMany
from broadstreet.model.terms import expand

PAGE: Final = 1_000
"""Entities that a query is asked for at a time."""

Why = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_WHY_LENGTH, pattern=r"\S")]


class NewCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command to give: its `name` and `body`, `why`, and which devices are meant. All that is given must hold.

    `devices` are ids; `type` is an entity type, `street` as in an address, `area` west, south, east, north in degrees,
    `q` an NGSI-LD query, which asks for a `type`. It is offered for `lifetime_s` seconds.
    """

    name: str
    why: Why
    body: Any = None
    lifetime_s: Annotated[float, msgspec.Meta(ge=MIN_LIFETIME_S, le=MAX_LIFETIME_S)] = DEFAULT_LIFETIME_S
    devices: Annotated[list[str], msgspec.Meta(max_length=MAX_DEVICES)] | None = None
    type: str | None = None
    street: str | None = None
    area: tuple[float, float, float, float] | None = None
    q: str | None = None


class GivenCommand(msgspec.Struct, frozen=True):
    """A command that was given to a device."""

    device: str
    id: str


class Cancelling(msgspec.Struct, frozen=True):
    """Why a command is taken back."""

    why: Why


class CommandView(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it stands.

    `offers` counts how often it was sent. `delivered_at` is when its device is known to have it, `ended_at` when it was
    answered, taken back, or its time was over; both null until then. `key` is where to page on from.
    """

    key: int
    id: str
    device: str
    name: str
    body: Any
    by: str
    why: str
    state: CommandState
    ordered_at: str
    expires_at: str
    offers: int
    offered_at: str | None
    delivered_at: str | None
    ended_at: str | None
    result: Any


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else format_rfc3339(at_us)


def _view(row: CommandRow) -> CommandView:
    return CommandView(
        key=row.key,
        id=row.id,
        device=row.device,
        name=row.name,
        body=row.body,
        by=row.principal,
        why=row.why,
        state=row.state,
        ordered_at=format_rfc3339(row.created_us),
        expires_at=format_rfc3339(row.expires_us),
        offers=row.offers,
        offered_at=_time(row.offered_us),
        delivered_at=_time(row.delivered_us),
        ended_at=_time(row.ended_us),
        result=row.result,
    )


@post("/commands", opt=requires("command:write"))
async def give_command(call: NamedDependency[Call], data: JSONBody[NewCommand]) -> list[GivenCommand]:
    """Order a device, or all devices of a selection, to do something. Each has a command of its own."""
    if (data.devices, data.type, data.street, data.area, data.q) == (None,) * 5:
        raise InvalidInput("say which devices are meant", where="devices", remedy="Give devices, type, street or area.")
    choice = Choice(
        devices=data.devices,
        type=None if data.type is None else expand(data.type),
        street=data.street,
        area=data.area,
        entities=None if data.q is None else await _entities(call, data.type, data.q),
    )
    commands = call.services.commands
    devices = await commands.choose(call.database, choice)
    order = Order(name=data.name, why=data.why, body=data.body, lifetime_s=data.lifetime_s)
    ids = await commands.order(call.database, call.principal, call.at_us, devices, order)
    return [GivenCommand(device, identifier) for device, identifier in ids.items()]


async def _entities(call: Call, type_name: str | None, q: str) -> list[str]:
    """The ids of all entities that a query finds. Raises InvalidInput, InvalidQuery, TooMany."""
    if type_name is None:
        raise InvalidInput(
            "a query asks for a type", where="type", remedy="Say of which type the devices' entities are."
        )
    selectors, query = (Selector(types=parse_types(type_name, CORE)),), parse_query(q)
    found: list[str] = []
    while True:
        selection = Selection(selectors=selectors, query=query, limit=PAGE, offset=len(found))
        page = await call.services.broker.query(call.principal, selection)
        found += [entity.id for entity in page.entities]
        if not page.more:
            return found
        if len(found) > MAX_DEVICES:
            raise TooMany(f"more than {MAX_DEVICES:,} entities are found", where="q", remedy="Ask for fewer.")


@get("/commands", opt=requires("device:read"))
async def list_of_commands(
    call: NamedDependency[Call],
    device: FromQuery[str | None] = None,
    standing: Annotated[CommandState | None, QueryParameter(name="state")] = None,
    before: Annotated[int | None, QueryParameter(ge=0, description="The key of the last one seen.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many at most.")] = 100,
) -> list[CommandView]:
    """Commands, newest first: all, or those of a device, or in a state."""
    rows = await call.services.commands.list(call.database, device=device, state=standing, before=before, limit=limit)
    return [_view(row) for row in rows]


@get("/commands/{command:str}", opt=requires("device:read"))
async def one_command(call: NamedDependency[Call], command: FromPath[str]) -> CommandView:
    """One command, and what its device said of it."""
    return _view(await call.services.commands.find(call.database, command))


@post("/commands/{command:str}/cancel", opt=requires("command:write"), status_code=HTTP_200_OK)
async def cancel_command(
    call: NamedDependency[Call], command: FromPath[str], data: JSONBody[Cancelling]
) -> CommandView:
    """Take a command back: it is offered no more. A device that has it may still execute it, and say so."""
    commands = call.services.commands
    return _view(await commands.cancel(call.database, call.principal, call.at_us, command, data.why))


def commands_router() -> Router:
    """`/commands`, to stand below `/v1`."""
    return Router("/", route_handlers=[give_command, list_of_commands, one_command, cancel_command], tags=["Commands"])
