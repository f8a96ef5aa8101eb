"""Profiles: how a payload's fields become attributes.

A profile is TOML (see docs/reference/profiles.md). `parse_profile` checks all of it before anything uses it; the
decoder for the hot path is made from the result by `broadstreet.devices.decoder`.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import Annotated

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.model.terms import expand

MAX_ATTRIBUTES = 64
MAX_PROFILE_BYTES = 64 * 1024
DEFAULT_INTERVAL_S = 300.0
SILENT_AFTER_INTERVALS = 4
"""A device that has not been heard for this many of its intervals is silent."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_FIELD = re.compile(r"[^.\x00-\x1f]{1,64}(\.[^.\x00-\x1f]{1,64}){0,7}")


class TimeFormat(StrEnum):
    """How a payload writes its time."""

    RFC3339 = "rfc3339"
    UNIX_S = "unix_s"
    UNIX_MS = "unix_ms"
    UNIX_US = "unix_us"


class ValueType(StrEnum):
    """What a field holds."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    JSON = "json"


class AttributeMapping(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """One attribute: value = payload field × scale + offset, in `unit` (a UN/CEFACT common code)."""

    field: str
    unit: str | None = None
    type: ValueType = ValueType.NUMBER
    scale: float = 1.0
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    limit: float | None = None


class _ProfileHead(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    name: str
    type: str
    time: str | None = None
    time_format: TimeFormat = TimeFormat.RFC3339
    interval_s: Annotated[float, msgspec.Meta(gt=0, le=31_622_400)] = DEFAULT_INTERVAL_S


class _ProfileFile(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    profile: _ProfileHead
    attributes: dict[str, AttributeMapping]


class Profile(msgspec.Struct, frozen=True):
    """A checked profile. `type` is the entity type's IRI; `attributes` are keyed by their names as written."""

    name: str
    type: str
    time: str | None
    time_format: TimeFormat
    interval_s: float
    attributes: dict[str, AttributeMapping]

    @property
    def iris(self) -> list[str]:
        """The attributes' IRIs, in the profile's order."""
        return [expand(name) for name in self.attributes]


def parse_profile(text: str) -> Profile:
    """Parse and check a profile's TOML. Raises InvalidInput that says what, where and what to do."""
    if len(text.encode()) > MAX_PROFILE_BYTES:
        raise InvalidInput(f"a profile is at most {MAX_PROFILE_BYTES} bytes long", where="profile")
    try:
        parsed = msgspec.toml.decode(text, type=_ProfileFile)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise InvalidInput(
            message, where=path.rstrip("`").lstrip(".") or "profile", remedy="See the profile reference."
        ) from None
    except msgspec.DecodeError as error:
        raise InvalidInput(f"this is not TOML: {error}", where="profile") from None
    head = parsed.profile
    _check(
        bool(_NAME.fullmatch(head.name)),
        "profile.name",
        f"{head.name!r} cannot name a profile",
        "Use lower-case letters, digits and . _ -, at most 63 characters.",
    )
    _check(bool(head.type.strip()), "profile.type", "the entity type is empty", "Name one, such as AirQualityObserved.")
    if head.time is not None:
        _check_field(head.time, "profile.time")
    count = len(parsed.attributes)
    _check(
        1 <= count <= MAX_ATTRIBUTES, "attributes", f"a profile maps 1 to {MAX_ATTRIBUTES} attributes, not {count}", ""
    )
    for name, mapping in parsed.attributes.items():
        _check_mapping(name, mapping)
    iris = [expand(name) for name in parsed.attributes]
    _check(len(set(iris)) == count, "attributes", "two attributes have the same IRI", "Map each attribute once.")
    return Profile(head.name, expand(head.type), head.time, head.time_format, head.interval_s, parsed.attributes)


def _check(holds: bool, where: str, message: str, remedy: str) -> None:
    if not holds:
        raise InvalidInput(message, where=where, remedy=remedy or None)


def _check_field(field: str, where: str) -> None:
    _check(
        bool(_FIELD.fullmatch(field)),
        where,
        f"{field!r} is not a path into a payload",
        "Write field names joined by dots, such as data.no2, at most eight deep.",
    )


def _check_mapping(name: str, mapping: AttributeMapping) -> None:
    where = f"attributes.{name}"
    _check(bool(name.strip()) and len(name) <= 256, "attributes", "an attribute needs a name", "Give it one.")
    _check_field(mapping.field, f"{where}.field")
    numbers = (mapping.scale, mapping.offset, mapping.minimum, mapping.maximum, mapping.limit)
    _check(all(number is None or math.isfinite(number) for number in numbers), where, "a number is not finite", "")
    if mapping.type is not ValueType.NUMBER:
        plain = mapping.scale == 1.0 and mapping.offset == 0.0
        _check(
            plain and numbers[2:] == (None, None, None) and mapping.unit is None,
            where,
            f"unit, scale, offset, minimum, maximum and limit are for numbers, not for type {mapping.type}",
            "Leave them out.",
        )
    if mapping.minimum is not None and mapping.maximum is not None:
        _check(mapping.minimum <= mapping.maximum, where, "minimum is over maximum", "Exchange them.")
