"""What devices sense, one file a kind.

Each has one function `sense(moment, traits)`: in come the city's shared state at m moments and the traits of n devices
of the kind, out come the payload's fields, each an array of shape (n, m). It is a pure function: the same seed, device
and moment always sense the same. `KINDS` has them by the name of their profile, with the decimals each field is sent
with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from simulator.kinds import air, crowd, light, parking, station, traffic, waste
from simulator.moment import Moment, Traits
from simulator.noise import Floats


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of device senses, and with how many decimals it says each field."""

    sense: Callable[[Moment, Traits], dict[str, Floats]]
    decimals: Mapping[str, int]


KINDS: Final[Mapping[str, Kind]] = {
    "street-light": Kind(light.sense, {"level": 0}),
    "air-quality": Kind(air.sense, {"no2": 1, "pm10": 1, "pm25": 1}),
    "traffic-counter": Kind(traffic.sense, {"vehicles": 0, "speed": 1, "occupancy": 1}),
    "people-counter": Kind(crowd.sense, {"people": 0}),
    "car-park": Kind(parking.sense, {"free": 0}),
    "waste-container": Kind(waste.sense, {"filling": 0}),
    "weather-station": Kind(
        station.sense, {"temperature": 1, "humidity": 0, "wind": 1, "rain": 1, "pressure": 1, "sun": 0}
    ),
}
