"""The city at one moment, as the map and its table show it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

import msgspec

from broadstreet.model.clock import format_rfc3339
from broadstreet.portal.bars import Bars
from broadstreet.portal.findings import Answer, city_answer
from broadstreet.portal.roster import Roster
from broadstreet.portal.selection import Selection
from broadstreet.portal.sensor import Sensor, State, Value
from broadstreet.portal.silence import Outage, outages, why
from broadstreet.portal.words import attribute_label, type_label, unit_label


class AttributeFacts(msgspec.Struct, frozen=True):
    """An attribute's name, what it is called, and the symbol that follows its values."""

    name: str
    label: str
    unit_label: str


class TypeFacts(msgspec.Struct, frozen=True):
    """A type of sensors. main: the attribute that its bars and its colour show; '' where none holds numbers."""

    name: str
    label: str
    main: str
    attributes: list[AttributeFacts]


class CurrentValue(msgspec.Struct, frozen=True):
    """What an attribute says now."""

    value: Any
    observed_at: str | None
    limit: float | None
    beyond: bool


class Imported(msgspec.Struct, frozen=True):
    """The span of what was imported of a sensor: when its first and its last reading were made."""

    from_: str = msgspec.field(name="from")
    to: str


class SensorView(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor of the map. device: null for what has none of its own."""

    id: str
    device: str | None
    title: str
    type: str
    street: str | None
    lon: float
    lat: float
    bearing_deg: float | None
    state: State
    heard_at: str | None
    imported: Imported | None
    why: str | None
    disabled_at: str | None
    simulated: bool
    beyond: bool
    values: dict[str, CurrentValue]
    bars: list[float | None]


class CityView(msgspec.Struct, frozen=True, kw_only=True):
    """The map and its table."""

    at: str
    answer: Answer
    types: list[TypeFacts]
    sensors: list[SensorView]
    scales: dict[str, tuple[float, float]]
    bars_from_ms: int


def time_of(at_us: int | None) -> str | None:
    """A time as RFC 3339, None for none."""
    return None if at_us is None else format_rfc3339(at_us)


def imported_of(sensor: Sensor) -> Imported | None:
    """What was imported of a sensor that is known from imports alone; None for any other."""
    begin_us, end_us = sensor.imported_from_us, sensor.newest_us
    if not sensor.is_imported or begin_us is None or end_us is None:
        return None
    return Imported(format_rfc3339(begin_us), format_rfc3339(end_us))


def city_view(roster: Roster, bars: Bars, selection: Selection, now_us: int, zone: tzinfo) -> CityView:
    """The sensors selected as they are now; answer, types and scales are the whole city's."""
    together = outages(roster.sensors.values(), now_us)
    return CityView(
        at=format_rfc3339(now_us),
        answer=city_answer(roster, together, now_us, zone),
        types=type_facts(roster),
        sensors=[
            sensor_view(sensor, together, bars, now_us, zone)
            for sensor in roster.sensors.values()
            if selection.has(sensor, now_us)
        ],
        scales=bars.scales,
        bars_from_ms=bars.from_us // 1_000,
    )


def type_facts(roster: Roster) -> list[TypeFacts]:
    """The types there are, those with most sensors first; their attributes in the order of their profile."""
    types: dict[str, dict[str, Value]] = {}
    mains: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for sensor in roster.sensors.values():
        types.setdefault(sensor.type, {}).update({v.name: v for v in sensor.values.values()})
        numbers[sensor.type] = numbers.get(sensor.type, 0) + 1
        if sensor.main is not None:
            mains.setdefault(sensor.type, sensor.main)
    return [
        TypeFacts(
            name,
            type_label(name),
            mains.get(name, ""),
            [AttributeFacts(v.name, attribute_label(v.name), unit_label(v.unit)) for v in types[name].values()],
        )
        for name in sorted(types, key=lambda name: (-numbers[name], name))
    ]


def sensor_view(sensor: Sensor, together: Mapping[str, Outage], bars: Bars, now_us: int, zone: tzinfo) -> SensorView:
    """One sensor as it is now."""
    return SensorView(
        id=sensor.id,
        device=None if sensor.device is None else sensor.device.id,
        title=sensor.title,
        type=sensor.type,
        street=sensor.street,
        lon=sensor.lon,
        lat=sensor.lat,
        bearing_deg=sensor.bearing_deg,
        state=sensor.state(now_us),
        heard_at=time_of(sensor.heard_us),
        imported=imported_of(sensor),
        why=why(sensor, together, now_us, zone),
        disabled_at=time_of(sensor.disabled_us),
        simulated=sensor.simulated,
        beyond=sensor.beyond,
        values={
            value.name: CurrentValue(value.value, time_of(value.observed_us), value.limit, value.beyond)
            for value in sensor.values.values()
            if value.modified_us is not None
        },
        bars=bars.of(sensor.id),
    )
