"""From a ground to a network of fibres: where closures and cabinets stand, which cable lies where, what is spliced to
what; its bill, each path's loss, and a bound that no plan costs less than.

In comes a `Ground` with an `Architecture`, `Optics`, central offices; out comes a `Statement`. `plan_fibre` seeks trees
of ways from the offices, with a bound; `plan_with_drops` decides first to which ways drops lead (`drops`); `plan_tree`
is given its trees. To read it, follow `tree.py`: `stations` places closures and cabinets by a dynamic programme
(`gathering`), `building` makes pieces of them, `laying` leads cables along a tree, `ducts` puts them into ducts,
`light` follows each path back from its socket, `pricing` and `bound` count. Where some are reached twice, `ringed`
seeks ways for both and parts them into two sets of trees. With a budget, `choosing` decides whom to serve, by what each
is worth, with a bound on that; `phases` says what is built when, where each year has one.

What must always hold: every socket has one path to one port; no piece is fuller than its size and its spare share
allow; what the terms spend sums to the cost, and each bounds it; equal inputs give equal designs. What cannot be built
so is refused, with the premises it fails for.
"""

from broadstreet.network.plan.bound import way_cents
from broadstreet.network.plan.fibre import plan_fibre
from broadstreet.network.plan.leading import plan_with_drops
from broadstreet.network.plan.phases import phase_plan
from broadstreet.network.plan.second import Second, lone_premises
from broadstreet.network.plan.tree import Crowded, plan_tree

__all__ = [
    "Crowded",
    "Second",
    "lone_premises",
    "phase_plan",
    "plan_fibre",
    "plan_tree",
    "plan_with_drops",
    "way_cents",
]
