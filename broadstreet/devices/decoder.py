"""From payload to readings, by a profile: the recorder's hot path.

A payload is a JSON object or an array of them. A field that is missing is no fault; one that is wrong becomes a
`Fault` and the payload's other fields still count. A payload in which no field is known is a fault as a whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from broadstreet.devices.profile import AttributeMapping, Profile, TimeFormat, ValueType
from broadstreet.log import DeadReason
from broadstreet.model.clock import EPOCH, MAX_US, MIN_US, parse_rfc3339
from broadstreet.model.errors import InvalidInput

MAX_TEXT_LENGTH = 4096
MAX_ITEMS = 10_000
"""Objects in one payload's array."""
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""U+0000 as JSON escapes it, which PostgreSQL cannot keep."""
_MICROSECOND = timedelta(microseconds=1)
_US_PER_UNIT = {TimeFormat.UNIX_S: 1_000_000, TimeFormat.UNIX_MS: 1_000, TimeFormat.UNIX_US: 1}
_decode = msgspec.json.decode


class Reading(NamedTuple):
    """One attribute's value: a number in `number`, anything else in `value`; `attribute` counts as the profile does."""

    attribute: int
    at_us: int
    n: int
    """Tells readings of one moment apart: the items of an array that have no time of their own."""
    number: float | None
    value: Any


class Fault(NamedTuple):
    """What could not be decoded, and why."""

    reason: DeadReason
    detail: str


Converted = tuple[float | None, Any] | Fault
Converter = Callable[[Any], Converted]
_Field = tuple[int, tuple[str, ...], Converter]
"""An attribute's number, the path to it in a payload, and what makes its value."""


class Decoder:
    """Decodes payloads of one profile."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._time = None if profile.time is None else tuple(profile.time.split("."))
        self._parse_time = _time_parser(profile.time_format)
        self._fields = [
            (index, tuple(mapping.field.split(".")), _converter(name, mapping))
            for index, (name, mapping) in enumerate(profile.attributes.items())
        ]
        self._by_first: dict[str, list[_Field]] = {}
        for field in self._fields:
            self._by_first.setdefault(field[1][0], []).append(field)

    def decode(self, payload: bytes, received_us: int, readings: list[Reading], faults: list[Fault]) -> None:
        """Append what the payload holds to `readings`, and what is wrong with it to `faults`.

        received_us: the time of a reading that has none of its own; unique for the device.
        """
        try:
            parsed = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            faults.append(Fault(DeadReason.NOT_JSON, str(error)))
            return
        except RecursionError:
            faults.append(Fault(DeadReason.NOT_JSON, "nested too deeply"))
            return
        if type(parsed) is dict:
            self._decode_item(parsed, received_us, 0, readings, faults)
        elif type(parsed) is list and len(parsed) <= MAX_ITEMS:
            for count, item in enumerate(parsed):
                if type(item) is dict:
                    self._decode_item(item, received_us, count, readings, faults)
                else:
                    faults.append(Fault(DeadReason.WRONG_TYPE, f"item {count} is not an object"))
        else:
            detail = f"an array of more than {MAX_ITEMS} items" if type(parsed) is list else "neither object nor array"
            faults.append(Fault(DeadReason.WRONG_TYPE, detail))

    def _decode_item(
        self, item: dict[str, Any], received_us: int, n: int, readings: list[Reading], faults: list[Fault]
    ) -> None:
        at_us = received_us
        if self._time is not None:
            stamp = _find(item, self._time)
            if stamp is not None:
                parsed = self._parse_time(stamp)
                if parsed is None:
                    faults.append(Fault(DeadReason.BAD_TIME, f"{'.'.join(self._time)}: {str(stamp)[:80]!r}"))
                    return
                at_us, n = parsed, 0
        known = False
        for index, path, convert in self._among(item):
            found = item.get(path[0]) if len(path) == 1 else _find(item, path)
            if found is None:
                continue
            known = True
            converted = convert(found)
            if isinstance(converted, Fault):
                faults.append(converted)
            else:
                readings.append(Reading(index, at_us, n, converted[0], converted[1]))
        if not known:
            names = ", ".join(sorted(item)[:8])[:200]
            faults.append(Fault(DeadReason.UNKNOWN_FIELDS, f"fields in the payload: {names or 'none'}"))

    def _among(self, item: dict[str, Any]) -> list[_Field]:
        """The profile's fields that an object may hold: of a profile of fifty, a device often sends one at a time."""
        if len(item) >= len(self._fields):
            return self._fields
        by_first = self._by_first
        found = [by_first[name] for name in item if name in by_first]
        return found[0] if len(found) == 1 else [field for fields in found for field in fields]


