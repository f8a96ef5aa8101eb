"""A value of any kind in words: what people read where the value itself is JSON."""

from __future__ import annotations

from typing import Any, Final

from broadstreet.portal.words import quantity

MAX_LENGTH: Final = 200
MAX_DEPTH: Final = 8
PLACES: Final = 5
"""Decimals of a degree: about a metre."""
_ADDRESS: Final = ("streetAddress", "streetNr", "postalCode", "addressLocality", "addressRegion", "addressCountry")
"""The parts of a postal address (schema.org) in the order in which they are said."""
_UNSAID: Final = frozenset({"type", "@type", "@context"})


def in_words(value: Any, unit: str | None = None) -> str:
    """A value as people read it: `31.2 µg/m³`, `yes`, `60.17000, 24.95000` for a place, `Fabianinkatu` for an address.

    unit: the code of a number's unit.
    """
    told = _told(value, unit, 0)
    return told if len(told) <= MAX_LENGTH else told[: MAX_LENGTH - 1] + "…"


def _told(value: Any, unit: str | None, depth: int) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return quantity(float(value), unit)
        case str():
            return value
        case _ if depth == MAX_DEPTH:
            return "…"
        case list():
            return ", ".join(filter(None, (_told(item, None, depth + 1) for item in value)))
        case dict():
            return _place(value) or _object(value, depth)
    return str(value)


def _place(value: dict[str, Any]) -> str:
    """A GeoJSON point as latitude and longitude, the order in which maps are read; of another geometry its kind."""
    match value:
        case {"type": "Point", "coordinates": [int() | float() as lon, int() | float() as lat, *_]}:
            return f"{lat:.{PLACES}f}, {lon:.{PLACES}f}"
        case {"type": str() as kind, "coordinates": list()}:
            return f"{kind} on the map"
    return ""


def _object(value: dict[str, Any], depth: int) -> str:
    said = {name: part for name, part in value.items() if name not in _UNSAID}
    if "@none" in said:
        return _told(said["@none"], None, depth + 1)
    is_address = said.keys() & set(_ADDRESS)
    names = sorted(said, key=lambda name: _ADDRESS.index(name) if name in _ADDRESS else len(_ADDRESS))
    parts = ((name, _told(said[name], None, depth + 1)) for name in names)
    return ", ".join(part if is_address else f"{name} {part}" for name, part in parts if part)
