"""What is asked: where sensors may stand, what they are for, what may be spent. All that an answer is proved
against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NoReturn

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Design, SiteKind
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.ground import Ground
from broadstreet.network.siting.covariance import Covariance
from broadstreet.network.siting.place import Gateway, Place, check_places
from broadstreet.network.siting.prices import SensorPrices

MAX_MAP_POINTS: Final = 2_500
"""The most points at which a map's variance is weighed."""
MAX_FIELD: Final = 4_000
"""The most points and candidates together: their covariances are a matrix of 128 MB."""


class Audience(StrEnum):
    """Who is to be covered: people at home (households by the persons in each), customers (fibres needed), or metres
    of street."""

    PEOPLE = "people"
    CUSTOMERS = "customers"
    STREETS = "streets"


class Objective(StrEnum):
    """What sites are chosen for: to cover most, or to leave the map least uncertain."""

    COVERAGE = "coverage"
    VARIANCE = "variance"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What each sensor has to say: so many bytes, so often. LoRaWAN may be too slow for it."""

    message_bytes: int = 20
    messages_per_hour: float = 6.0


@dataclass(frozen=True, slots=True)
class Map:
    """The map whose uncertainty counts: its points, and how its values vary together over distance."""

    lon: F8
    lat: F8
    covariance: Covariance


@dataclass(frozen=True, slots=True, eq=False)
class SitingCase:
    """radius_m: how far a sensor speaks for, along the streets (`is_on_foot`) or through the air. today: sensors that
    stand; what they cover and know counts before any new one. fibre_nodes: nodes of the ground where a cable may be
    opened (a plan's closures, cabinets and offices), and opened: ways that stand open already.

    count, budget_cents: how many sites at most, and what they may cost with their connection; one of both at least.
    """

    ground: Ground
    candidates: tuple[Place, ...]
    prices: SensorPrices
    objective: Objective = Objective.COVERAGE
    audience: Audience = Audience.PEOPLE
    radius_m: float = 150.0
    is_on_foot: bool = True
    piece_m: float = 20.0
    persons_per_household: float = 2.2
    measurement: Measurement = Measurement()
    map: Map | None = None
    today: tuple[Place, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    fibre_nodes: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()
    has_mobile: bool = True
    count: int | None = None
    budget_cents: int | None = None

    def with_plan(self, design: Design) -> SitingCase:
        """The same, with fibre from wherever a plan opens a cable, and in its ways. Raises InvalidInput for a plan of
        another ground."""
        if design.ground != self.ground.digest:
            self._refuse("the plan is of another ground", "plan", "Choose sites on the ground that was planned.")
        nodes = {site.node for site in design.sites if site.kind is not SiteKind.PREMISES}
        return replace(self, fibre_nodes=tuple(sorted(nodes)), opened=design.opened)

    def __post_init__(self) -> None:
        check_places(self.candidates, "candidates")
        check_places(self.today, "sensors of today")
        if not self.candidates:
            self._refuse("there is no place where a sensor may stand", "candidates", "Give some, or spread them.")
        if self.count is None and self.budget_cents is None:
            self._refuse(
                "nothing bounds how many are chosen", "count, budget_cents", "Give a count, a budget, or both."
            )
        if (self.count is not None and self.count < 1) or (self.budget_cents is not None and self.budget_cents < 0):
            self._refuse("so few that nothing can be chosen", "count, budget_cents", "Give a count of 1 or more.")
        if self.objective is Objective.VARIANCE and self.map is None:
            self._refuse("there is no map whose variance could be lowered", "map", "Give its points and covariance.")
        if self.map is not None and not 0 < len(self.map.lon) <= MAX_MAP_POINTS:
            self._refuse(
                f"a map of {len(self.map.lon)} points is not within 1 and {MAX_MAP_POINTS}", "map", "Widen its step."
            )
        if self.map is not None and len(self.map.lon) + len(self.candidates) > MAX_FIELD:
            known = f"{len(self.map.lon)} points of a map and {len(self.candidates)} candidates"
            self._refuse(f"{known} are over the bound of {MAX_FIELD}", "map, candidates", "Widen the map's step.")
        if not (self.radius_m > 0 and self.piece_m > 0):
            self._refuse("a radius and a piece of street are longer than nothing", "radius_m, piece_m", "Mend them.")
        for place in self.candidates:
            if place.kind not in self.prices.power:
                known = ", ".join(self.prices.power)
                self._refuse(f"{place.kind!r} is no kind of place", f"candidate {place.id}", f"Use one of {known}.")

    def _refuse(self, message: str, where: str, remedy: str) -> NoReturn:
        raise InvalidInput(message, where=where, remedy=remedy)
