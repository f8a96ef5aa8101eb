"""A reference device put together from a wish: its folder, its way to the house, where its readings come from."""

from __future__ import annotations

import asyncio
import random
import signal
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import numpy as np

from broadstreet.app.clock import now_us
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.model.identifiers import check_device
from broadstreet.mqtt import Version
from broadstreet.outpost import (
    Actuator,
    Credential,
    DeviceClock,
    HttpLink,
    Lines,
    Link,
    Memory,
    MqttAddress,
    MqttLink,
    Outpost,
    Sensor,
    Source,
    enrol_by_http,
    enrol_by_mqtt,
    read_credential,
    write_credential,
)
from simulator import Device, Scene, profiles, simulate

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
STANDARD_INPUT: Final = "-"
CENTRE: Final = (24.941, 60.169)
"""Where a simulated sensor stands: longitude and latitude, which make its sun rise and set."""


@dataclass(frozen=True)
class DeviceWish:
    """
    folder:     its own, with its memory and credential.
    house:      mqtt://, mqtts://, http:// or https://, with id and secret in it or not.
    device, secret: who it is; None: as the folder or the address says.
    key:        of its fleet: with it a device that has no secret asks for one, under its id.
    ca:         a file of certificates to trust; None: the machine's own.
    readings:   a file, `-` for standard input; None: a simulated sensor.
    every_s:    how often; None: a minute for a sensor, without a pause for lines.
    count:      how many readings a sensor gives; None: without end.
    keep:       readings that may wait.
    """

    folder: Path
    house: str
    device: str | None = None
    secret: str | None = None
    ca: Path | None = None
    version: Version = Version.V5
    simulate: str = "air-quality"
    readings: str | None = None
    every_s: float | None = None
    count: int | None = None
    time_field: str = "ts"
    keep: int = 100_000
    key: str | None = None


async def run_device(wish: DeviceWish) -> None:
    """Be the device until a signal, or until its readings are all told. Raises errors of the house's tree."""
    house = parse_house(wish.house)
    credential = await enrolled(wish, house) if wish.key else credential_of(wish, house)
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    with Memory(wish.folder, wish.keep) as memory:
        clock = DeviceClock(memory, now_us)
        outpost = Outpost(memory, clock, source_of(wish), Actuator(memory, clock), link_of(wish, house, credential))
        await outpost.run(ending)


def parse_house(url: str) -> SplitResult:
    """The parts of a house's address. Raises InvalidInput."""
    house = urlsplit(url)
    try:
        is_known = house.scheme in {*PORTS, "http", "https"} and house.hostname is not None and house.port != 0
    except ValueError:
        is_known = False
    if not is_known:
        raise InvalidInput(
            f"{house.scheme}://{house.hostname} is no address of a house",
            where="--house",
            remedy="Write mqtt://HOST:1883, mqtts://HOST:8883, http://HOST:8080 or https://HOST.",
        )
    return house


async def enrolled(wish: DeviceWish, house: SplitResult) -> Credential:
    """Who the device is, by its fleet's key where it does not know. Raises as `credential_of` and `enrol_by_mqtt`."""
    try:
        return credential_of(wish, house)
    except NotFound:
        if wish.key is None or wish.device is None:
            raise
    if house.scheme in PORTS:
        credential = await enrol_by_mqtt(_mqtt(wish, house), wish.key, check_device(wish.device))
    else:
        credential = await enrol_by_http(_base_url(house), wish.key, check_device(wish.device), _tls(wish, house))
    write_credential(wish.folder, credential)
    return credential


def credential_of(wish: DeviceWish, house: SplitResult) -> Credential:
    """Who the device is; what is given is kept in its folder for the next start. Raises NotFound, InvalidInput."""
    device = wish.device or unquote(house.username or "")
    secret = wish.secret or unquote(house.password or "")
    if device and secret:
        credential = Credential(check_device(device), secret)
        write_credential(wish.folder, credential)
        return credential
    try:
        known = read_credential(wish.folder)
    except NotFound as error:
        raise NotFound(
            error.message,
            where=error.where,
            remedy="Give --id and the secret in BROADSTREET_DEVICE_SECRET once, as registration showed them.",
        ) from None
    if device and device != known.id:
        raise InvalidInput(
            f"this folder is that of the device {known.id!r}", where="--id", remedy="Give each device its own --folder."
        )
    return known


def link_of(wish: DeviceWish, house: SplitResult, credential: Credential) -> Link:
    """The way to the house. Raises InvalidInput for certificates that cannot be read."""
    if house.scheme in PORTS:
        return MqttLink(_mqtt(wish, house), credential)
    return HttpLink(_base_url(house), credential, _tls(wish, house))


def _mqtt(wish: DeviceWish, house: SplitResult) -> MqttAddress:
    return MqttAddress(house.hostname or "", house.port or PORTS[house.scheme], wish.version, _tls(wish, house))


def _base_url(house: SplitResult) -> str:
    host = house.hostname or ""
    name = f"[{host}]" if ":" in host else host
    return f"{house.scheme}://{name}" + ("" if house.port is None else f":{house.port}")


def _tls(wish: DeviceWish, house: SplitResult) -> ssl.SSLContext | None:
    """How the house is checked; None where it is spoken to in the clear."""
    if house.scheme not in ("mqtts", "https"):
        return None
    try:
        return ssl.create_default_context(cafile=wish.ca)
    except OSError as error:
        raise InvalidInput(f"the certificates cannot be read: {error}", where=str(wish.ca)) from None


def source_of(wish: DeviceWish) -> Source:
    """Where its readings come from. Raises NotFound, InvalidInput."""
    if wish.readings == STANDARD_INPUT:
        return Lines(sys.stdin.buffer, wish.time_field, every_s=wish.every_s)
    if wish.readings is not None:
        return Lines.of_file(Path(wish.readings), wish.time_field, wish.every_s)
    if wish.simulate not in profiles():
        raise InvalidInput(
            f"there is no simulated sensor {wish.simulate[:80]!r}",
            where="--simulate",
            remedy=f"Choose one of {', '.join(profiles())}.",
        )
    sense = simulated(wish.simulate, wish.device or wish.folder.name)
    return Sensor(sense, wish.every_s or 60.0, wish.time_field, wish.count)


def simulated(kind: str, name: str) -> Callable[[int], dict[str, Any]]:
    """What a device of the simulated city would sense at a moment, in microseconds since 1970."""
    lon, lat = CENTRE
    scene = Scene(seed=random.Random(name).randrange(2**31), lon=lon, lat=lat, time_zone="UTC")
    device = Device(id=name, title=name, profile=kind, lon=lon, lat=lat, street="", bearing_deg=0.0, capacity=100)

    def sense(at_us: int) -> dict[str, Any]:
        (said,) = simulate(scene, [device], np.array([at_us], np.int64))
        return {field: _plain(float(values[0, 0])) for field, values in said.fields.items()}

    return sense


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() else value
