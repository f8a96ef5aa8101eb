"""The optimiser: Steiner trees in graphs, the heart of the fibre planner.

In comes a graph with a cost on each edge (`Graph`, or a `.gr` file by `read_pace`) and the vertices to be joined; out
comes a tree that joins them, as cheap as the time allows, with a lower bound for every tree there is (`solve`).
`Solver` is the same, to be asked for its best at any time. Where not all need be joined, and each has a prize instead,
`collect` weighs prizes against edges (`prize.py`), and `Spender` buys what is worth most within a budget (`budget.py`).
Where everyone must be near enough to a root, of which some are opened, `reaching` makes a forest of a tree. Where some
are to be reached by two ways that share no edge, `solve_rings` finds edges for that, and a bound for all such
(`rings.py`); `apart` parts them into two trees, one for the first ways and one for the second. Where everyone hangs on
a station with room for him, and stations on a root, `solve_stations` seeks edges and stations together
(`capacitated.py`), exactly where the problem is small.

What must always hold: the tree is one (`check_tree` says so from the definition alone, and shares nothing with the
solver, nor do `check_rings` and `check_stations`); none costs less than the bound; the steps and their order follow
from the problem and the seed, the clock only ends them. Costs are whole numbers, of a cent or a metre; their sum stays
below 2^60, so that nothing overflows.

The room is mathematics alone: no file, no clock but the one that is handed in. Hot loops are compiled (`compiled.py`).
To read it, follow `steiner.py`; `instance.py` says how a problem shrinks and how the way back is kept.
"""

from broadstreet.optimiser.apart import apart
from broadstreet.optimiser.bridges import sole_edges
from broadstreet.optimiser.budget import Bought, Lots, OverBudget, Spender
from broadstreet.optimiser.capacitated import Capacitated, Size, Station, Stationed, check_stations
from broadstreet.optimiser.graph import COST_MAX, Graph
from broadstreet.optimiser.pace import read_pace
from broadstreet.optimiser.paths import nearest
from broadstreet.optimiser.prize import Collected, Collector, collect
from broadstreet.optimiser.reaching import Forest, Reaching, distances, reaching
from broadstreet.optimiser.rings import RingSolver, solve_rings
from broadstreet.optimiser.schedule import Early, Needs, relax
from broadstreet.optimiser.stations import StationSolver, solve_stations
from broadstreet.optimiser.steiner import Solution, Solver, solve
from broadstreet.optimiser.tree import check_tree
from broadstreet.optimiser.twice import check_rings

__all__ = [
    "COST_MAX",
    "Bought",
    "Capacitated",
    "Collected",
    "Collector",
    "Early",
    "Forest",
    "Graph",
    "Lots",
    "Needs",
    "OverBudget",
    "Reaching",
    "RingSolver",
    "Size",
    "Solution",
    "Solver",
    "Spender",
    "Station",
    "StationSolver",
    "Stationed",
    "apart",
    "check_rings",
    "check_stations",
    "check_tree",
    "collect",
    "distances",
    "nearest",
    "reaching",
    "read_pace",
    "relax",
    "sole_edges",
    "solve",
    "solve_rings",
    "solve_stations",
]
