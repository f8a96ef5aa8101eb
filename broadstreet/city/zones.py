"""The time zone of a place, guessed: that of the nearest town the time zone database names a zone after.

An extract does not say where clocks change, and the database holds one place for each zone, no borders. Near a border
the guess may be a neighbour's zone, so whoever makes a city can set it.
"""

from __future__ import annotations

import math
import re
from importlib import resources
from typing import Final

from pyproj import Geod

_GEOD: Final = Geod(ellps="WGS84")
_ISO_6709: Final = re.compile(r"([+-]\d{2})(\d{2})(\d{2})?([+-]\d{3})(\d{2})(\d{2})?")


def nearest_zone(lon: float, lat: float) -> str:
    """The name of the zone whose place is nearest, such as Europe/Helsinki."""
    table = (resources.files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8")
    places = [line.split("\t")[1:3] for line in table.splitlines() if line and not line.startswith("#")]
    return min(places, key=lambda place: _GEOD.inv(lon, lat, *_degrees(place[0]))[2])[1]


def _degrees(text: str) -> tuple[float, float]:
    """Longitude and latitude from ISO 6709, such as +6010+02458: degrees, minutes and sometimes seconds."""
    match = _ISO_6709.fullmatch(text)
    if match is None:
        raise ValueError(f"the time zone table places a zone at {text!r}")
    lat, lon = (
        math.copysign(abs(int(degrees)) + int(minutes) / 60 + int(seconds or 0) / 3600, -1 if degrees[0] == "-" else 1)
        for degrees, minutes, seconds in (match.group(1, 2, 3), match.group(4, 5, 6))
    )
    return lon, lat
