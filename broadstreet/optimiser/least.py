"""What no answer with stations costs less than, for problems of any size: parts that no two share.

* What is opened joins the root and all terminals: no less than a Steiner tree's bound.
* Stations take all units: no less than a knapsack of their sizes; splitters are no fewer than all units ask for.
* A terminal's units go to its station, each begun `ratio` of a station's as one to the root. So to each of the
  terminal's d units belongs the whole way to the station, and at least 1/ratio of the way from there to the root:
  together no less than d/ratio shortest ways from the terminal to the root, by what a unit costs alone.

The last two parts can be had together, which is more where few stations would serve those who are far apart
(`sharing`). And the last can be had otherwise: what is opened carries a unit at least, or it need not be opened; so
each edge costs what opening it does and one unit, and the Steiner tree of that holds both.
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.capacitated import Capacitated
from broadstreet.optimiser.paths import nearest
from broadstreet.optimiser.sharing import together_bound


def stations_bound(problem: Capacitated) -> int:
    """What stations and splitters cost at the least, wherever they stand."""
    whole = int(problem.demand.sum())
    sizes = [size for size in problem.sizes if size.capacity > 0]
    takes = np.array([size.capacity for size in sizes])
    costs = np.array([size.cost for size in sizes])
    least = np.zeros(whole + 1, np.int64)
    for units in range(1, whole + 1):
        least[units] = (costs + least[np.maximum(0, units - takes)]).min()
    return int(least[whole]) + -(-whole // problem.ratio) * problem.splitter


def units_bound(problem: Capacitated) -> int:
    """What units cost at the least, wherever stations stand and whatever is opened."""
    away, _, _ = nearest(problem.graph.rows, problem.unit, np.arange(problem.graph.vertices) == problem.root)
    paid = sum(int(units) * int(away[t]) for units, t in zip(problem.demand, problem.terminals, strict=True))
    return -(-paid // problem.ratio)


def beside_opening(problem: Capacitated) -> int:
    """What all but opening costs at the least."""
    return max(stations_bound(problem) + units_bound(problem), together_bound(problem))
