"""A city that is not there: devices at real places that speak to the house through MQTT alone.

`python -m simulator --credentials FILE` lets a fleet live: each device a client with its own credential. `places`
says where devices stand on a city's map, `readings.simulate` what they say: `kinds` hold one file a kind of device,
`moment` what they share (clock, weather, traffic), `silence` when they are not heard. `profiles()` tells a house how to
read them.

What must always hold: a reading is a pure function of seed, device and time, so that a past made at once and a present
made live join without a seam; nothing here imports the house.
"""

from importlib import resources

from simulator.fleet import Device, Fault, Fleet, FleetFileWrong, Scene, read_fleet, write_fleet
from simulator.readings import Readings, simulate

__all__ = [
    "Device",
    "Fault",
    "Fleet",
    "FleetFileWrong",
    "Readings",
    "Scene",
    "profiles",
    "read_fleet",
    "simulate",
    "write_fleet",
]


def profiles() -> dict[str, str]:
    """The profiles of all kinds of device, TOML by name."""
    folder = resources.files("simulator") / "profiles"
    return {
        file.name.removesuffix(".toml"): file.read_text(encoding="utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }
