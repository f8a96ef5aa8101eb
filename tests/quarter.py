"""A small town as files: three streets as GeoJSON, sixteen houses as a table, and what a plan of it is made from; and a
larger one on a grid, by the same inputs, whose search is not over at once where many houses are critical."""

from __future__ import annotations

import json
from typing import Any, Final

OFFICE: Final = {"id": "co", "label": "Exchange", "lon": 24.94, "lat": 60.17}


def _street(name: str, *points: tuple[float, float]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"name": name, "surface": "asphalt"},
        "geometry": {"type": "LineString", "coordinates": [list(point) for point in points]},
    }


STREETS: Final = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            _street("Broad Street", (24.94, 60.17), (24.942, 60.17), (24.946, 60.17)),
            _street("Quay", (24.942, 60.17), (24.942, 60.171), (24.946, 60.171)),
            _street("Lane", (24.946, 60.17), (24.946, 60.171)),
        ],
    }
).encode()
HOMES: Final = (
    "id,lon,lat,flats\n"
    + "".join(f"b{n},{24.9405 + n * 0.0005:.4f},60.1701,2\n" for n in range(10))
    + "".join(f"q{n},{24.9425 + n * 0.0005:.4f},60.1711,1\n" for n in range(6))
).encode()
INPUTS: Final = {
    "streets": {"file": "streets.geojson", "columns": {"name": "name", "surface": "surface"}},
    "demand": [{"file": "homes.csv", "columns": {"id": "id", "households": "flats"}}],
    "offices": [OFFICE],
}
BLOCKS: Final = 11
"""Of the larger town, each way: 352 houses."""


def grid() -> tuple[bytes, bytes, tuple[str, ...]]:
    """Streets and houses of the larger town, and the ids of its critical houses."""
    lons = [24.94 + n * 0.002 for n in range(BLOCKS + 1)]
    lats = [60.17 + n * 0.001 for n in range(BLOCKS + 1)]
    streets = [_street(f"Avenue {n}", *((lon, lat) for lat in lats)) for n, lon in enumerate(lons)]
    streets += [_street(f"Street {n}", *((lon, lat) for lon in lons)) for n, lat in enumerate(lats)]
    places = [
        (i, j, k) for i in range(BLOCKS) for j in range(BLOCKS + 1) for k in range(4) if (i * 31 + j * 17 + k * 7) % 3
    ]
    homes = "id,lon,lat,flats\n" + "".join(
        f"g{i}-{j}-{k},{lons[i] + 0.0004 * (k + 1):.4f},{lats[j] + 0.0001:.4f},{1 + (i * 7 + j * 3 + k) % 4}\n"
        for i, j, k in places
    )
    critical = tuple(f"g{i}-{j}-{k}" for i, j, k in places if k == 0 and (i + j) % 4 == 0)
    return json.dumps({"type": "FeatureCollection", "features": streets}).encode(), homes.encode(), critical
