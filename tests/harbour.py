"""A small good network of the Open Fibre Data Standard, and ways to spoil it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from broadstreet.network.ofds import Faults, Network, check, document
from broadstreet.network.ofds.network import CRS_NAME, CRS_URI, SCHEMA
from broadstreet.network.ofds.part import take

ID = "6f2c1a52-8d8c-4a7e-9a52-3a2a3d0f5b10"
GOOD: dict[str, Any] = {
    "id": ID,
    "name": "Harbour",
    "nodes": [
        {"id": "a", "name": "Exchange", "location": {"type": "Point", "coordinates": [24.94, 60.17]}},
        {"id": "b", "name": "Pier", "location": {"type": "Point", "coordinates": [24.95, 60.17]}},
    ],
    "spans": [
        {
            "id": "s",
            "name": "Quay",
            "start": "a",
            "end": "b",
            "status": "operational",
            "route": {"type": "LineString", "coordinates": [[24.94, 60.17], [24.945, 60.171], [24.95, 60.17]]},
            "transmissionMediumOwner": {"id": "o", "name": "City"},
        }
    ],
    "phases": [{"id": "p", "name": "First"}],
    "organisations": [{"id": "o", "name": "City"}],
    "crs": {"name": CRS_NAME, "uri": CRS_URI},
    "links": [{"rel": "describedby", "href": SCHEMA}],
}


def network(raw: Any) -> tuple[Network, Faults]:
    """A network taken in and checked."""
    faults = Faults()
    taken = take(Network, raw, "", faults)
    check(taken, "", faults)
    return taken, faults


def with_(path: str, value: Any) -> dict[str, Any]:
    """The good network with one value in another's place; None: without it."""
    raw = copy.deepcopy(GOOD)
    *way, last = [int(step) if step.isdigit() else step for step in path.strip("/").split("/")]
    at: Any = raw
    for step in way:
        at = at[step]
    if value is None:
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return raw


def features(*, status: str = "operational") -> dict[str, Any]:
    """A pair as others write it: no member `ofds`, organisations and nodes whole in each feature."""
    about = {k: GOOD[k] for k in ("id", "name", "crs", "links")}
    funded = {"id": "p", "name": "First", "funders": [{"id": "f", "name": "Bank", "country": "FI"}]}
    owner = {"id": "o", "name": "City", "roles": ["funder"]}
    nodes = [
        {
            "type": "Feature",
            "geometry": node["location"],
            "properties": {k: v for k, v in node.items() if k != "location"}
            | {"network": about, "featureType": "node"},
        }
        for node in GOOD["nodes"]
    ]
    span = {k: v for k, v in GOOD["spans"][0].items() if k != "route"}
    span |= {"start": GOOD["nodes"][0], "end": GOOD["nodes"][1], "phase": funded, "transmissionMediumOwner": owner}
    span |= {"network": about, "featureType": "span", "status": status}
    nodes.append({"type": "Feature", "geometry": GOOD["spans"][0]["route"], "properties": span})
    return {"type": "FeatureCollection", "features": nodes}


def write(path: Path, *values: Any) -> Path:
    path.write_bytes(b"\n".join(document.dump(value) for value in values))
    return path
