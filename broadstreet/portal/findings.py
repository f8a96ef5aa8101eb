"""What to say first of a city or of one thing in it: a sentence or three made from data, and their tone.

The order is the reader's: is it measured at all, is it good, what to do about what is silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Final

import msgspec

from broadstreet.model.clock import US_PER_S
from broadstreet.portal.roster import Roster
from broadstreet.portal.sensor import Sensor, Value
from broadstreet.portal.silence import Outage, why
from broadstreet.portal.words import (
    attribute_label,
    count,
    duration,
    in_order,
    limit,
    moment,
    quantity,
    sentences,
    since_for,
    span,
    type_noun,
)

AIR: Final = "AirQualityObserved"
DAY_US: Final = 86_400 * US_PER_S


class Answer(msgspec.Struct, frozen=True):
    """A page's first answer. tone: fine, degraded (something is silent) or wrong (a limit is passed)."""

    sentence: str
    tone: str


def city_answer(roster: Roster, together: Mapping[str, Outage], now_us: int, zone: tzinfo) -> Answer:
    """How the city is, as far as its sensors say."""
    sensors = list(roster.sensors.values())
    imported = [sensor for sensor in sensors if sensor.is_imported]
    disabled = [sensor for sensor in sensors if sensor.disabled_us is not None and not sensor.is_imported]
    not_expected = {sensor.id for sensor in (*imported, *disabled)}
    devices = [sensor for sensor in sensors if sensor.device is not None and sensor.id not in not_expected]
    written = len(sensors) - len(devices) - len(not_expected)
    if not sensors:
        return Answer("No sensor stands in this city yet. Add the first one.", "degraded")
    silent = [sensor for sensor in devices if sensor.state(now_us) == "silent"]
    never = [sensor for sensor in devices if sensor.state(now_us) == "never"]
    parts = [
        _heard(len(devices), len(devices) - len(silent) - len(never), written),
        _beyond(devices, now_us),
        _silent(silent, together, now_us, zone),
        _never(never),
        _disabled(disabled),
        _imported(imported, len(sensors), zone),
    ]
    is_wrong = any(sensor.beyond for sensor in devices if sensor.state(now_us) == "live")
    return Answer(sentences(parts), "wrong" if is_wrong else "degraded" if silent or never else "fine")


def _heard(devices: int, live: int, written: int) -> str:
    if devices == 0 and written == 0:
        return ""
    if devices == 0:
        has = "has" if written == 1 else "have"
        return f"{count(written, 'place')} {has} readings that were brought in from elsewhere"
    if live == devices:
        told = "The one sensor reports" if devices == 1 else f"All {devices:,} sensors report"
    elif live == 0:
        told = "" if devices == 1 else f"None of {devices:,} sensors reports"
    else:
        told = f"{live:,} of {devices:,} sensors {'reports' if live == 1 else 'report'}"
    return told if written == 0 else f"{told}; {count(written, 'place')} more from elsewhere"


def _imported(imported: list[Sensor], sensors: int, zone: tzinfo) -> str:
    """What tables told of the past; nobody expects a report of it."""
    if not imported:
        return ""
    begin_us = min(sensor.imported_from_us or 0 for sensor in imported)
    end_us = max(sensor.newest_us or 0 for sensor in imported)
    more = "" if len(imported) == sensors else "more "
    noun, are = ("sensor", "is") if len(imported) == 1 else ("sensors", "are")
    return f"{len(imported):,} {more}{noun} {are} imported, with readings of {span(begin_us, end_us, zone)}"


def _beyond(devices: Iterable[Sensor], now_us: int) -> str:
    live = [sensor for sensor in devices if sensor.state(now_us) == "live"]
    over: dict[str, list[tuple[Sensor, Value]]] = {}
    for sensor in live:
        for value in sensor.values.values():
            if value.beyond:
                over.setdefault(value.name, []).append((sensor, value))
    if over:
        return ". ".join(_over(name, places) for name, places in sorted(over.items(), key=lambda item: -len(item[1])))
    has_limits = any(
        value.limit is not None for sensor in live if sensor.type == AIR for value in sensor.values.values()
    )
    return "The air is good" if has_limits else ""