def _find(item: Any, path: tuple[str, ...]) -> Any:
    """The value at a path, None where there is none."""
    for part in path:
        if type(item) is not dict:
            return None
        item = item.get(part)
    return item


def _time_parser(time_format: TimeFormat) -> Callable[[Any], int | None]:
    """A function from a payload's time to microseconds since 1970, None for what is no time."""

    def parse_text(stamp: Any) -> int | None:
        if type(stamp) is not str:
            return None
        try:
            # The quick way first; it takes RFC 3339 and a little more, so what has no zone is refused below.
            at = datetime.fromisoformat(stamp)
            if at.tzinfo is not None:
                return (at.astimezone(UTC) - EPOCH) // _MICROSECOND
        except (ValueError, OverflowError):
            pass
        try:
            return parse_rfc3339(stamp)
        except InvalidInput:
            return None

    if time_format is TimeFormat.RFC3339:
        return parse_text
    us_per_unit = _US_PER_UNIT[time_format]

    def parse_number(stamp: Any) -> int | None:
        if type(stamp) is int:
            at_us = stamp * us_per_unit
        elif type(stamp) is float and math.isfinite(stamp):
            at_us = round(stamp * us_per_unit)
        else:
            return None
        return at_us if MIN_US <= at_us <= MAX_US else None

    return parse_number


def _converter(name: str, mapping: AttributeMapping) -> Converter:
    """A function from a field's JSON value to (number, value), or the fault with it."""
    if mapping.type is ValueType.NUMBER:
        return _number_converter(name, mapping)

    def text(found: Any) -> Converted:
        if type(found) is not str or len(found) > MAX_TEXT_LENGTH or "\x00" in found:
            return _wrong_type(name, f"a text of at most {MAX_TEXT_LENGTH} characters", found)
        return None, found

    def boolean(found: Any) -> Converted:
        return (None, found) if type(found) is bool else _wrong_type(name, "true or false", found)

    def any_json(found: Any) -> Converted:
        if type(found) in (int, float):
            return _finite(name, found)
        if _NUL.search(msgspec.json.encode(found)):
            return _wrong_type(name, "JSON without the character U+0000", found)
        return None, found

    return {ValueType.TEXT: text, ValueType.BOOLEAN: boolean, ValueType.JSON: any_json}[mapping.type]


def _number_converter(name: str, mapping: AttributeMapping) -> Converter:
    scale, offset = mapping.scale, mapping.offset
    low = -math.inf if mapping.minimum is None else mapping.minimum
    high = math.inf if mapping.maximum is None else mapping.maximum
    plain = scale == 1.0 and offset == 0.0

    def number(found: Any) -> Converted:
        if type(found) is not float and type(found) is not int:
            return _wrong_type(name, "a number", found)
        try:
            value = float(found) if plain else found * scale + offset
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            return _wrong_type(name, "a finite number", found)
        if not low <= value <= high:
            return Fault(DeadReason.OUT_OF_RANGE, f"{name} is {value:g}, outside {low:g} to {high:g}")
        return value, None

    return number


def _finite(name: str, found: float) -> Converted:
    try:
        value = float(found)
    except OverflowError:
        return _wrong_type(name, "a finite number", found)
    return (value, None) if math.isfinite(value) else _wrong_type(name, "a finite number", found)


def _wrong_type(name: str, wanted: str, found: Any) -> Fault:
    return Fault(DeadReason.WRONG_TYPE, f"{name} is to be {wanted}, not {str(found)[:80]!r}")
