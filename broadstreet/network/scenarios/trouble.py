"""Why nothing came of a plan: an error of the house, with the places it names, in a form that can be kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from broadstreet.model.errors import BroadstreetError, InvalidInput, NotFound, TooLarge
from broadstreet.model.geometry import Box
from broadstreet.network.ground import BadGround, Fault, FaultKind, faults_geojson
from broadstreet.network.ground.fault import LargeFile

MAX_PLACES: Final = 1_000
"""Places of one refusal that are kept and drawn."""
MAX_AROUND: Final = 50
MAX_WHAT: Final = 300
_PLACE: Final = re.compile(r"\blon (-?\d{1,3}\.\d+), lat (-?\d{1,2}\.\d+)")
"""How errors of the ground tell a place."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What was wrong, where, what to do. faults: a GeoJSON FeatureCollection of the places; status: HTTP's."""

    detail: str
    where: str | None = None
    remedy: str | None = None
    faults: dict[str, Any] | None = None
    status: int = 400


class Refused(InvalidInput):
    """A plan cannot be made from this."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.detail, where=trouble.where, remedy=trouble.remedy)
        self.places = trouble.faults


class RefusedLarge(TooLarge):
    """A plan cannot be made from so much."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.detail, where=trouble.where, remedy=trouble.remedy)
        self.places = trouble.faults


def trouble_of(error: BroadstreetError, folder: Path | None = None, about: Sequence[Fault] = ()) -> Trouble:
    """An error to keep. folder: where its files were, which nobody need know. about: where what was to be planned lies,
    which is drawn where the error has no place of its own."""

    def told(text: str | None) -> str | None:
        return (
            text
            if text is None or folder is None
            else text.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")
        )

    detail, remedy = told(error.message) or "", told(error.remedy)
    here = [replace(one, what=f"{detail}; {one.what}"[:MAX_WHAT], remedy=remedy or "") for one in about[:MAX_PLACES]]
    places = places_of(error) or _told_places(error) or (_drawn(here) if here else None)
    for feature in places["features"] if places is not None else ():
        feature["properties"]["what"] = told(feature["properties"]["what"])
    return Trouble(detail=detail, where=told(error.where), remedy=remedy, faults=places, status=error.status)


def places_of(error: BroadstreetError) -> dict[str, Any] | None:
    """The places an error names, as GeoJSON; None where it names none."""
    if isinstance(error, Refused | RefusedLarge):
        return error.places
    if not isinstance(error, BadGround | LargeFile) or not error.faults:
        return None
    return _drawn(error.faults[:MAX_PLACES])


def _drawn(faults: Iterable[Fault]) -> dict[str, Any]:
    drawn: dict[str, Any] = msgspec.json.decode(faults_geojson(faults))
    return drawn


def around(inputs: Mapping[str, Any], whole: Box | None = None) -> list[Fault]:
    """Where what is planned from these inputs lies, as far as they say so themselves: the central offices, else the
    area, else the sites, else the midst of all of it. inputs: their parts as they were given, right or wrong. whole:
    where their streets lie, as far as that is known."""
    found = _places(inputs.get("offices"), "it was to be planned from here")
    area = inputs.get("area")
    if not found and isinstance(area, Mapping):
        points = [point for point in _points(area.get("coordinates")) if _is_place(*point)]
        if points:
            lon, lat = (sum(axis) / len(points) for axis in zip(*points, strict=True))
            found = [(lon, lat, "it was to be planned here")]
    found = found or _places(inputs.get("sites"), "this was to be reached")
    if not found and whole is not None:
        found = [((whole.west + whole.east) / 2, (whole.south + whole.north) / 2, "it was to be planned around here")]
    return [Fault(FaultKind.INPUT, lon, lat, what, "") for lon, lat, what in found[:MAX_AROUND]]


def _places(given: object, what: str) -> list[tuple[float, float, str]]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        return []
    at = [(one.get("lon"), one.get("lat"), one.get("label")) for one in given if isinstance(one, Mapping)]
    return [
        (float(lon), float(lat), f"{what}: {label}" if label else what)
        for lon, lat, label in at
        if lon is not None and lat is not None and _is_place(lon, lat)
    ]


def _points(coordinates: object) -> Iterator[tuple[Any, Any]]:
    """The positions of a geometry, however deep."""
    if isinstance(coordinates, Sequence) and not isinstance(coordinates, str):
        if len(coordinates) >= 2 and not isinstance(coordinates[0], Sequence):
            yield coordinates[0], coordinates[1]
        else:
            for part in coordinates:
                yield from _points(part)


def _is_place(lon: object, lat: object) -> bool:
    if not isinstance(lon, int | float) or not isinstance(lat, int | float):
        return False
    return abs(lon) <= 180 and abs(lat) <= 90


def _told_places(error: BroadstreetError) -> dict[str, Any] | None:
    """The places that an error tells in words, as GeoJSON; None where it tells none."""
    told = dict.fromkeys(_PLACE.findall(f"{error.where or ''} {error.message}"))
    properties = {"kind": "place", "what": error.message, "remedy": error.remedy or ""}
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [float(lon), float(lat)]},
            "properties": properties,
        }
        for lon, lat in list(told)[:MAX_PLACES]
    ]
    return {"type": "FeatureCollection", "features": features} if features else None


def error_of(trouble: Trouble) -> BroadstreetError:
    """The error again."""
    if trouble.status == NotFound.status:
        return NotFound(trouble.detail, where=trouble.where, remedy=trouble.remedy)
    return RefusedLarge(trouble) if trouble.status == TooLarge.status else Refused(trouble)
