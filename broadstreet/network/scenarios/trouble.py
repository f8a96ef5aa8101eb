"""Why nothing came of a plan: an error of the house, with the places it names, in a form that can be kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import msgspec

from broadstreet.model.errors import BroadstreetError, InvalidInput, NotFound, TooLarge
from broadstreet.network.ground import BadGround, faults_geojson

MAX_PLACES: Final = 1_000
"""Places of one refusal that are kept and drawn."""
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


def trouble_of(error: BroadstreetError, folder: Path | None = None) -> Trouble:
    """An error to keep. folder: where its files were, which nobody need know."""

    def told(text: str | None) -> str | None:
        return (
            text
            if text is None or folder is None
            else text.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")
        )

    return Trouble(
        detail=told(error.message) or "",
        where=told(error.where),
        remedy=told(error.remedy),
        faults=places_of(error) or _told_places(error),
        status=error.status,
    )


def places_of(error: BroadstreetError) -> dict[str, Any] | None:
    """The places an error names, as GeoJSON; None where it names none."""
    if isinstance(error, Refused):
        return error.places
    if not isinstance(error, BadGround):
        return None
    drawn: dict[str, Any] = msgspec.json.decode(faults_geojson(error.faults[:MAX_PLACES]))
    return drawn


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
    for kind in (NotFound, TooLarge):
        if trouble.status == kind.status:
            return kind(trouble.detail, where=trouble.where, remedy=trouble.remedy)
    return Refused(trouble)
