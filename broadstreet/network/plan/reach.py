"""How far light goes: from what a class allows to how long each premises' fibre may be, and what to do where it is too
long.

A fibre may be as long as class and architecture say, and as what splitters, connectors and the margin leave of the
class's loss lasts. What splices take is known when a network stands: so limits begin without them, and each network
that is refused for its losses makes those of whom it fails for tighter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics
from broadstreet.network.light import loss_db
from broadstreet.network.plan.paths import OutOfReach

HAIR_M: Final = 0.01
"""By so much a limit is kept under what is allowed: lengths are rounded to millimetres on the way."""

TIGHTER: Final = 0.9
"""What is left of limits when all are made tighter."""


def reach_m(architecture: Architecture, optics: Optics) -> float:
    """How long a fibre may be at the most: one that has no joint but at its port and its socket, and before and behind
    each splitter, of which two can stand together, with one joint between."""
    allowed = optics.classes[architecture.optical_class]
    joints = 3 + len(architecture.splitters) if architecture.splitters else 2
    connectors = min(architecture.connectors, joints)
    wanted, splitters = architecture.optical_class, architecture.splitters
    lost_db = loss_db(optics, wanted, 0.0, joints=joints, connectors=connectors, splitters=splitters) + optics.margin_db
    lasts_m = (allowed.most_loss_db - lost_db) / optics.worst_db_per_km(architecture.optical_class) * 1000
    return max(0.0, min(lasts_m, allowed.longest_m, architecture.longest_way_m))


class Reach:
    """How long the fibre of each of these premises (rows) may be, its drop and the office's lead in it."""

    def __init__(self, ground: Ground, architecture: Architecture, optics: Optics, rows: Sequence[int]) -> None:
        self.ground, self.architecture, self.optics = ground, architecture, optics
        self.rows = np.array(rows, dtype=np.int64)
        self.limit_m: F8 = np.full(len(rows), reach_m(architecture, optics))

    def learn(self, far: OutOfReach) -> None:
        """Makes the limits of those tighter for whom a network was refused."""
        for at in np.flatnonzero(np.isin(self.rows, list(far.over_m))).tolist():
            length_m, over_m = far.over_m[int(self.rows[at])]
            self.limit_m[at] = min(self.limit_m[at], length_m - over_m - HAIR_M)

    def is_tightest(self, nearest_m: F8) -> bool:
        """Whether everyone is as near an office as can be already."""
        return bool((self.limit_m <= nearest_m).all())

    def tightened(self) -> Reach:
        """All limits tighter, for where it helps no more to make those tighter whom light does not reach: the nearer
        all are, the fewer are the splices."""
        tighter = Reach(self.ground, self.architecture, self.optics, self.rows.tolist())
        tighter.limit_m = self.limit_m * TIGHTER
        return tighter

    def check(self, nearest_m: F8) -> None:
        """Raises BadGround where a premises is farther from every office than light goes, whatever way it takes.
        nearest_m: of each, the drop in it."""
        if len(far := np.flatnonzero(nearest_m > self.limit_m)):
            raise self.refusal({int(self.rows[i]): (nearest_m[i], nearest_m[i] - self.limit_m[i]) for i in far})

    def refusal(self, over_m: dict[int, tuple[float, float]]) -> BadGround:
        """What is said where light does not reach these rows, with a fault for each, the worst first. over_m: how long
        the fibre is, and by how much it would have to be shorter."""
        demand = self.ground.premises.demand
        remedy = self._remedy(max(length_m for length_m, _ in over_m.values()))
        faults = [
            Fault(
                FaultKind.OUT_OF_REACH,
                float(demand.lon[row]),
                float(demand.lat[row]),
                f"{demand.labels[row] or demand.ids[row]} is {_km(length_m)} of fibre from the nearest office, "
                f"{_km(beyond_m)} more than light of class {self.architecture.optical_class} goes",
                remedy,
            )
            for row, (length_m, beyond_m) in sorted(over_m.items(), key=lambda item: (-item[1][1], item[0]))
        ]
        return BadGround(faults, where="offices")

    def _remedy(self, far_m: float) -> str:
        """What would bring light so far, of what the optics and the catalogue have."""
        architecture, found = self.architecture, list[str]()
        free = msgspec.structs.replace(architecture, longest_way_m=max(far_m, architecture.longest_way_m))
        if reach_m(free, self.optics) >= far_m:
            found.append(f"let ways be {math.ceil(far_m)} m long (longest_way_m)")
        classes = [
            name
            for name in self.optics.classes
            if reach_m(msgspec.structs.replace(free, optical_class=name), self.optics) >= far_m
        ]
        if classes and architecture.optical_class not in classes:
            found.append(f"choose another class ({', '.join(classes)})")
        if len(architecture.splitters) == 1 and architecture.optical_class not in classes:
            ratios = [
                ratio
                for ratio in self.ground.catalogue.splitter
                if ratio in self.optics.splitter and ratio < architecture.split
                if reach_m(msgspec.structs.replace(free, splitters=[ratio]), self.optics) >= far_m
            ]
            if ratios:
                found.append(f"share a fibre among {max(ratios)} or fewer")
        if (reaches_m := float(self.limit_m.min())) > 0:
            found.append(f"give a central office within {_km(reaches_m)} of them along the ways")
        text = "; or ".join(found) or "share a fibre among fewer, or give optics that lose less"
        return text[0].upper() + text[1:] + "."


def _km(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 1000 else f"{metres:.0f} m"
