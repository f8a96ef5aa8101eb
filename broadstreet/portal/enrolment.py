"""Adding one's own device from the portal: a name is made up, a secret given once, and the line to paste is written.

The QR code holds the connection as a URL (`mqtt://user:password@host:port/topic`), which MQTT programs on a phone
read and `mosquitto_pub -L` takes.
"""

from __future__ import annotations

import io
import re
import shlex
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec
import segno

from broadstreet.access import Principal
from broadstreet.devices import DeviceSpec, Profile, ProfileVersion, find_device
from broadstreet.model.errors import InvalidInput
from broadstreet.model.terms import compact
from broadstreet.portal.portal import Portal
from broadstreet.portal.words import type_label, unit_label
from broadstreet.store import Database

TOPIC: Final = "readings"
SUFFIX_BYTES: Final = 3
MAX_STEM_LENGTH: Final = 40
MAX_TITLE_LENGTH: Final = 200
ANY_HOST: Final = frozenset({"", "0.0.0.0", "::"})
QR_BORDER: Final = 4
_NOT_IN_IDS: Final = re.compile(r"[^a-z0-9]+")
_SHARE_OF_RANGE: Final = 0.1
"""Where in its range an example value lies, where no limit says better."""


class NewDevice(msgspec.Struct, frozen=True):
    """A device to add: what it is called, how it speaks, where it stands."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE_LENGTH)]
    profile: str
    lon: float
    lat: float


class MqttAddress(msgspec.Struct, frozen=True):
    """Where devices connect."""

    host: str
    port: int


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """A device just added. secret: shown this once; command: a line to paste; payload: what it sends."""

    device: str
    entity: str
    secret: str
    mqtt: MqttAddress
    command: str
    payload: str
    qr_svg: str


class MappedAttribute(msgspec.Struct, frozen=True):
    """One attribute of a profile, and the payload's field it comes from."""

    name: str
    field: str
    unit_label: str
    type: str


class ProfileView(msgspec.Struct, frozen=True):
    """A profile to choose."""

    name: str
    version: int
    type: str
    type_label: str
    attributes: list[MappedAttribute]


def profile_view(version: ProfileVersion) -> ProfileView:
    """A profile as the form shows it."""
    profile = version.profile
    name = compact(profile.type)
    mapped = [
        MappedAttribute(attribute, mapping.field, unit_label(mapping.unit), str(mapping.type))
        for attribute, mapping in profile.attributes.items()
    ]
    return ProfileView(version.name, version.version, name, type_label(name), mapped)


async def enrol(portal: Portal, database: Database, principal: Principal, new: NewDevice, host: str) -> Enrolled:
    """Register a device. host: the name by which its owner reached the portal. Raises NotFound, InvalidInput."""
    if not new.title.strip():
        raise InvalidInput("a device needs a name", where="title")
    profile = (await portal.registry.profile(database, new.profile)).profile
    spec = DeviceSpec(
        id=device_id(new.title, portal.random_bytes),
        title=new.title.strip(),
        profile=new.profile,
        lon=new.lon,
        lat=new.lat,
    )
    at_us = portal.clock()
    registered = await portal.registry.register(database, spec, principal=principal.name, at_us=at_us)
    await portal.access.audit.record(at_us, principal.name, "device.create", spec.id, tenant=principal.tenant)
    secret = registered.secret or await portal.registry.rotate_secret(database, spec.id)
    return _enrolled(portal, profile, spec.id, registered.entity_id, secret, host)


async def renew_secret(portal: Portal, database: Database, principal: Principal, device: str, host: str) -> Enrolled:
    """Give a device a new secret; the old one is refused from the next sign-in on. Raises NotFound."""
    row = await find_device(database, device)
    profile = (await portal.registry.profile(database, row.profile)).profile
    if row.disabled_us is not None:
        await portal.registry.disable(database, device, None)
    secret = await portal.registry.rotate_secret(database, device)
    await portal.access.audit.record(portal.clock(), principal.name, "device.secret", device, tenant=principal.tenant)
    return _enrolled(portal, profile, device, row.entity_id, secret, host)


def _enrolled(portal: Portal, profile: Profile, device: str, entity: str, secret: str, host: str) -> Enrolled:
    address = mqtt_address(portal.settings.mqtt_host, portal.settings.mqtt_port, host)
    payload = msgspec.json.encode(example_payload(profile)).decode()
    words = ["mosquitto_pub", "-h", address.host, "-p", str(address.port), "-u", device, "-P", secret]
    return Enrolled(
        device=device,
        entity=entity,
        secret=secret,
        mqtt=address,
        command=shlex.join([*words, "-q", "1", "-t", TOPIC, "-m", payload]),
        payload=payload,
        qr_svg=qr_svg(connection_url(address, device, secret)),
    )


def device_id(title: str, random_bytes: Callable[[int], bytes]) -> str:
    """An id that is free and can be typed: the title's letters and a few random ones."""
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = _NOT_IN_IDS.sub("-", letters).strip("-")[:MAX_STEM_LENGTH].strip("-") or "device"
    return f"{stem}-{random_bytes(SUFFIX_BYTES).hex()}"


def mqtt_address(listens_on: str, port: int, reached_by: str) -> MqttAddress:
    """Where a device finds the gateway: its own address, or the portal's where it listens on all."""
    return MqttAddress(reached_by if listens_on in ANY_HOST else listens_on, port)


def connection_url(address: MqttAddress, device: str, secret: str) -> str:
    """The connection as a URL."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"mqtt://{quote(device, safe='')}:{quote(secret, safe='')}@{host}:{address.port}/{TOPIC}"


def qr_svg(text: str) -> str:
    """A QR code, black on white in any theme: not every phone reads the inverse."""
    drawn = io.BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(drawn, kind="svg", xmldecl=False, border=QR_BORDER, dark="black", light="white", omitsize=True)
    return drawn.getvalue().decode()


def example_payload(profile: Profile) -> dict[str, Any]:
    """A payload that the profile decodes, with likely values. Without a time: the time of receipt counts."""
    payload: dict[str, Any] = {}
    for mapping in profile.attributes.values():
        *path, last = mapping.field.split(".")
        place = payload
        for part in path:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        match mapping.type:
            case "number":
                low = mapping.minimum if mapping.minimum is not None else 0.0
                high = mapping.limit or mapping.maximum or low + 100
                value = (low + (high - low) * _SHARE_OF_RANGE - mapping.offset) / (mapping.scale or 1.0)
                place[last] = int(value) if value == int(value) else round(value, 2)
            case "boolean":
                place[last] = True
            case "text":
                place[last] = "fine"
            case _:
                place[last] = {}
    return payload
