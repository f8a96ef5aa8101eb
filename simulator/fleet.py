"""The devices of a simulated city: where each stands, what it is like, what is wrong with it, and its credential.

A fleet is kept as JSON, readable by its owner alone, because it holds secrets: what a device has burnt in. It is all
that the live city needs.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

MAX_FLEET_BYTES: Final = 64 * 1024 * 1024


class Fault(StrEnum):
    """What is wrong with a device from its installation; no such device is ever heard."""

    NONE = ""
    DEAD = "dead"
    """No power, no signal: it never connects."""
    WRONG_SECRET = "wrong secret"
    """It tries, and is turned away."""
    MUTE = "mute"
    """It connects, and says nothing."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device at its place.

    bearing_deg: the direction of its street, clockwise from north, below 180. rank: how busy its street is, 0 to 1.
    capacity: parking spaces; 0 for what is no car park. silences: when it is not heard, [from, to) in microseconds
    since 1970, beside what chance takes.
    """

    id: str
    title: str
    profile: str
    lon: float
    lat: float
    street: str
    bearing_deg: float
    rank: float = 0.5
    capacity: int = 0
    fault: Fault = Fault.NONE
    silences: tuple[tuple[int, int], ...] = ()
    secret: str = ""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What all devices of a city share: its chance, its place on Earth and its clocks."""

    seed: int
    lon: float
    lat: float
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """A city's devices, as kept in its file. founded_us: when the city began to be watched."""

    scene: Scene
    founded_us: int
    devices: tuple[Device, ...]


class FleetFileWrong(Exception):
    """A fleet file cannot be used; the message says which, why, and what to do."""


def write_fleet(path: Path, fleet: Fleet) -> None:
    """Writes a fleet's file, whole or not at all, for its owner's eyes only."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(fleet), indent=1))
    unfinished.replace(path)


def read_fleet(path: Path) -> Fleet:
    """A fleet from its file. Raises FleetFileWrong if it is not there or not a fleet."""
    try:
        if path.stat().st_size > MAX_FLEET_BYTES:
            raise FleetFileWrong(f"{path} is larger than any fleet's file. Give the file that `city new` wrote.")
        return msgspec.json.decode(path.read_bytes(), type=Fleet)
    except OSError as error:
        raise FleetFileWrong(f"{path} cannot be read: {error.strerror}. Make a city first: `city new`.") from None
    except msgspec.MsgspecError as error:
        raise FleetFileWrong(f"{path} is not a fleet's file: {error}. Make the city again: `city new`.") from None
