"""The ground as GeoJSON, for the map: ways, premises with their drops, central offices, faults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import numpy as np

from broadstreet.network.ground.beside import StreetBy
from broadstreet.network.ground.catalogue import SURFACES
from broadstreet.network.ground.fault import Fault
from broadstreet.network.ground.ground import NO_STREET, Ground
from broadstreet.network.ground.premises import PremisesKind
from broadstreet.network.ground.streets import WayKind

_DECIMALS: Final = 7


def ways_geojson(ground: Ground) -> bytes:
    """A LineString for each way, with what it is, whether it may be used and what opening it costs."""
    return _collection(_ways(ground))


def premises_geojson(ground: Ground) -> bytes:
    """A LineString for each drop, from the premises to its node: the premises is where it begins."""
    return _collection(_premises(ground))


def offices_geojson(ground: Ground) -> bytes:
    """A Point for each central office."""
    offices = ground.offices
    return _collection(
        _feature(
            "Point",
            [float(offices.lon[i]), float(offices.lat[i])],
            {"id": offices.ids[i], "label": offices.labels[i], "given": bool(offices.given[i])},
        )
        for i in range(len(offices))
    )


def faults_geojson(faults: Iterable[Fault]) -> bytes:
    """A Point for each fault, with what is wrong there and what to do about it."""
    return _collection(
        _feature("Point", [fault.lon, fault.lat], {"kind": fault.kind, "what": fault.what, "remedy": fault.remedy})
        for fault in faults
    )


def _ways(ground: Ground) -> Iterator[dict[str, Any]]:
    ways = ground.ways
    points = np.round(np.column_stack((ways.courses.lon, ways.courses.lat)), _DECIMALS).tolist()
    starts = ways.courses.starts.tolist()
    cents = ways.open_cents.tolist()
    for i in range(len(ways)):
        street = int(ways.street[i])
        yield _feature(
            "LineString",
            points[starts[i] : starts[i + 1]],
            {
                "way": ground.way_ids[ways.way[i]],
                "kind": WayKind(ways.kind[i]).name.lower(),
                "surface": SURFACES[ways.surface[i]],
                "street": None if street == NO_STREET else ground.streets[street],
                "street_by": StreetBy(ways.street_by[i]).name.lower(),
                "length_m": round(float(ways.length_m[i]), 2),
                "usable": bool(ways.usable[i]),
                "locked": bool(ways.locked[i]),
                "open_cents": cents[i],
            },
        )


def _premises(ground: Ground) -> Iterator[dict[str, Any]]:
    premises, demand = ground.premises, ground.premises.demand
    for i in range(len(premises)):
        node = premises.node[i]
        place = [float(demand.lon[i]), float(demand.lat[i])]
        yield _feature(
            "LineString",
            [place, [float(ground.lon[node]), float(ground.lat[node])]],
            {
                "id": demand.ids[i],
                "label": demand.labels[i],
                "kind": PremisesKind(demand.kind[i]).name.lower(),
                "fibres": int(demand.fibres[i]),
                "weight": float(demand.weight[i]),
                "critical": bool(demand.is_critical[i]),
                "drop_m": round(float(premises.drop_m[i]), 2),
            },
        )


def _feature(kind: str, coordinates: object, properties: dict[str, Any]) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _collection(features: Iterable[dict[str, Any]]) -> bytes:
    return msgspec.json.encode({"type": "FeatureCollection", "features": list(features)})
