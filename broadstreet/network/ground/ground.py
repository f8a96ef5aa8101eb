"""The ground: a graph of ways and the places that hang on it, with every price that digging there has.

All of it is columns (numpy), a row a node, a way, a premises, an office; none can be written to. A way's `cents_per_m`
and `fixed_cents` are what opening it costs, from the catalogue; a way of plant costs what using it does. Permits that
are asked once a street are not in it: they belong to the whole plan, and `street` says which ways share one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from broadstreet.network.ground.beside import NO_STREET as NO_STREET
from broadstreet.network.ground.catalogue import Catalogue
from broadstreet.network.ground.courses import F8, I8, Courses
from broadstreet.network.ground.fault import Fault
from broadstreet.network.ground.premises import Demand
from broadstreet.network.ground.ways import Cleaned

I4 = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class WayTable:
    """Ways, a row each: from node a to node b along its course, `length_m` on the ellipsoid.

    kind: a WayKind. surface: a number in SURFACES. street: a number in the ground's streets, or NO_STREET; a pavement's
    is that of the street it runs beside, and `street_by`, a StreetBy, says how that is known. way: a number in the
    ground's way_ids, the same for all pieces from one junction to the next; what rules speak of. usable: it may be dug,
    or lies there with room. locked: every plan holds it. room: how many cables (or spare fibres) it takes; -1 where
    there is no bound. crossings: by kind of obstacle, whether one lies across.
    """

    a: I4
    b: I4
    length_m: F8
    courses: Courses
    kind: NDArray[np.int8]
    surface: NDArray[np.int8]
    street: I4
    street_by: NDArray[np.int8]
    way: I4
    usable: Flags
    locked: Flags
    cents_per_m: I8
    fixed_cents: I8
    room: I4
    crossings: Flags

    def __len__(self) -> int:
        return len(self.a)

    @property
    def open_cents(self) -> I8:
        """What it costs to open each way whole, in whole cents."""
        return np.rint(self.length_m * self.cents_per_m).astype(np.int64) + self.fixed_cents


@dataclass(frozen=True, slots=True, eq=False)
class Premises:
    """Who is reached: what each needs (`demand`), the node where its drop leaves, the drop's length, the way that is
    on, and on which side (1 left of its course, -1 right, 0 on it). A drop is straight, from the place to the node."""

    demand: Demand
    node: I4
    drop_m: F8
    way: I4
    side: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.node)


@dataclass(frozen=True, slots=True, eq=False)
class Hooks:
    """Where the drop of each premises may leave, a row each: those of one premises together, the nearest first, and on
    the part of the ground that this is on. premises: whose, a row; node, drop_m, way, side: as of `Premises`. No rows:
    each has the one alone that it hangs on."""

    premises: I4
    node: I4
    drop_m: F8
    way: I4
    side: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.premises)


NO_HOOKS: Final = Hooks(
    np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.int32), np.zeros(0, np.int8)
)
"""Nobody has a choice."""


@dataclass(frozen=True, slots=True, eq=False)
class Offices:
    """Central offices: given, or candidates to choose from. lead_m: from its place to its node; in cents what making
    it ready costs."""

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    lon: F8
    lat: F8
    node: I4
    lead_m: F8
    given: Flags
    cents: I8

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Counts:
    """How the ground came to be: what was mended; how many premises were given, how many of them need nothing, and how
    many are reached by no way and so are faults."""

    cleaned: Cleaned
    demand: int
    without_need: int
    unreached: int
    islands: int
    island_m: float


@dataclass(frozen=True, eq=False)
class Ground:
    """What is there before a plan. Equal inputs give equal bytes: `digest` says so.

    lon, lat: the nodes. part: for each node which of the parts it is in that usable ways join, the one with most nodes
    first; -1 where no usable way ends. Nothing leads from one part to another. hooks: where else drops may leave than
    where they do.
    """

    lon: F8
    lat: F8
    part: I4
    ways: WayTable
    way_ids: tuple[str, ...]
    streets: tuple[str, ...]
    premises: Premises
    offices: Offices
    catalogue: Catalogue
    counts: Counts
    faults: tuple[Fault, ...]
    hooks: Hooks = NO_HOOKS

    def __post_init__(self) -> None:
        parts = (self, self.ways, self.ways.courses, self.premises, self.premises.demand, self.offices, self.hooks)
        for part in parts:
            for field in fields(part):
                value = getattr(part, field.name)
                if isinstance(value, np.ndarray):
                    value.setflags(write=False)

    @cached_property
    def digest(self) -> str:
        """A name for all of it, of its content alone; but for how a way's street is known, which changes no plan."""
        made = hashlib.sha256()
        for value in _flat(self):
            if isinstance(value, np.ndarray):
                made.update(f"{value.dtype.str}{value.shape}".encode())
                made.update(np.ascontiguousarray(value).tobytes())
            else:
                made.update(msgspec.json.encode(value))
            made.update(b"\n")
        return made.hexdigest()

    def hung(self, hooks: I8) -> Ground:
        """The same, with the drop of each premises at one of its hooks: their rows, one for each, in order. Raises
        ValueError where one is another's."""
        if not np.array_equal(self.hooks.premises[hooks], np.arange(len(self.premises))):
            raise ValueError("each premises hangs on a hook of its own")
        at = self.hooks
        premises = Premises(self.premises.demand, at.node[hooks], at.drop_m[hooks], at.way[hooks], at.side[hooks])
        return replace(self, premises=premises)

    def hanging(self, premises: Sequence[int]) -> list[list[tuple[int, float]]]:
        """For each of these premises, by row, the nodes at which its drop may leave, and how long it is then."""
        if not len(self.hooks):
            node, drop_m = self.premises.node.tolist(), self.premises.drop_m.tolist()
            return [[(node[row], drop_m[row])] for row in premises]
        node, drop_m = self.hooks.node.tolist(), self.hooks.drop_m.tolist()
        starts = np.searchsorted(self.hooks.premises, np.arange(len(self.premises) + 1)).tolist()
        return [[(node[at], drop_m[at]) for at in range(starts[row], starts[row + 1])] for row in premises]


def _flat(part: Any) -> list[Any]:
    """The columns and values of a part, those of the parts within it in their place; of hooks only where there are any,
    so that a ground without is called what it always was."""
    nested = (WayTable, Courses, Premises, Demand, Offices, Hooks)
    values = [getattr(part, field.name) for field in fields(part) if field.name != "street_by"]
    values = [value for value in values if not isinstance(value, Hooks) or len(value)]
    return [flat for value in values for flat in (_flat(value) if isinstance(value, nested) else [value])]
