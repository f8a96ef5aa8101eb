"""What every search for ways is given, and what it keeps: the best network that was found, and a bound of its ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from broadstreet.network.design import Statement
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics


@dataclass(frozen=True)
class Sought:
    """A network from these offices to these premises (rows), until the clock says so. on_progress: told of every better
    one; what it raises ends the work."""

    ground: Ground
    architecture: Architecture
    optics: Optics
    offices: list[int]
    rows: list[int]
    end_s: float
    seed: int
    clock: Callable[[], float]
    on_progress: Callable[[Statement], None] | None


class Search:
    """bound_cents, method: what no ways that join premises to offices cost less than, and how that was proved."""

    def __init__(self, sought: Sought) -> None:
        self.ground, self.architecture, self.optics = sought.ground, sought.architecture, sought.optics
        self.offices, self.rows, self.seed = sought.offices, sought.rows, sought.seed
        self.end_s, self.clock, self.on_progress = sought.end_s, sought.clock, sought.on_progress
        self.bound_cents, self.method = 0, "none"
        self.best: Statement | None = None

    @property
    def left_s(self) -> float:
        return max(0.0, self.end_s - self.clock())

    def tell(self) -> None:
        """Of the best there is."""
        if self.on_progress is not None and self.best is not None:
            self.on_progress(self.best)
