"""When a design is built, where each phase has a budget."""

from __future__ import annotations

import msgspec

from broadstreet.network.ground.worth import Worth


class Programme(msgspec.Struct, frozen=True):
    """What was planned for each phase, and how good a plan that is. What the bill says of a phase is at most its
    budget, and there are no more phases than budgets.

    worth: what each premises is worth. point_years: the points of all premises that are reached by the end of each
    phase, summed over the phases that have a budget; a premises is reached when light is at all its sockets.
    bound_point_years: no other phases of this design that keep these budgets have more; method: how that was proved.
    """

    budgets_cents: tuple[int, ...]
    worth: Worth
    point_years: int
    bound_point_years: int
    method: str

    @property
    def gap(self) -> float:
        """How many more point-years there may be, as a share of the bound."""
        bound = self.bound_point_years
        return 0.0 if bound == 0 else (bound - self.point_years) / bound
