"""What is wished of one scenario, beside what its project is made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from broadstreet.network.ground.architecture import Architecture, check_architecture, default_architecture
from broadstreet.network.ground.catalogue import Catalogue, default_catalogue
from broadstreet.network.ground.obstacles import Obstacle
from broadstreet.network.ground.optics import Optics, default_optics
from broadstreet.network.ground.sheet import MAX_SHEET_BYTES, parse_sheet
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.ground.worth import Worth, default_worth

MAX_SECONDS: Final = 3_600.0
"""The longest that a plan is sought."""
DEFAULT_SECONDS: Final = 30.0
MAX_NAMED: Final = 10_000
"""The most streets, premises or offices that a wish names in one place."""
MAX_AREAS: Final = 100
MAX_PHASES: Final = 40
"""The most phases that a plan is built in."""

Sheet = Annotated[str, Meta(min_length=1, max_length=MAX_SHEET_BYTES)]
"""The text of a TOML file."""
Id = Annotated[str, Meta(min_length=1, max_length=500)]
Ids = Annotated[tuple[Id, ...], Meta(max_length=MAX_NAMED)]


class PlanWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    catalogue, architecture, optics: texts of TOML; None: the project's catalogue, and what comes with Broadstreet.
    offices:      ids of the central offices to plan from; none: those that are given, or of candidates the best.
    critical:     ids of premises that two ways must lead to; None: as the project says.
    served:       ids of premises to reach; None: all.
    closed, opened, locked, closed_areas, closed_crossings: as in the ground's rules, beside the project's.
    budget_cents: what may be spent at most; those are served who are worth most by `worth`, a text of TOML; None: the
                  one that comes with Broadstreet. Without a budget everyone is served.
    phase_budgets_cents: what may be spent in each phase, such as a year; the plan is built in phases, each within its
                  own, most worth early. None: all at once.
    seconds:      how long it is sought. seed: equal seeds give equal plans where time does not decide.
    """

    catalogue: Sheet | None = None
    architecture: Sheet | None = None
    optics: Sheet | None = None
    worth: Sheet | None = None
    offices: Ids = ()
    critical: Ids | None = None
    served: Ids | None = None
    closed: Ids = ()
    opened: Ids = ()
    locked: Ids = ()
    closed_areas: Annotated[tuple[dict[str, Any], ...], Meta(max_length=MAX_AREAS)] = ()
    closed_crossings: tuple[Obstacle, ...] = ()
    budget_cents: Annotated[int, Meta(ge=0, le=10**15)] | None = None
    phase_budgets_cents: (
        Annotated[tuple[Annotated[int, Meta(ge=0, le=10**15)], ...], Meta(min_length=1, max_length=MAX_PHASES)] | None
    ) = None
    seconds: Annotated[float, Meta(ge=0.1, le=MAX_SECONDS)] = DEFAULT_SECONDS
    seed: Annotated[int, Meta(ge=0, lt=2**31)] = 0

    def sheets(self, catalogue: Catalogue | None = None) -> Sheets:
        """The sheets in force; catalogue: the project's. Raises InvalidInput with every fault and its place."""
        found = Sheets(
            self.prices() if self.catalogue else catalogue or default_catalogue(),
            parse_sheet(self.architecture.encode(), Architecture, "architecture")
            if self.architecture
            else default_architecture(),
            parse_sheet(self.optics.encode(), Optics, "optics") if self.optics else default_optics(),
            parse_sheet(self.worth.encode(), Worth, "worth") if self.worth else default_worth(),
        )
        check_architecture(found.architecture, found.catalogue, found.optics)
        return found

    def prices(self) -> Catalogue:
        """The wish's own catalogue. Raises BadSheet with every fault and its place."""
        return parse_sheet((self.catalogue or "").encode(), Catalogue, "catalogue")

    def check(self) -> None:
        """Raises InvalidInput for sheets that cannot be used. Rules that contradict each other are found with the
        ground, which knows where."""
        self.sheets()

    def inputs(self, project: Inputs) -> Inputs:
        """What the project is made from, with this wish's rules and critical premises beside its own."""
        rules = msgspec.structs.replace(
            project.rules,
            closed=_joined(project.rules.closed, self.closed),
            opened=_joined(project.rules.opened, self.opened),
            locked=_joined(project.rules.locked, self.locked),
            closed_areas=(*project.rules.closed_areas, *self.closed_areas),
            closed_crossings=_joined(project.rules.closed_crossings, self.closed_crossings),
        )
        critical = project.critical if self.critical is None else self.critical
        return msgspec.structs.replace(project, rules=rules, critical=critical)


class Sheets(msgspec.Struct, frozen=True):
    """The prices, the architecture and the optics of a plan, and what serving each is worth where a budget decides."""

    catalogue: Catalogue
    architecture: Architecture
    optics: Optics
    worth: Worth = msgspec.field(default_factory=default_worth)


def _joined(one: Iterable[Any], other: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*one, *other)))
