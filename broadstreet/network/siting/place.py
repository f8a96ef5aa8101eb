"""Where a sensor may stand, or stands, and where gateways are: as they are given."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.streets import WayKind

MAX_PLACES: Final = 5_000
"""The most candidates, or sensors of today, that are weighed at once."""
LEAD_M: Final = 100.0
"""How far a place may be from the way that leads to it. Farther off it is reached by nobody on foot, and by no
trench."""
ON_FOOT: Final = (WayKind.STREET, WayKind.PATH, WayKind.CROSSING)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """kind: what it stands on, a word of the prices' `power`."""

    id: str
    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    label: str = ""
    kind: str = "lamp_post"


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway of LoRaWAN: where its antenna is, and how high above the street."""

    id: str
    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    height_m: Annotated[float, Meta(gt=0, le=500)] = 25.0


def columns(places: Sequence[Place] | Sequence[Gateway]) -> tuple[F8, F8]:
    """Longitudes and latitudes."""
    lon, lat = (np.array([getattr(place, axis) for place in places], dtype=np.float64) for axis in ("lon", "lat"))
    return lon, lat


def check_places(places: Sequence[Place], what: str) -> None:
    """Raises TooLarge over the bound, and InvalidInput where two have the same id."""
    if len(places) > MAX_PLACES:
        raise TooLarge(
            f"{len(places)} {what} are over the bound of {MAX_PLACES}", where=what, remedy="Choose in a smaller area."
        )
    for one, other in pairwise(sorted(place.id for place in places)):
        if one == other:
            raise InvalidInput(f"two of the {what} have the id {one}", where=what, remedy="Give each its own id.")
