"""What is said where a budget fits nothing: what it would take, and where."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics
from broadstreet.network.ground.worth import Worth
from broadstreet.network.plan.network import Network
from broadstreet.network.plan.tree import plan_tree
from broadstreet.optimiser import nearest


@dataclass(frozen=True)
class Asked:
    """What is asked: from which offices, to whom at the most, within which budget, and what is worth how much. second:
    who is to have a second way, as `plan_fibre` has it; whoever is named is served in any case."""

    ground: Ground
    architecture: Architecture
    optics: Optics
    offices: tuple[int, ...]
    served: tuple[int, ...]
    budget_cents: int
    worth: Worth
    second: tuple[int, ...] | None
    seed: int
    clock: Callable[[], float] = time.monotonic


def refuse_needed(asked: Asked, needed: Sequence[int], least_cents: int, alone: Statement) -> NoReturn:
    """Raises BadGround: those who are served in any case cost more than the budget, by themselves."""
    what = f"what must be served costs {_money(asked, alone.cost_cents)} by itself"
    what += f", and no less than {_money(asked, max(0, least_cents))}"
    remedy = f"Raise the budget from {_money(asked, asked.budget_cents)}, or let fewer premises be critical or must."
    raise BadGround([_fault(asked, row, what, remedy) for row in needed], where="budget_cents")


def cheapest_of(asked: Asked, network: Network, rows: I8, least: I8, points: I8) -> Statement:
    """The plan for the one premises that costs least of those worth anything. least, points: by premises.

    Raises BadGround where even that is over the budget; InvalidInput where there is nobody worth anything.
    """
    graph, premises = network.graph(), asked.ground.premises
    distance, _, via = nearest(graph.rows, graph.cost, np.arange(graph.vertices) == network.front)
    bounds = distance[premises.node] + least
    best: Statement | None = None
    failed: InvalidInput | None = None
    worthy = [row for row in rows.tolist() if points[row] > 0]
    for row in sorted(worthy, key=lambda row: (int(bounds[row]), row)):
        if best is not None and bounds[row] + network.locked_cents >= best.cost_cents:
            break
        edges, at = [], int(premises.node[row])
        while (place := int(via[at])) >= 0:
            edges.append(int(graph.rows.edge[place]))
            at = int(graph.rows.head[place])
        opened, offices = network.opened(np.array(edges, np.int64))
        try:
            tried = plan_tree(asked.ground, asked.architecture, asked.optics, offices, opened, served=[row])
        except InvalidInput as error:
            failed = failed or error
            continue
        if best is None or tried.cost_cents < best.cost_cents:
            best = tried
    if best is None:
        raise failed or InvalidInput(
            "nobody who could be served is worth anything",
            where="worth",
            remedy="Give premises a weight, or weigh their fibres.",
        )
    if best.cost_cents > asked.budget_cents:
        (row,) = best.design.served
        demand = premises.demand
        what = f"nothing fits the budget of {_money(asked, asked.budget_cents)}: the cheapest plan, that for "
        what += f"{demand.labels[row] or demand.ids[row]}, costs {_money(asked, best.cost_cents)}"
        raise BadGround([_fault(asked, row, what, "Raise the budget.")], where="budget_cents")
    return best


def _fault(asked: Asked, row: int, what: str, remedy: str) -> Fault:
    demand = asked.ground.premises.demand
    return Fault(FaultKind.OVER_BUDGET, float(demand.lon[row]), float(demand.lat[row]), what, remedy)


def _money(asked: Asked, cents: int) -> str:
    return f"{cents / 100:,.2f} {asked.ground.catalogue.currency}"
