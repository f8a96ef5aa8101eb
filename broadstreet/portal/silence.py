"""Why a sensor is silent, in words: what its device did last, and who fell silent with it.

A device that is alone has itself to blame; several in one street that stopped within minutes share something: a
cabinet, a fuse, a cable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from broadstreet.model.clock import US_PER_S
from broadstreet.portal.sensor import Device, Sensor
from broadstreet.portal.words import count, day, moment, since, since_for, span, type_noun

TOGETHER_US: Final = 10 * 60 * US_PER_S
"""Sensors of one street that were last heard no further apart than this, one from the next, fell silent together."""
MIN_TOGETHER: Final = 3


@dataclass(frozen=True, slots=True)
class Outage:
    """Sensors of one street that fell silent together. since_us: when the first of them was last heard."""

    street: str
    since_us: int
    sensors: tuple[Sensor, ...]

    @property
    def noun(self) -> str:
        """What they are: `street light`, or `sensor` where they are of several types."""
        types = {sensor.type for sensor in self.sensors}
        return type_noun(types.pop()) if len(types) == 1 else "sensor"


def outages(sensors: Iterable[Sensor], now_us: int) -> dict[str, Outage]:
    """By entity id, the outage that a silent sensor is part of."""
    by_street: dict[str, list[tuple[int, Sensor]]] = {}
    for sensor in sensors:
        heard_us = sensor.heard_us
        # What somebody has disabled is silent by their will, and points to no cabinet.
        is_missed = sensor.device is not None and sensor.disabled_us is None and not sensor.sends_nonsense
        if sensor.street is not None and heard_us is not None and is_missed and sensor.state(now_us) == "silent":
            by_street.setdefault(sensor.street, []).append((heard_us, sensor))
    found: dict[str, Outage] = {}
    for street, silent in by_street.items():
        silent.sort(key=lambda pair: pair[0])
        group: list[tuple[int, Sensor]] = []
        for pair in [*silent, None]:
            if group and (pair is None or pair[0] - group[-1][0] > TOGETHER_US):
                if len(group) >= MIN_TOGETHER:
                    outage = Outage(street, group[0][0], tuple(sensor for _, sensor in group))
                    found |= {sensor.id: outage for sensor in outage.sensors}
                group = []
            if pair is not None:
                group.append(pair)
    return found


def why(sensor: Sensor, together: Mapping[str, Outage], now_us: int, zone: tzinfo) -> str | None:
    """Why a sensor says nothing, and what to look at first, or what was imported of it; None for one that speaks."""
    state = sensor.state(now_us)
    if state == "live":
        return None
    if state == "imported":
        return imported_words(sensor, now_us, zone)
    if sensor.device is None:
        return _why_written(sensor, now_us, zone)
    if sensor.disabled_us is not None:
        begin = since(sensor.disabled_us, now_us, zone)
        return f"Disabled since {begin}: its credential is refused until it is enabled again."
    if sensor.sends_nonsense:
        return _why_nonsense(sensor.device, now_us, zone)
    if state == "never":
        return _why_never(sensor.device, now_us, zone)
    return _why_silent(sensor.device, together.get(sensor.id), now_us, zone)


def imported_words(sensor: Sensor, now_us: int, zone: tzinfo) -> str:
    """What was imported of a sensor: the span of its readings, and when the last was made."""
    begin_us, end_us = sensor.imported_from_us, sensor.newest_us
    assert begin_us is not None and end_us is not None
    return f"Imported: {span(begin_us, end_us, zone)}, last reading {since(end_us, now_us, zone)}."


def _why_written(sensor: Sensor, now_us: int, zone: tzinfo) -> str:
    if sensor.newest_us is None:
        return "Nothing was ever observed here."
    return f"It has no device of its own; what was written of it ends on {day(sensor.newest_us, now_us, zone)}."


def _why_nonsense(device: Device, now_us: int, zone: tzinfo) -> str:
    nonsense = device.undecodable
    assert nonsense is not None
    return (
        f"It sends, last {moment(nonsense.received_us, now_us, zone)}, but nothing can be decoded: {nonsense.reason} "
        f"({nonsense.detail}). Compare what it sends with its profile {nonsense.profile}; nothing sent is lost."
    )


def _why_never(device: Device, now_us: int, zone: tzinfo) -> str:
    seen = device.connection
    if seen is not None and seen.refused_us is not None and seen.refused_us > (seen.connected_us or 0):
        return f"Never heard: {_refused(seen.refused_us, seen.refused_reason, now_us, zone)}"
    if seen is None or seen.connected_us is None:
        registered = moment(device.registered_us, now_us, zone)
        return (
            f"Never heard: it has not connected since it was registered {registered}. "
            "Check its power and its network first."
        )
    if seen.is_open:
        return (
            f"Never heard: it is connected since {since(seen.connected_us, now_us, zone)} but has sent nothing. "
            "Look at the sensor behind it."
        )
    return (
        f"Never heard: it connected {moment(seen.connected_us, now_us, zone)} and left"
        f"{_reason(seen.reason)} before it had sent anything."
    )


def _why_silent(device: Device, outage: Outage | None, now_us: int, zone: tzinfo) -> str:
    heard_us, seen = device.last_heard_us, device.connection
    assert heard_us is not None
    begin = f"Silent since {since_for(heard_us, now_us, zone)}"
    if seen is not None and seen.refused_us is not None and seen.refused_us > heard_us:
        return f"{begin}: {_refused(seen.refused_us, seen.refused_reason, now_us, zone)}"
    if seen is not None and seen.is_open:
        cause, advice = "it is connected, but sends nothing", "Look at the sensor behind it."
    elif seen is not None and seen.disconnected_us is not None:
        ended = moment(seen.disconnected_us, now_us, zone)
        cause, advice = f"its connection ended {ended}{_reason(seen.reason)}", "Check its power and its network."
    else:
        cause, advice = "it is not connected", "Check its power and its network."
    if outage is None:
        return f"{begin}: {cause}. {advice}"
    others = count(len(outage.sensors) - 1, "other")
    return (
        f"Silent with {others} on {outage.street} since {since_for(outage.since_us, now_us, zone)}: look at the "
        f"cabinet or the power first. {cause[:1].upper()}{cause[1:]}."
    )


def _refused(at_us: int, reason: str | None, now_us: int, zone: tzinfo) -> str:
    told = f": {reason}" if reason else ""
    tried = f"it tried to sign in {moment(at_us, now_us, zone)} and was refused{told}"
    return f"{tried}. Check the secret it was given, or give it a new one."


def _reason(reason: str | None) -> str:
    return f" ({reason})" if reason else ""
