"""Whom a design serves, where a budget does not reach for all."""

from __future__ import annotations

import msgspec

from broadstreet.network.ground.worth import Worth


class Choice(msgspec.Struct, frozen=True):
    """What was chosen, and how good a choice it is. The design's whole cost is at most the budget.

    worth: what each premises is worth. points: of all that are served together. needed: rows that are served in any
    case, those that are critical or named by the worth among those that were asked for. bound_points: no design that
    serves these and costs no more is worth more; method: how that was proved; relaxed: what was left out of account.
    """

    budget_cents: int
    worth: Worth
    points: int
    needed: tuple[int, ...]
    bound_points: int
    method: str
    relaxed: tuple[str, ...]

    @property
    def gap(self) -> float:
        """How much more any choice may be worth, as a share of the bound; 0 is proved to be the best."""
        return 0.0 if self.bound_points == 0 else (self.bound_points - self.points) / self.bound_points
