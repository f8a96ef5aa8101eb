"""Which areas are worth being built together: those that bring more than all that they need, shared things once.

A trench that two areas share can be worth its money for both, and for neither alone; so areas are not judged one by
one. Each brings something and needs things; a thing is paid for once, by whoever is built. The set that brings most is
the far side of a least cut (Rhys, J. M. W. (1970): A selection problem of shared fixed costs and network flows.
Management Science 17(3), 200-207), and is exact.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


def best_together(brings: Sequence[int], needs: Sequence[Sequence[int]], costs: Sequence[int]) -> list[int]:
    """The areas that together bring most, less what the things that they need cost. brings: by area, over 0 or not;
    needs: by area the things that it needs; costs: by thing, not under 0."""
    flow = _Flow(brings, needs, costs)
    while flow.augment():
        pass
    return [area for area in range(len(brings)) if flow.came[area] is not None]


class _Flow:
    """What areas bring pays for things: areas to things without bound, things to the end at what they cost. In a round
    the nearest area with something left that comes to a thing with something owed pays it."""

    def __init__(self, brings: Sequence[int], needs: Sequence[Sequence[int]], costs: Sequence[int]) -> None:
        self.left = [max(0, one) for one in brings]
        self.owed = list(costs)
        self.needs = needs
        self.paid: list[dict[int, int]] = [{} for _ in costs]
        """By thing what each area pays of it."""
        self.came: list[int | None] = []
        """By area the thing by whose refund it was reached, -1 where it had something left; None: not reached."""

    def augment(self) -> bool:
        """Pays something more; whether it could. Where it could not, the areas that were reached are worth building."""
        self.came = [-1 if left > 0 else None for left in self.left]
        by: dict[int, int] = {}
        waiting = deque(area for area, came in enumerate(self.came) if came is not None)
        while waiting:
            area = waiting.popleft()
            for thing in self.needs[area]:
                if thing in by:
                    continue
                by[thing] = area
                if self.owed[thing] > 0:
                    self._pay(thing, by)
                    return True
                for other, amount in self.paid[thing].items():
                    if amount > 0 and self.came[other] is None:
                        self.came[other] = thing
                        waiting.append(other)
        return False

    def _pay(self, thing: int, by: dict[int, int]) -> None:
        """Pays what can be paid along the way by which a thing was reached: who pays it is refunded by the next."""
        way = []
        amount, at = self.owed[thing], thing
        while True:
            area = by[at]
            way.append((at, area))
            came = self.came[area]
            if came is None or came < 0:
                amount = min(amount, self.left[area])
                self.left[area] -= amount
                break
            amount = min(amount, self.paid[came][area])
            at = came
        self.owed[thing] -= amount
        for number, (one, area) in enumerate(way):
            self.paid[one][area] = self.paid[one].get(area, 0) + amount
            if number + 1 < len(way):
                self.paid[way[number + 1][0]][area] -= amount
