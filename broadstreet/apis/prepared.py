"""`/v1/prepared-devices` and `/v1/claims`: devices that are known before they are installed, and their installation."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.devices import Claim, Prepared, PreparedRow, PreparedSpec
from broadstreet.devices.prepared import MAX_PAGE
from broadstreet.model.clock import format_rfc3339


class PreparedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared device. `claimed_by` and `claimed_at` are null while it waits to be installed."""

    id: str
    title: str
    profile: str
    dataset: str | None
    created_by: str
    created_at: str
    claimed_by: str | None
    claimed_at: str | None


class ClaimCode(msgspec.Struct, frozen=True):
    """What stands on a label. Spaces and hyphens do not count, nor does O for 0, I or L for 1."""

    code: str


class Claimed(msgspec.Struct, frozen=True):
    """A device that stands where it belongs, and its entity."""

    id: str
    entity: str


def _view(row: PreparedRow) -> PreparedDevice:
    return PreparedDevice(
        id=row.id,
        title=row.title,
        profile=row.profile,
        dataset=row.dataset,
        created_by=row.created_by,
        created_at=format_rfc3339(row.created_us),
        claimed_by=row.claimed_by,
        claimed_at=None if row.claimed_us is None else format_rfc3339(row.claimed_us),
    )


@get("/prepared-devices", opt=requires("device:read"))
async def list_of_prepared(
    call: NamedDependency[Call],
    after: Annotated[str, QueryParameter(description="The id of the last one seen; leave it out to begin.")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many at most.")] = 100,
    waiting: Annotated[bool, QueryParameter(description="Only those that are not installed yet.")] = False,
) -> list[PreparedDevice]:
    """Prepared devices by id, a page at a time, without their codes and secrets."""
    tenant = call.principal.tenant
    rows = await call.services.preparation.list(tenant, after=after, limit=limit, is_waiting=waiting)
    return [_view(row) for row in rows]


@post("/prepared-devices", opt=requires("device:write"))
async def prepare_devices(call: NamedDependency[Call], data: JSONBody[list[PreparedSpec]]) -> list[Prepared]:
    """Prepare devices, at most 10,000, all or none: they are known from now on, and stand nowhere yet.

    Each secret, to be burnt in, and each claim code, for its label, come this once; null for what was known already.
    """
    made = await call.services.preparation.prepare(call.database, data, by=call.principal.name, at_us=call.at_us)
    await call.audit("device.prepare", data[0].id if len(data) == 1 else f"{len(data)} devices")
    return made


@delete("/prepared-devices/{device:str}", opt=requires("device:write"))
async def withdraw_device(call: NamedDependency[Call], device: FromPath[str]) -> None:
    """Forget a prepared device that is not installed: its label and its secret are worth nothing from now on."""
    await call.services.preparation.withdraw(call.principal.tenant, device)
    await call.audit("device.withdraw", device)


@post("/claims/find", opt=requires("device:write"), status_code=HTTP_200_OK)
async def find_claim(call: NamedDependency[Call], data: JSONBody[ClaimCode]) -> PreparedDevice:
    """Whose label this is: what is about to be installed."""
    return _view(await call.services.preparation.find(call.principal.tenant, data.code))


@post("/claims", opt=requires("device:write"))
async def claim_device(call: NamedDependency[Call], data: JSONBody[Claim]) -> Claimed:
    """Install a prepared device by the code on its label: it stands on the map from now on, marked *never heard*."""
    services, by = call.services, call.principal.name
    registered = await services.preparation.claim(call.database, data, by=by, at_us=call.at_us)
    await call.audit("device.claim", registered.id)
    return Claimed(registered.id, registered.entity_id)


def prepared_router() -> Router:
    """`/prepared-devices` and `/claims`, to stand below `/v1`."""
    routes = [list_of_prepared, prepare_devices, withdraw_device, find_claim, claim_device]
    return Router("/", route_handlers=routes, tags=["Devices"])
