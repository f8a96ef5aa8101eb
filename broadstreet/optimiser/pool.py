"""A pool of good trees: each is where a walk came to rest; new walks begin at a tree grown afresh or at two crossed.

One walk at a time. It rests after so many steps that brought nothing; where the problem is large or the time short that
never happens, and it is one walk.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.optimiser.compiled import Flags
from broadstreet.optimiser.crossing import cross
from broadstreet.optimiser.instance import Instance
from broadstreet.optimiser.walk import Walker

PATIENCE: Final = 100
SIZE: Final = 8
CROSSED: Final = 0.5
"""How often a walk begins at two trees crossed."""


class Pool:
    """`best` is the best tree of an instance that was found here. Costs are without what is decided."""

    def __init__(self, instance: Instance, random: np.random.Generator, likes: Flags) -> None:
        """likes: edges that the first tree has where it can."""
        self.instance = instance
        self._random = random
        self._walker = Walker(instance, random, likes=likes)
        self._rested: list[tuple[int, Flags]] = []
        self._idle = 0
        self.best, self.cost = self._walker.chosen, self._walker.cost

    def step(self) -> int:
        """One step of a walk. The work it was, in edges looked at."""
        before = self._walker.cost
        work = self._walker.step()
        self._idle = 0 if self._walker.cost < before else self._idle + 1
        if self._idle >= PATIENCE:
            self._rest()
        if self._walker.cost < self.cost:
            self.best, self.cost = self._walker.chosen, self._walker.cost
        return work

    def _rest(self) -> None:
        """Keep the tree if it is among the best and none of them, and begin anew."""
        one = self._walker.cost, self._walker.chosen
        if not any(cost == one[0] and np.array_equal(chosen, one[1]) for cost, chosen in self._rested):
            self._rested = sorted([*self._rested, one], key=lambda rested: rested[0])[:SIZE]
        start = None
        if len(self._rested) > 1 and self._random.random() < CROSSED:
            i, j = self._random.choice(len(self._rested), 2, replace=False)
            start = cross(self.instance, self._rested[i][1], self._rested[j][1], self._random)
        self._walker = Walker(self.instance, self._random, start)
        self._idle = 0
