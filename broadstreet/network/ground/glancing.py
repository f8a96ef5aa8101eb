"""Where a file that is too large to be read begins: what its first bytes say of places, without a package that reads
layers."""

from __future__ import annotations

import csv
import re
from typing import Final

from broadstreet.network.ground.fault import Fault, FaultKind

GLANCED_BYTES: Final = 65_536
"""So much of it is looked at."""
LON_NAMES: Final = "lon,longitude,lng,x"
LAT_NAMES: Final = "lat,latitude,y"
"""How columns of a table are called that say where a row is."""
_PLACES: Final = 50
"""So many places are told."""
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_POSITION: Final = re.compile(rf"\[\s*({_NUMBER.pattern})\s*,\s*({_NUMBER.pattern})\s*[\],]")


def begins(name: str, beginning: bytes, message: str, remedy: str) -> list[Fault]:
    """The first positions in degrees of a text that is called so; none of what is no text. message: what is wrong with
    it."""
    text = beginning[:GLANCED_BYTES].decode(errors="replace")
    found = _first_rows(text) if name.lower().endswith(".csv") else _POSITION.findall(text)
    places = dict.fromkeys((float(lon), float(lat)) for lon, lat in found)
    what = f"{message}; it begins here"
    return [
        Fault(FaultKind.TOO_LARGE, lon, lat, what, remedy)
        for lon, lat in list(places)[:_PLACES]
        if abs(lon) <= 180 and abs(lat) <= 90
    ]


def _first_rows(text: str) -> list[tuple[str, str]]:
    """Longitudes and latitudes of a table's first whole lines."""
    rows = list(csv.reader(text.splitlines()[:-1]))
    heads = [name.strip().casefold() for name in rows[0]] if rows else []
    axes = [
        next((heads.index(name) for name in names.split(",") if name in heads), -1) for names in (LON_NAMES, LAT_NAMES)
    ]
    if min(axes) < 0:
        return []
    places = [(row[axes[0]], row[axes[1]]) for row in rows[1:] if len(row) > max(axes)]
    return [place for place in places if all(_NUMBER.fullmatch(part) for part in place)]
