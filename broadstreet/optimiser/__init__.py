"""The optimiser: Steiner trees in graphs, the heart of the fibre planner.

In comes a graph with a cost on each edge (`Graph`, or a `.gr` file by `read_pace`) and the vertices to be joined; out
comes a tree that joins them, as cheap as the time allows, with a lower bound for every tree there is (`solve`).
`Solver` is the same, to be asked for its best at any time.

What must always hold: the tree is one (`check_tree` says so from the definition alone, and shares nothing with the
solver); no tree costs less than the bound; the steps and their order follow from the problem and the seed, the clock
only ends them. Costs are whole numbers, of a cent or a metre; their sum stays below 2^60, so that nothing overflows.

The room is mathematics alone: no file, no clock but the one that is handed in. Hot loops are compiled (`compiled.py`).
To read it, follow `steiner.py`; `instance.py` says how a problem shrinks and how the way back is kept.
"""

from broadstreet.optimiser.graph import COST_MAX, Graph
from broadstreet.optimiser.pace import read_pace
from broadstreet.optimiser.steiner import Solution, Solver, solve
from broadstreet.optimiser.tree import check_tree

__all__ = ["COST_MAX", "Graph", "Solution", "Solver", "check_tree", "read_pace", "solve"]
