"""`/v1/devices` and `/v1/profiles`: what sends readings, and how its payloads are read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from broadstreet.access import Principal, requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context import AttributeFragment, EntityFragment
from broadstreet.devices import (
    DeviceRow,
    DeviceSpec,
    ProfileVersion,
    Registered,
    TableReport,
    find_device,
    list_devices,
    profile_versions,
    register_table,
)
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.entity import Kind
from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.model.naming import NAME
from broadstreet.model.terms import compact

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
MAX_BULK: Final = 10_000
MAX_PAGE: Final = 1_000
MAX_TITLE_LENGTH: Final = 200
_line_encoder = msgspec.json.Encoder()
_spec_decoder = msgspec.json.Decoder(DeviceSpec)


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A device. `title` is what its entity is called.

    Times are RFC 3339 in UTC; `first_heard_at` and `last_heard_at` are null while it was never heard.
    """

    id: str
    title: str
    entity: str
    profile: str
    profile_version: int
    registered_at: str
    disabled_at: str | None
    first_heard_at: str | None
    last_heard_at: str | None
    messages: int


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device just registered. `secret` is shown this once; null where the device had one already."""

    id: str
    entity: str
    secret: str | None


class DeviceChange(msgspec.Struct, frozen=True):
    """What of a device can be changed: what it is called."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE_LENGTH, pattern=r"\S")]


class NewSecret(msgspec.Struct, frozen=True):
    """A device's new secret, shown this once."""

    id: str
    secret: str


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a profile. `type` and `attributes` are names of entities and attributes; `body` is the TOML."""

    name: str
    version: int
    type: str
    attributes: list[str]
    body: str


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else format_rfc3339(at_us)


def _view(row: DeviceRow) -> DeviceView:
    return DeviceView(
        id=row.id,
        title=row.title,
        entity=row.entity_id,
        profile=row.profile,
        profile_version=row.profile_version,
        registered_at=format_rfc3339(row.registered_us),
        disabled_at=_time(row.disabled_us),
        first_heard_at=_time(row.first_heard_us),
        last_heard_at=_time(row.last_heard_us),
        messages=row.messages,
    )


def _new(registered: Registered) -> NewDevice:
    return NewDevice(id=registered.id, entity=registered.entity_id, secret=registered.secret)


def _profile(version: ProfileVersion) -> ProfileView:
    return ProfileView(
        name=version.name,
        version=version.version,
        type=compact(version.profile.type),
        attributes=list(version.profile.attributes),
        body=version.body,
    )


@get("/devices", opt=requires("device:read"))
async def list_of_devices(
    call: NamedDependency[Call],
    after: Annotated[str, QueryParameter(description="The id of the last device seen; leave it out to begin.")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many at most.")] = 100,
) -> list[DeviceView]:
    """Devices by id, a page at a time, with what was heard of each."""
    return [_view(row) for row in await list_devices(call.database, after=after, limit=limit)]


@get("/devices/{device:str}", opt=requires("device:read"))
async def one_device(call: NamedDependency[Call], device: FromPath[str]) -> DeviceView:
    """One device, with what was heard of it."""
    return _view(await find_device(call.database, device))


@post("/devices", opt=requires("device:write"))
async def create_device(call: NamedDependency[Call], data: JSONBody[DeviceSpec]) -> NewDevice:
    """Register a device: its entity stands on the map from now on, marked *never heard*. The secret comes once."""
    registry = call.services.registry
    registered = await registry.register(call.database, data, principal=call.principal.name, at_us=call.at_us)
    await call.audit("device.create", data.id)
    return _new(registered)


@patch("/devices/{device:str}", opt=requires("entity:write"))
async def rename_device(call: NamedDependency[Call], device: FromPath[str], data: JSONBody[DeviceChange]) -> DeviceView:
    """Rename a device: its entity's attribute `name` is written, which is the one place where the name is kept."""
    row = await find_device(call.database, device)
    name = AttributeFragment(NAME, kind=Kind.PROPERTY, value=data.title.strip())
    fragment = EntityFragment(row.entity_id, [], [name])
    await call.services.broker.append(call.principal, call.at_us, fragment, may_overwrite=True)
    await call.audit("device.rename", device)
    return _view(await find_device(call.database, device))


@post("/devices/bulk", opt=requires("device:write"), status_code=HTTP_200_OK)
async def create_devices(call: NamedDependency[Call], request: Request[Principal, Any, State]) -> Response[bytes]:
    """Register many devices: a JSON object a line as for one device (NDJSON), at most 10,000; all or none are kept.

    The answer has a line for each, in order. A device that exists already is left as it is, with a null secret.
    """
    specs = _specs(await request.body())
    registry = call.services.registry
    registered = await registry.register_many(call.database, specs, principal=call.principal.name, at_us=call.at_us)
    await call.audit("device.create", f"{len(specs)} devices")
    return Response(_line_encoder.encode_lines([_new(one) for one in registered]), media_type=NDJSON)


