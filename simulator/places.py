"""Where the devices of a city stand: at real places of its map.

Street lights take most: evenly along the named streets nearest to the heart of the city, in groups that hang on one
cabinet. Traffic is counted on the greater streets, people where people walk; car parks and waste containers are where
the map has them, and along streets where it has too few. Three devices are wrong from their installation, each in
another way, and the lights of one cabinet have just fallen silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
import numpy as np

from simulator.clock import DAY_US, HOUR_US
from simulator.fleet import Device, Fault
from simulator.noise import Floats, key_of, uniform
from simulator.path import Nearest, Path, Stop, StreetLine, Stretch, stretches_within

LEAST_DEVICES: Final = 20
MOST_DEVICES: Final = 20_000

_SPACING_M: Final = 65.0
"""The most that lights stand apart: in a large city they light a district instead of all of it."""
_CABINET_LIGHTS: Final = 12
_CABINET_DARK_SINCE_US: Final = 7 * HOUR_US
_CABINET_DARK_UNTIL_US: Final = 400 * DAY_US

# How busy a street of a class is, and how far from its middle its lights stand.
_STREETS: Final = {
    "motorway": (1.0, 8.0),
    "trunk": (0.95, 8.0),
    "primary": (0.9, 6.0),
    "secondary": (0.7, 5.0),
    "tertiary": (0.5, 4.5),
    "unclassified": (0.35, 4.0),
    "residential": (0.25, 3.5),
    "living_street": (0.15, 3.0),
    "pedestrian": (0.6, 2.5),
}
_GREATER: Final = ("motorway", "trunk", "primary", "secondary", "tertiary")
_WALKS: Final = ("pedestrian", "footway", "path", "steps", "living_street")
_WALK_SPACING_M: Final = 60.0


class Spot(Protocol):
    """A place where the map has something: `kind` is parking or waste."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...
    @property
    def capacity(self) -> int | None: ...


class NoPlaces(Exception):
    """A map has no places for devices, or not so many are wanted; the message says which."""


@dataclass(frozen=True, slots=True)
class _Sort:
    """One sort of device: its profile, what its ids and titles begin with, and how many of 520 it is."""

    profile: str
    prefix: str
    title: str
    of_520: int


_LIGHT: Final = _Sort("street-light", "light", "Street light", 350)
_TRAFFIC: Final = _Sort("traffic-counter", "traffic", "Traffic", 42)
_PEOPLE: Final = _Sort("people-counter", "people", "People", 26)
_PARKING: Final = _Sort("car-park", "parking", "Parking", 30)
_WASTE: Final = _Sort("waste-container", "waste", "Waste container", 46)
_AIR: Final = _Sort("air-quality", "air", "Air", 20)
_WEATHER: Final = _Sort("weather-station", "weather", "Weather", 6)
_BESIDE_LIGHTS: Final = (_TRAFFIC, _PEOPLE, _PARKING, _WASTE, _AIR, _WEATHER)


def plan_devices(
    streets: Iterable[StreetLine],
    spots: Sequence[Spot],
    bounds: tuple[float, float, float, float],
    *,
    count: int,
    seed: int,
    founded_us: int,
) -> list[Device]:
    """
    A city's devices.

    bounds:     west, south, east, north in degrees; all devices stand within.
    count:      how many devices, LEAST_DEVICES to MOST_DEVICES.
    seed:       which of all likely cities it is.
    founded_us: when the city begins to be watched; its one dark cabinet failed some hours before.
    Raises NoPlaces if the count is out of bounds or the map has no named street above ground.
    """
    if not LEAST_DEVICES <= count <= MOST_DEVICES:
        raise NoPlaces(f"a city has {LEAST_DEVICES} to {MOST_DEVICES:,} devices, not {count:,}")
    stretches = stretches_within(streets, bounds)
    if not stretches:
        raise NoPlaces("the map has no named street above ground within its bounds")
    counts = {sort: max(1, round(count * sort.of_520 / 520)) for sort in _BESIDE_LIGHTS}
    counts[_LIGHT] = count - sum(counts.values())
    site = _Site(stretches, bounds, counts[_LIGHT] * _SPACING_M, seed)
    lights = site.lights(counts[_LIGHT])
    devices = [
        *_darkened(lights, seed, founded_us),
        *site.along(_TRAFFIC, counts[_TRAFFIC], site.path(_GREATER, counts[_TRAFFIC] * _WALK_SPACING_M), 0.3),
        *site.along(_PEOPLE, counts[_PEOPLE], site.path(_WALKS, counts[_PEOPLE] * _WALK_SPACING_M), 0.6),
        *site.at_spots(_PARKING, counts[_PARKING], [spot for spot in spots if spot.kind == "parking"]),
        *site.at_spots(_WASTE, counts[_WASTE], [spot for spot in spots if spot.kind == "waste"]),
        *site.along(_AIR, counts[_AIR], site.path(tuple(_STREETS), 0), 0.4),
        *site.along(_WEATHER, counts[_WEATHER], site.path(tuple(_STREETS), 0), 0.7),
    ]
    return _with_faults(devices, seed)


