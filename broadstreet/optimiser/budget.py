"""A tree that brings most within a budget: what is worth points stands at vertices, and costs beside the tree's edges.

Money gets a price in points (Lagrange): where a point is worth p cents, the best of all trees is one that collects
prizes, and a bound of it is one of the points, too. For every tree within a budget of B,

    p · points <= B + (p · points - cost) <= B + (all prizes - the least of edges and prizes forgone),

with prizes of p · points less what a lot costs by itself, at least 0. Prices are sought by chords: between a tree that
is within the budget and one that is over it, that price is tried at which both are worth the same. Where it gives
neither's better, it is the price of the least bound. Prices are fractions, so that no bound is rounded the wrong way.
What is so far from the root that the way there alone is over the budget is left out before.

Of the trees that came by, those next to the budget are fitted to it: the one above is pruned by rising prices, both are
filled with what still finds room (`filling.py`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.filling import fill
from broadstreet.optimiser.graph import Graph
from broadstreet.optimiser.paths import nearest
from broadstreet.optimiser.polish import ends
from broadstreet.optimiser.prize import Collected, collect, prune_prizes

SHARE: Final = 0.2
"""Of the time that is left, for the tree at one price."""
WHOLE_SHARE: Final = 0.05
"""And for the tree of everything, which need not be good."""
STEP: Final = Fraction(5, 4)
"""From a price that is given to one beside it, on the other side of the budget."""
CHORDS_MAX: Final = 60
HALVINGS: Final = 40
"""So often the price is halved that a tree over the budget is pruned by."""


@dataclass(frozen=True)
class Lots:
    """What may be had, a row each: the vertex where it stands, what it is worth in points, and what it costs by itself
    once a tree is there. needed: it is had in any case."""

    vertex: Ints
    points: Ints
    cost: Ints
    needed: Flags

    def __len__(self) -> int:
        return len(self.vertex)


@dataclass(frozen=True)
class Bought:
    """edges: of the tree, by number. taken: the lots. cost: of both."""

    edges: Ints
    taken: Flags
    points: int
    cost: int


class OverBudget(InvalidInput):
    """What is needed costs more than there is. least: what it costs at the least; cost: in the best tree found."""

    def __init__(self, least: int, cost: int, budget: int) -> None:
        self.least, self.cost = least, cost
        super().__init__(
            f"what is needed costs {cost}, and no less than {least}; the budget is {budget}",
            where="budget",
            remedy="Raise the budget, or ask for less.",
        )


class Spender:
    """One problem. `run` seeks; then `bound` is what no tree within the budget is worth more than, `price` what a point
    costs where the budget ends, and `fit` gives the best tree known for any budget near it."""

    def __init__(
        self,
        graph: Graph,
        root: int,
        lots: Lots,
        budget: int,
        *,
        seconds: float,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """InvalidInput: as `Collector` says of what is needed; OverBudget: it costs more than the budget."""
        self._graph, self._root, self._lots, self._budget = graph, root, lots, budget
        self._seed, self._clock, self._end_s = seed, clock, clock() + seconds
        self._terminals = np.unique(lots.vertex[lots.needed])
        self._fixed = int(lots.cost[lots.needed].sum())
        away = nearest(graph.rows, graph.cost, np.arange(graph.vertices) == root)[0][lots.vertex]
        self._may = (lots.points > 0) & (away <= budget - self._fixed - lots.cost) & ~lots.needed
        self._fixed_points = int(lots.points[lots.needed].sum())
        self._order = np.argsort(graph.cost, kind="stable")
        self._seen: list[Bought] = []
        self.bound = self._fixed_points + int(lots.points[self._may].sum())
        self.price = Fraction(0)

    def run(self, price: Fraction | None = None) -> Bought:
        """Seek prices until the bound is the least there is, or time is up. price: where to begin, if one is known."""
        least = self._collect(np.zeros(self._graph.vertices, np.int64), self._terminals, SHARE)
        low = self._keep(least, self._lots.needed)
        if low.cost > self._budget:
            raise OverBudget(least.bound + self._fixed, low.cost, self._budget)
        if price is not None:
            first = self._at(price)
            self._at(price * STEP if first.cost <= self._budget else price / STEP)
        low = max((each for each in self._seen if each.cost <= self._budget), key=lambda each: each.points)
        above = [each for each in self._seen if each.cost > self._budget]
        high = min(above, key=lambda each: each.cost) if above else self._whole()
        for _ in range(CHORDS_MAX):
            if high.cost <= self._budget or high.points <= low.points or self._is_late:
                break
            found = self._at(Fraction(high.cost - low.cost, high.points - low.points))
            if found.cost <= self._budget and found.points > low.points:
                low = found
            elif found.cost > self._budget and found.cost < high.cost:
                high = found
            else:
                break
        return self.fit(self._budget)

    @property
    def _is_late(self) -> bool:
        return self._clock() >= self._end_s

    def _whole(self) -> Bought:
        """A tree of all that may be had."""
        everything = self._lots.needed | self._may
        terminals = np.unique(self._lots.vertex[everything])
        collected = self._collect(np.zeros(self._graph.vertices, np.int64), terminals, WHOLE_SHARE)
        return self._keep(collected, everything)

    def _at(self, price: Fraction) -> Bought:
        """The best tree where a point is worth so much; it bounds every other."""
        lots = self._lots
        # Exact, however large: whole numbers of Python's own, rounded up, so that a prize is never too small.
        asked = [-(-price.numerator * points // price.denominator) for points in lots.points.tolist()]
        worth = [max(0, prize - cost) for prize, cost in zip(asked, lots.cost.tolist(), strict=True)]
        prize = np.where(self._may, np.array(worth, np.int64), 0)
        prizes = np.zeros(self._graph.vertices, np.int64)
        np.add.at(prizes, lots.vertex, prize)
        collected = self._collect(prizes, self._terminals, SHARE)
        most = (self._budget - self._fixed + int(prize.sum()) - collected.bound) / price
        if (bound := self._fixed_points + int(most // 1)) < self.bound:
            self.bound, self.price = bound, price
        return self._keep(collected, lots.needed | (collected.inside[lots.vertex] & (prize > 0)))

    def _collect(self, prizes: Ints, terminals: Ints, share: float) -> Collected:
        seconds = max(0.0, (self._end_s - self._clock()) * share)
        return collect(
            self._graph,
            self._root,
            prizes,
            terminals=terminals.tolist(),
            seconds=seconds,
            seed=self._seed,
            clock=self._clock,
        )

    def _keep(self, collected: Collected, taken: Flags) -> Bought:
        bought = self._bought(collected.edges, taken)
        self._seen.append(bought)
        return bought

    def _bought(self, edges: Ints, taken: Flags) -> Bought:
        lots = self._lots
        cost = int(self._graph.cost[edges].sum()) + int(lots.cost[taken].sum())
        return Bought(edges, taken, int(lots.points[taken].sum()), cost)

    def fit(self, budget: int, open_lots: Flags | None = None) -> Bought:
        """The best tree within a budget that can be made of those that came by. open_lots: which may be taken beside
        what is needed; None: all. What is needed is there in any case, even if it alone costs more."""
        may = self._may if open_lots is None else self._may & open_lots
        below = [each for each in self._seen if each.cost <= budget]
        above = [each for each in self._seen if each.cost > budget]
        starts = [max(below, key=lambda each: each.points)] if below else []
        if above:
            starts.append(self._pruned(min(above, key=lambda each: each.cost), budget))
        made = [self._filled(start, budget, may) for start in starts]
        return max(made, key=lambda each: (each.points, -each.cost))

    def _pruned(self, bought: Bought, budget: int) -> Bought:
        """The tree without what pays least, until it is within the budget; what is needed stays."""
        graph, lots = self._graph, self._lots
        chosen = np.zeros(graph.edges, np.bool_)
        chosen[bought.edges] = True
        terminal = np.zeros(graph.vertices, np.bool_)
        terminal[self._terminals] = True
        low, high = 0.0, max(1.0, 2 * float(lots.cost.max(initial=0)) + 2 * float(graph.cost[chosen].sum()))
        best: Bought | None = None
        for _ in range(HALVINGS):
            price = (low + high) / 2
            worth = np.where(bought.taken & self._may, np.rint(price * lots.points) - lots.cost, 0).clip(0)
            prizes = np.bincount(lots.vertex, worth, graph.vertices).astype(np.int64)
            tree, _ = prune_prizes(graph.rows, graph.cost, prizes, terminal, chosen, self._root)
            inside = ends(graph.vertices, graph.left, graph.right, tree)
            inside[self._root] = True
            taken = lots.needed | ((worth > 0) & inside[lots.vertex])
            tried = self._bought(np.flatnonzero(tree), taken)
            if tried.cost <= budget:
                best, low = tried, price
            else:
                high = price
        return best or self._seen[0]

    def _filled(self, bought: Bought, budget: int, may: Flags) -> Bought:
        graph, lots = self._graph, self._lots
        chosen = np.zeros(graph.edges, np.bool_)
        chosen[bought.edges] = True
        inside = ends(graph.vertices, graph.left, graph.right, chosen)
        inside[self._root] = True
        taken = bought.taken.copy()
        left = budget - bought.cost
        if left > 0:
            fill(graph.rows, graph.cost, lots.vertex, lots.points, lots.cost, may, inside, chosen, taken, left)
        return self._bought(np.flatnonzero(chosen), taken)