def _specs(body: bytes) -> Sequence[DeviceSpec]:
    lines = body.split(b"\n")
    if len(lines) > MAX_BULK + 1:
        raise TooLarge(f"at most {MAX_BULK} devices at a time", where="body", remedy="Send them in several requests.")
    specs: list[DeviceSpec] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                specs.append(_spec_decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InvalidInput(str(error), where=f"line {number}", remedy="Write one JSON object a line.") from None
    if not specs:
        raise InvalidInput("no device came", where="body", remedy="Write one JSON object a line.")
    return specs


@post("/devices/table", opt=requires("device:write"), status_code=HTTP_200_OK)
async def register_devices(
    call: NamedDependency[Call],
    request: Request[Principal, Any, State],
    dry_run: Annotated[bool, QueryParameter(description="Only say what would come of it.")] = False,
    profile: Annotated[str | None, QueryParameter(description="Of lines that name none.")] = None,
) -> Response[TableReport] | Response[str]:
    """Register a table of devices: CSV with a header line, at most 50,000 lines.

    Columns are `id`, `lon`, `lat`, and any of `title`, `profile`, `street`, `bearing_deg`, `dataset`, `entity_id`,
    `secret`. The answer says of each line what became of it, with the device's secret this once; `Accept: text/csv` has
    it as a table. A line that cannot be is rejected by itself; a device that exists is left as it is.
    """
    by = call.principal.name
    report = await register_table(
        call.services.registry,
        call.database,
        await request.body(),
        profile=profile,
        is_dry=dry_run,
        principal=by,
        at_us=call.at_us,
    )
    if not dry_run:
        await call.audit("device.create", f"{report.registered} devices")
    if CSV in request.headers.get("accept", ""):
        return Response(report.csv(), media_type=CSV)
    return Response(report)


@post("/devices/{device:str}/secret", opt=requires("device:write"))
async def rotate_secret(call: NamedDependency[Call], device: FromPath[str]) -> NewSecret:
    """Give a device a new secret; the old one is refused from the next sign-in on. The new one comes once."""
    secret = await call.services.registry.rotate_secret(call.database, device)
    await call.audit("device.secret", device)
    return NewSecret(device, secret)


@delete("/devices/{device:str}", opt=requires("device:write"))
async def disable_device(
    call: NamedDependency[Call], device: FromPath[str], with_entity: FromQuery[bool] = False
) -> None:
    """Refuse a device from now on, and end its connection. Its entity and past stay; `POST …/enable` lets it in again.

    `with_entity=true` removes its entity too, which asks for `entity:write`; its past stays.
    """
    if with_entity:
        row = await find_device(call.database, device)
        with suppress(NotFound):  # somebody has removed it already
            await call.services.broker.delete(call.principal, call.at_us, row.entity_id)
    await call.services.registry.disable(call.database, device, call.at_us)
    await call.audit("device.remove" if with_entity else "device.disable", device)


@post("/devices/{device:str}/enable", opt=requires("device:write"), status_code=HTTP_204_NO_CONTENT)
async def enable_device(call: NamedDependency[Call], device: FromPath[str]) -> None:
    """Let a disabled device in again, under the secret it has."""
    await call.services.registry.disable(call.database, device, None)
    await call.audit("device.enable", device)


@get("/profiles", opt=requires("device:read"))
async def list_of_profiles(call: NamedDependency[Call]) -> list[ProfileView]:
    """The newest version of every profile, by name."""
    return [_profile(version) for version in await call.services.registry.profiles(call.database)]


@get("/profiles/{name:str}", opt=requires("device:read"))
async def versions_of_profile(call: NamedDependency[Call], name: FromPath[str]) -> list[ProfileView]:
    """All versions of a profile, newest first. A version never changes."""
    return [_profile(version) for version in await profile_versions(call.database, name)]


@post("/profiles", opt=requires("device:write"))
async def create_profile(call: NamedDependency[Call], request: Request[Principal, Any, State]) -> ProfileView:
    """Write a profile down: the body is its TOML. Devices of its name use the new version from now on.

    The same text again is the version that is there already.
    """
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError:
        raise InvalidInput("the profile is not UTF-8", where="body") from None
    registry, by = call.services.registry, call.principal.name
    version = await registry.register_profile(call.database, text, principal=by, at_us=call.at_us)
    await call.audit("profile.create", f"{version.name} {version.version}")
    return _profile(version)


def devices_router() -> Router:
    """`/devices` and `/profiles`, to stand below `/v1`."""
    return Router(
        "/",
        route_handlers=[
            list_of_devices,
            one_device,
            create_device,
            create_devices,
            register_devices,
            rename_device,
            rotate_secret,
            disable_device,
            enable_device,
            list_of_profiles,
            versions_of_profile,
            create_profile,
        ],
        tags=["Devices"],
    )