class _Site:
    """The part of the city where devices stand."""

    def __init__(
        self, stretches: list[Stretch], bounds: tuple[float, float, float, float], lit_m: float, seed: int
    ) -> None:
        self._seed = seed
        self._bounds = bounds
        middles = np.array([stretch.line.centroid.coords[0] for stretch in stretches])
        lengths = np.array([stretch.length_m for stretch in stretches])
        heart = [_weighted_median(middles[:, axis], lengths) for axis in (0, 1)]
        narrowing = np.array([np.cos(np.radians(heart[1])), 1.0])
        from_heart = np.hypot(*((middles - heart) * narrowing).T)
        self._from_heart = from_heart.tolist()
        self._all = sorted(stretches, key=lambda stretch: self._from_heart[stretch.number])
        lit = [stretch for stretch in self._all if stretch.kind in _STREETS] or self._all
        self._district = _until(lit, lit_m)
        self._nearest = Nearest(self._all)

    def path(self, kinds: tuple[str, ...], at_least_m: float) -> Path:
        """The streets of some classes in the district; where they are too short, others nearest to the heart too."""
        radius = self._from_heart[self._district[-1].number]
        near = [stretch for stretch in self._all if self._from_heart[stretch.number] <= radius]
        wanted = [stretch for stretch in near if stretch.kind in kinds]
        missing_m = at_least_m - sum(stretch.length_m for stretch in wanted)
        if missing_m > 0 or not wanted:
            wanted += _until([stretch for stretch in self._district if stretch.kind not in kinds], missing_m)
        return Path(sorted(wanted, key=lambda stretch: stretch.number))

    def lights(self, count: int) -> list[Device]:
        """Street lights, by turns on this side and that."""
        stops = Path(sorted(self._district, key=lambda stretch: stretch.number)).stops(count)
        sides = [
            self._inside(stop.aside(_STREETS.get(stop.stretch.kind, (0, 0.0))[1] * (1 - 2 * (number % 2))), stop)
            for number, stop in enumerate(stops)
        ]
        return self._devices(_LIGHT, sides)

    def along(self, sort: _Sort, count: int, path: Path, phase: float) -> list[Device]:
        """Devices of a sort, evenly along a path."""
        return self._devices(sort, path.stops(count, phase))

    def at_spots(self, sort: _Sort, count: int, spots: Sequence[Spot]) -> list[Device]:
        """Devices of a sort at spots of the map, evenly chosen, and along the district's streets if there are too
        few."""
        west, south, east, north = self._bounds
        inside = [spot for spot in spots if west <= spot.lon <= east and south <= spot.lat <= north]
        radius = self._from_heart[self._district[-1].number]
        stops = [self._nearest.stop(spot.lon, spot.lat) for spot in inside]
        near = [number for number, stop in enumerate(stops) if self._from_heart[stop.stretch.number] <= radius]
        chosen = [near[number * len(near) // count] for number in range(count)] if len(near) > count else near
        rest = self.path(tuple(_STREETS), 0).stops(count - len(chosen), 0.8)
        names = [inside[number].name for number in chosen] + [""] * len(rest)
        known = [inside[number].capacity for number in chosen] + [None] * len(rest)
        devices = self._devices(sort, [stops[number] for number in chosen] + rest, names)
        if sort is not _PARKING:
            return devices
        return [
            msgspec.structs.replace(device, capacity=capacity or self._capacity(device))
            for device, capacity in zip(devices, known, strict=True)
        ]

    def _capacity(self, device: Device) -> int:
        return 12 + round(100 * float(uniform(key_of(self._seed, device.id, "capacity"))) ** 2)

    def _inside(self, stop: Stop, else_stop: Stop) -> Stop:
        west, south, east, north = self._bounds
        return stop if west <= stop.lon <= east and south <= stop.lat <= north else else_stop

    def _devices(self, sort: _Sort, stops: Sequence[Stop], names: Sequence[str] = ()) -> list[Device]:
        """Devices at stops, numbered along each street where it has several; a spot's own name goes before."""
        streets = Counter(stop.stretch.name for stop in stops)
        seen: Counter[str] = Counter()
        devices = []
        for number, stop in enumerate(stops):
            street = stop.stretch.name
            seen[street] += 1
            of_several = f" {seen[street]}" if streets[street] > 1 else ""
            # Some mappers write "@ Place" for "the one at Place", which would stand before every other name.
            own_name = names[number].removeprefix("@").strip() if number < len(names) else ""
            digits = 4 if sort is _LIGHT else 3
            device_id = f"{sort.prefix}-{number + 1:0{digits}d}"
            devices.append(
                Device(
                    id=device_id,
                    title=f"{own_name}, {street}" if own_name else f"{sort.title}{of_several}, {street}",
                    profile=sort.profile,
                    lon=stop.lon,
                    lat=stop.lat,
                    street=street,
                    bearing_deg=stop.bearing_deg,
                    rank=self._rank(stop, device_id),
                )
            )
        return devices

    def _rank(self, stop: Stop, device_id: str) -> float:
        """How busy it is there: by the street's class, a little more or less by street and by place."""
        base = _STREETS.get(stop.stretch.kind, (0.4, 0.0))[0]
        by_street = float(uniform(key_of(self._seed, "street", stop.stretch.name))) - 0.5
        by_place = float(uniform(key_of(self._seed, "rank", device_id))) - 0.5
        return round(min(max(base + 0.2 * by_street + 0.1 * by_place, 0.02), 1.0), 3)


def _until(stretches: Sequence[Stretch], length_m: float) -> list[Stretch]:
    """The first stretches, until they are so long together; at least one."""
    taken: list[Stretch] = []
    for stretch in stretches:
        taken.append(stretch)
        length_m -= stretch.length_m
        if length_m <= 0:
            break
    return taken


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    half = np.cumsum(weights[order]).searchsorted(weights.sum() / 2)
    return float(values[order][half])


def _cabinets(lights: Sequence[Device]) -> list[list[int]]:
    """Lights in groups that hang on one cabinet: neighbours in one street."""
    groups: list[list[int]] = []
    for number, light in enumerate(lights):
        last = groups[-1] if groups else []
        if last and len(last) < _CABINET_LIGHTS and lights[last[-1]].street == light.street:
            last.append(number)
        else:
            groups.append([number])
    return groups


def _darkened(lights: list[Device], seed: int, founded_us: int) -> list[Device]:
    """The lights, those of one of the greatest cabinets silent since some hours."""
    groups = _cabinets(lights)
    greatest = max(len(group) for group in groups)
    dark = min(
        (group for group in groups if len(group) == greatest),
        key=lambda group: float(uniform(key_of(seed, "cabinet", lights[group[0]].id))),
    )
    silence = (founded_us - _CABINET_DARK_SINCE_US, founded_us + _CABINET_DARK_UNTIL_US)
    return [
        msgspec.structs.replace(light, silences=(silence,)) if number in dark else light
        for number, light in enumerate(lights)
    ]


def _with_faults(devices: list[Device], seed: int) -> list[Device]:
    """The devices, one of three profiles wrong from its installation, each in another way."""
    faults = {_LIGHT.profile: Fault.DEAD, _WASTE.profile: Fault.WRONG_SECRET, _PARKING.profile: Fault.MUTE}
    wrong: dict[str, Fault] = {}
    for profile, fault in faults.items():
        sound = [device for device in devices if device.profile == profile and not device.silences]
        if sound:
            wrong[min(sound, key=lambda device: float(uniform(key_of(seed, "fault", device.id)))).id] = fault
    return [msgspec.structs.replace(device, fault=wrong.get(device.id, Fault.NONE)) for device in devices]
