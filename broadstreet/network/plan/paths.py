"""Each socket's path: which of its joints are connectors, how long it is and what it loses, and whom light does not
reach.

A path's connectors are made of its joints in this order: at the port and at the socket, before and behind the first
splitter, before and behind the second, and then the others, from the socket on; as many as the architecture says, or
all that can be: fibres are fused to each other in closures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Path
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics
from broadstreet.network.light import Ray, loss_db

MAX_NAMED: Final = 5
"""How many premises a refusal names; of the others the number is."""
_HAIR: Final = 1e-9
_TOO_LOSSY: Final = (
    "more light is lost on the way than the optical class and the margin allow",
    "Choose a class that allows more, a smaller splitter, or an office nearer to them.",
)
_TOO_STRONG: Final = (
    "so little light is lost on the way that the class's receivers would be blinded",
    "Choose a class for shorter ways, or a greater splitter.",
)
_TOO_LONG: Final = (
    "the fibre is longer than the optical class or the architecture's longest_way_m allows",
    "Choose a class for longer ways, or plan from an office nearer to them.",
)


def connectors(rays: Sequence[Ray], architecture: Architecture, connectable: set[int]) -> set[int]:
    """Which joints are connectors, of those that can be. Raises InvalidInput where paths that share a joint want
    different things of it."""
    wanted = architecture.connectors
    chosen = set[int]()
    for ray in rays:
        chosen.update([joint for joint in _in_order(ray) if joint in connectable][:wanted])
    for ray in rays:
        if len(chosen.intersection(ray.joints)) != min(wanted, len(connectable.intersection(ray.joints))):
            raise InvalidInput(
                f"not every path can have just {wanted} connectors, since paths share joints",
                where="connectors of the architecture",
                remedy=f"Ask for {2 + 2 * len(architecture.splitters)} or fewer.",
            )
    return chosen


def _in_order(ray: Ray) -> list[int]:
    """A path's joints, in the order in which they become connectors."""
    behind = [number for number, passed in enumerate(ray.between) if isinstance(passed, str)]
    at_splitters = [ray.joints[n] for number in reversed(behind) for n in (number + 1, number)]
    return list(dict.fromkeys([ray.joints[-1], ray.joints[0], *at_splitters, *ray.joints]))


def paths(
    ground: Ground,
    architecture: Architecture,
    optics: Optics,
    rays: Sequence[Ray],
    is_connector: set[int],
    ratios: dict[str, int],
) -> tuple[Path, ...]:
    """Each path's length and worst loss, the margin not in it. Raises InvalidInput where one is not what its class
    allows, or longer than the architecture does."""
    wanted = optics.classes[architecture.optical_class]
    per_m = optics.worst_db_per_km(architecture.optical_class) / 1000
    longest_m = min(wanted.longest_m, architecture.longest_way_m)
    found, strong = list[Path](), list[int]()
    lossy, long = dict[int, float](), dict[int, float]()
    length_m = dict[int, float]()
    for ray in rays:
        far_m = ray.length_m
        lost_db = loss_db(
            optics,
            architecture.optical_class,
            far_m,
            joints=len(ray.joints),
            connectors=len(is_connector.intersection(ray.joints)),
            splitters=[ratios[splitter] for splitter in ray.splitters],
        )
        found.append(Path(ray.premises, ray.socket, far_m, lost_db))
        if lost_db < wanted.least_loss_db - _HAIR:
            strong.append(ray.premises)
        over_db = lost_db + optics.margin_db - wanted.most_loss_db
        for over, over_m in ((lossy, over_db / per_m), (long, far_m - longest_m)):
            if over_m > _HAIR:
                over[ray.premises] = max(over_m, over.get(ray.premises, 0.0))
                length_m[ray.premises] = far_m
    if strong:
        refuse(ground, strong, *_TOO_STRONG)
    if length_m:
        over = {row: max(lossy.get(row, 0.0), long.get(row, 0.0)) for row in length_m}
        raise OutOfReach(ground, {row: (length_m[row], over[row]) for row in length_m}, is_lossy=bool(lossy))
    return tuple(found)


class OutOfReach(InvalidInput):
    """Light does not reach premises: their fibres are too long, or too much is lost on them."""

    def __init__(self, ground: Ground, over_m: dict[int, tuple[float, float]], *, is_lossy: bool) -> None:
        """over_m: by row how long the fibre is, and by how much it would have to be shorter."""
        self.over_m = over_m
        what, remedy = _TOO_LOSSY if is_lossy else _TOO_LONG
        super().__init__(f"{what}: {_named(ground, over_m)}", where=_place(ground, over_m), remedy=remedy)


def refuse(ground: Ground, rows: Iterable[int], what: str, remedy: str) -> None:
    """Raises InvalidInput that names premises, the first of them."""
    raise InvalidInput(f"{what}: {_named(ground, rows)}", where=_place(ground, rows), remedy=remedy)


def _named(ground: Ground, rows: Iterable[int]) -> str:
    demand, which = ground.premises.demand, sorted(set(rows))
    names = ", ".join(demand.labels[row] or demand.ids[row] for row in which[:MAX_NAMED])
    return names + (f" and {len(which) - MAX_NAMED} more" if len(which) > MAX_NAMED else "")


def _place(ground: Ground, rows: Iterable[int]) -> str:
    demand, first = ground.premises.demand, min(rows)
    return f"premises, lon {demand.lon[first]:.6f}, lat {demand.lat[first]:.6f}"
