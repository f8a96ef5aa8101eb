"""What is wrong with the ground, and where: told beside what could be made of the rest, and drawn on the map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from broadstreet.model.errors import InvalidInput, TooLarge

MAX_NAMED = 5
"""How many places a refusal names; of the others the number is."""


class FaultKind(StrEnum):
    """The kinds of faults. What each means for the plan stands in the fault's own words."""

    UNREACHED = "unreached"
    ISLAND = "island"
    OUTSIDE = "outside"
    UNCONNECTED_PLANT = "unconnected_plant"
    UNUSED_PLANT = "unused_plant"
    ASSUMED_PLANT = "assumed_plant"
    UNREACHED_OFFICE = "unreached_office"
    OUT_OF_REACH = "out_of_reach"
    CONTRADICTION = "contradiction"
    BAD_GEOMETRY = "bad_geometry"
    MISPLACED = "misplaced"
    ONE_WAY = "one_way"
    OVER_BUDGET = "over_budget"
    UNSURE_STREET = "unsure_street"
    CRITICAL = "critical"
    DUPLICATE = "duplicate"
    EMPTY = "empty"
    NO_PRICE = "no_price"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class Fault:
    """kind; where it is, in WGS 84 degrees; what is wrong there; what to do about it."""

    kind: FaultKind
    lon: float
    lat: float
    what: str
    remedy: str

    @property
    def place(self) -> str:
        return f"lon {self.lon:.6f}, lat {self.lat:.6f}"


class BadGround(InvalidInput):
    """The ground cannot be planned on as it is given."""

    def __init__(self, faults: Iterable[Fault], where: str) -> None:
        """where: which of the inputs; each fault has its own place."""
        self.faults = tuple(faults)
        told = "; ".join(f"{fault.what} ({fault.place})" for fault in self.faults[:MAX_NAMED])
        more = f"; and {len(self.faults) - MAX_NAMED} more" if len(self.faults) > MAX_NAMED else ""
        super().__init__(told + more, where=where, remedy=self.faults[0].remedy)


class Placed(BadGround):
    """What is wrong is told in words of its own; the faults say where."""

    def __init__(self, message: str, faults: Iterable[Fault], *, where: str, remedy: str) -> None:
        InvalidInput.__init__(self, message, where=where, remedy=remedy)
        self.faults = tuple(faults)


class Misplaced(Placed):
    """What is given lies elsewhere than the streets; the faults say where it lies, would lie, and ought to."""


class LargeFile(TooLarge):
    """A file over its bound; the faults are where the first of what it holds lies, as far as that is plain to see."""

    def __init__(self, message: str, faults: Iterable[Fault], *, where: str, remedy: str) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.faults = tuple(faults)
