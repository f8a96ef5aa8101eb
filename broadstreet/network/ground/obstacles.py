"""What a trench would have to cross: tram tracks, railways, water. Each crossing has its price, or is not allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from broadstreet.network.ground.courses import Lines


class Obstacle(StrEnum):
    """What lies across; by the names of the catalogue's crossings."""

    TRAM = "tram"
    RAILWAY = "railway"
    WATER = "water"


OBSTACLES: Final = tuple(Obstacle)


@dataclass(frozen=True, slots=True, eq=False)
class Obstacles:
    """Lines and areas in WGS 84 degrees, and what each is."""

    shapes: Lines
    kinds: NDArray[np.int8]

    @classmethod
    def of(cls, found: Iterable[tuple[Obstacle, BaseGeometry]]) -> Obstacles:
        """Obstacles from what each is and where. Areas are made valid."""
        pairs = list(found)
        shapes = np.empty(len(pairs), dtype=object)
        shapes[:] = [shape for _, shape in pairs]
        kinds = np.array([OBSTACLES.index(kind) for kind, _ in pairs], dtype=np.int8)
        return cls(np.asarray(shapely.make_valid(shapes, method="structure", keep_collapsed=False)), kinds)

    def across(self, lines: Lines) -> NDArray[np.bool_]:
        """For each line and each kind whether it lies across. A bundle of tracks across one line counts once."""
        crossed = np.zeros((len(lines), len(OBSTACLES)), dtype=np.bool_)
        if len(self.shapes) and len(lines):
            obstacle, line = shapely.STRtree(lines).query(self.shapes, predicate="intersects")
            crossed[line, self.kinds[obstacle]] = True
        return crossed


NOTHING_ACROSS: Final = Obstacles(np.zeros(0, dtype=object), np.zeros(0, dtype=np.int8))
"""Where nothing is known to lie across."""