def _over(name: str, places: list[tuple[Sensor, Value]]) -> str:
    sensor, value = max(places, key=lambda place: place[1].value)
    at = f"{quantity(value.value, value.unit)}, the limit is {limit(value.limit or 0.0, value.unit)}"
    if len(places) == 1:
        return f"{attribute_label(name)} is over its limit at {sensor.title}: {at}"
    return f"{attribute_label(name)} is over its limit at {len(places):,} places, most at {sensor.title}: {at}"


def _silent(silent: list[Sensor], together: Mapping[str, Outage], now_us: int, zone: tzinfo) -> str:
    outages = {id(outage): outage for outage in together.values()}.values()
    parts = [
        f"{count(len(outage.sensors), outage.noun)} on {outage.street} fell silent together "
        f"{moment(outage.since_us, now_us, zone)} ({duration(now_us - outage.since_us)} ago): "
        "look at the cabinet or the power first"
        for outage in sorted(outages, key=lambda outage: -len(outage.sensors))
    ]
    alone = [sensor for sensor in silent if sensor.id not in together]
    if len(alone) == 1:
        parts.append(f"{_the(alone[0])} is silent{_since(alone[0], now_us, zone)}")
    elif alone:
        noun = "more sensor" if parts else "sensor"
        parts.append(f"{count(len(alone), noun)} are silent")
    if len(silent) > 1 and alone:
        # Of all, those of an outage too: the table that is sorted by it begins with the same.
        longest = min(silent, key=lambda sensor: ((sensor.heard_us or now_us) // 1_000, in_order(sensor.title)))
        parts.append(f"silent longest is {longest.title}{_since(longest, now_us, zone)}")
    return ". ".join(part[:1].upper() + part[1:] for part in parts)


def _never(never: list[Sensor]) -> str:
    if not never:
        return ""
    if len(never) == 1:
        return f"{_the(never[0])} was never heard"
    return f"{count(len(never), 'sensor')} were never heard"


def _disabled(disabled: list[Sensor]) -> str:
    """What is silent by somebody's will."""
    if not disabled:
        return ""
    if len(disabled) == 1:
        return f"{_the(disabled[0])} is disabled"
    return f"{count(len(disabled), 'sensor')} are disabled"


def _the(sensor: Sensor) -> str:
    """One sensor within a sentence: its title, and what it is where the title does not say."""
    noun = type_noun(sensor.type)
    return sensor.title if noun.split()[0] in sensor.title.lower() else f"The {noun} {sensor.title}"


def _since(sensor: Sensor, now_us: int, zone: tzinfo) -> str:
    return "" if sensor.heard_us is None else f" since {since_for(sensor.heard_us, now_us, zone)}"


def sensor_answer(sensor: Sensor, together: Mapping[str, Outage], now_us: int, zone: tzinfo) -> Answer:
    """How one sensor is: what it says now, or why it says nothing."""
    silence = why(sensor, together, now_us, zone)
    if silence is not None:
        return Answer(silence, "fine" if sensor.is_imported else "degraded")
    over = [value for value in sensor.values.values() if value.beyond]
    main = None if sensor.main is None else sensor.values.get(sensor.main)
    if over:
        value = over[0]
        told = (
            f"{attribute_label(value.name)} is {quantity(value.value, value.unit)}, "
            f"over the limit of {limit(value.limit or 0.0, value.unit)}"
        )
        return Answer(sentences([told]), "wrong")
    if main is None or not isinstance(main.value, float) or main.observed_us is None:
        return Answer("It reports as expected.", "fine")
    age_us = max(now_us - main.observed_us, 0)
    when = f"heard {duration(age_us)} ago" if age_us < DAY_US else f"observed {moment(main.observed_us, now_us, zone)}"
    within = f", within the limit of {limit(main.limit, main.unit)}" if main.limit is not None else ""
    return Answer(f"{attribute_label(main.name)}: {quantity(main.value, main.unit)}, {when}{within}.", "fine")
