"""`/v1/provision` and `/v1/provisioning-keys`: how new devices come to a credential by their fleet's key."""

from __future__ import annotations

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import public, requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call, Services
from broadstreet.devices import Admitted, Application, KeyRow, KeySpec, NewKey
from broadstreet.model.clock import format_rfc3339


class ProvisioningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A provisioning key as it stands; `devices` counts those it has let in. `revoked_at` is null while it is not."""

    name: str
    profile: str
    pattern: str
    dataset: str | None
    lon: float | None
    lat: float | None
    renews: bool
    devices: int
    max_devices: int
    created_by: str
    created_at: str
    expires_at: str
    revoked_at: str | None


def key_view(row: KeyRow) -> ProvisioningKey:
    """A key as it is told."""
    return ProvisioningKey(
        name=row.name,
        profile=row.profile,
        pattern=row.pattern,
        dataset=row.dataset,
        lon=row.lon,
        lat=row.lat,
        renews=row.renews,
        devices=row.devices,
        max_devices=row.max_devices,
        created_by=row.created_by,
        created_at=format_rfc3339(row.created_us),
        expires_at=format_rfc3339(row.expires_us),
        revoked_at=None if row.revoked_us is None else format_rfc3339(row.revoked_us),
    )


@post("/provision", opt=public("the key in the body is the credential"), status_code=HTTP_200_OK)
async def provision(services: NamedDependency[Services], data: JSONBody[Application]) -> Admitted:
    """Ask for a credential, as a new device that knows its fleet's key. The secret comes this once.

    409 says that the device has one already, and the key does not renew; 401 that the key holds no longer.
    """
    return await services.provisioning.admit(data, services.clock())


@get("/provisioning-keys", opt=requires("device:read"))
async def list_of_keys(call: NamedDependency[Call]) -> list[ProvisioningKey]:
    """The tenant's provisioning keys, by name, with how many devices each has let in."""
    return [key_view(row) for row in await call.services.provisioning.list(call.principal.tenant)]


@post("/provisioning-keys", opt=requires("device:write"))
async def create_key(call: NamedDependency[Call], data: JSONBody[KeySpec]) -> NewKey:
    """Make a provisioning key. Its secret comes this once."""
    made = await call.services.provisioning.create(call.database, data, by=call.principal.name, at_us=call.at_us)
    await call.audit("provisioning-key.create", data.name)
    return made


@delete("/provisioning-keys/{name:str}", opt=requires("device:write"))
async def revoke_key(call: NamedDependency[Call], name: FromPath[str]) -> None:
    """End a provisioning key: it lets nobody in from now on. The devices that it has let in stay."""
    await call.services.provisioning.revoke(call.principal.tenant, name, call.at_us)
    await call.audit("provisioning-key.revoke", name)


def provisioning_router() -> Router:
    """`/provision` and `/provisioning-keys`, to stand below `/v1`."""
    return Router("/", route_handlers=[provision, list_of_keys, create_key, revoke_key], tags=["Devices"])
