"""How long a whole city's network takes to be planned, and how that grows: Porto Alegre, a quarter, half and all of it.

    python -m benchmarks.plan_city [--dir D] [--seconds 150] [--share 1 …] [--candidates 40] [--class C+]

Streets and 1,227 hexagons are of the shared data sets: each hexagon with jobs or people is one premises, which needs a
fibre for each ten jobs and one for its people. Central offices are chosen from candidates, spread by where fibres are
needed. A share of the city is the hexagons nearest its middle and the streets around them; it is planned in a process
of its own, for that share of the seconds, and checked: `findings` are the checker's. `seconds` are of all of it, from
the files to the checked design; `memory_mb` is the most that the process ever held, Python and its packages in it;
`first_s` is when the first network stood. One core; the compiler is warm before the first."""

from __future__ import annotations

import argparse
import csv
import json
import math
import multiprocessing
import os
import resource
import time
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from broadstreet.network.design import SiteKind, Statement
from broadstreet.network.ground.architecture import default_architecture
from broadstreet.network.ground.columns import DemandColumns
from broadstreet.network.ground.inputs import DemandSource, Inputs, read_ground
from broadstreet.network.ground.optics import default_optics
from broadstreet.network.ground.premises import Needs
from broadstreet.network.plan import plan_with_drops
from broadstreet.network.proof import prove

SHARED: Final = (
    Path(os.environ.get("BROADSTREET_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    / "streets-porto-alegre"
)
SHARES: Final = (0.25, 0.5, 1.0)
EXTRACT: Final = "streets.osm.pbf"
HEXAGONS: Final = "demand_hexagons.csv"
CORNERS: Final = 48
DROP_M: Final = 300.0
"""A drop leads to a hexagon's middle."""
DEGREE_M: Final = 111_195.0
WARM_SHARE: Final = 0.1
WARM_S: Final = 1.0


def area(folder: Path, share: float) -> dict[str, Any] | None:
    """A ring about the middle of all hexagons with such a share of them inside; none for all of them."""
    if share >= 1:
        return None
    with (folder / HEXAGONS).open(encoding="utf-8", newline="") as lines:
        places = np.array([(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(lines)])
    lon, lat = places.mean(axis=0)
    east_m = DEGREE_M * math.cos(math.radians(lat))
    away_m = np.hypot((places[:, 0] - lon) * east_m, (places[:, 1] - lat) * DEGREE_M)
    radius_m = float(np.quantile(away_m, share))
    turns = [2 * math.pi * corner / CORNERS for corner in range(CORNERS)]
    ring = [[lon + radius_m * math.cos(t) / east_m, lat + radius_m * math.sin(t) / DEGREE_M] for t in turns]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def measure(folder: Path, share: float, seconds: float, candidates: int, optical_class: str) -> dict[str, Any]:
    """Plans a share of the city from its files, and checks the plan."""
    began_s = time.monotonic()
    inputs = Inputs(
        extract=EXTRACT,
        addresses=False,
        houses=False,
        demand=(DemandSource(file=HEXAGONS, columns=DemandColumns(id="id", persons="population", jobs="jobs")),),
        needs=Needs(households_per_fibre=1e5),
        office_candidates=max(2, round(candidates * share)),
        area=area(folder, share),
    )
    ground = read_ground(inputs, folder)
    ground_s = time.monotonic() - began_s
    architecture = msgspec.structs.replace(default_architecture(), optical_class=optical_class, longest_drop_m=DROP_M)
    told: list[float] = []

    def tell(_: Statement) -> None:
        told.append(time.monotonic() - began_s)

    optics, offices = default_optics(), range(len(ground.offices))
    ground, best = plan_with_drops(ground, architecture, optics, offices, seconds=seconds, on_progress=tell)
    planned_s = time.monotonic() - began_s
    findings = prove(best, ground, architecture, optics)
    return {
        "share": share,
        "premises": len(ground.premises),
        "fibres": int(ground.premises.demand.fibres.sum()),
        "ways": len(ground.ways),
        "candidates": len(ground.offices),
        "offices": sum(site.kind is SiteKind.OFFICE for site in best.design.sites),
        "cost": best.cost_cents,
        "bound": best.bound_cents,
        "gap": round(100 * best.gap, 2),
        "loss_db_max": round(max(path.loss_db for path in best.paths), 2),
        "length_m_max": round(max(path.length_m for path in best.paths)),
        "findings": len(findings),
        "ground_s": round(ground_s, 1),
        "first_s": round(told[0], 1),
        "check_s": round(time.monotonic() - began_s - planned_s, 1),
        "seconds": round(time.monotonic() - began_s, 1),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def work(answer: Queue[dict[str, Any]], options: argparse.Namespace, share: float, seconds: float) -> None:
    answer.put(measure(options.dir, share, seconds, options.candidates, options.optical_class))


def in_a_process(options: argparse.Namespace, share: float, seconds: float) -> dict[str, Any]:
    """The figures of a process of their own, whose memory is nobody else's."""
    context = multiprocessing.get_context("spawn")
    answer: Queue[dict[str, Any]] = context.Queue()
    worker = context.Process(target=work, args=(answer, options, share, seconds))
    worker.start()
    while worker.is_alive() and answer.empty():
        worker.join(0.2)
    if answer.empty():
        raise SystemExit(f"the plan of {share:g} of the city ended with {worker.exitcode}")
    found = answer.get()
    worker.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="How long a whole city's network takes to be planned.")
    parser.add_argument("--dir", type=Path, default=SHARED)
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--share", type=float, nargs="+", default=SHARES)
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--class", dest="optical_class", default="C+")
    options = parser.parse_args()
    if not (options.dir / EXTRACT).exists():
        print(f"  absent: {options.dir}; name its folder by --dir, or set BROADSTREET_SHARED_DATA")
        print(json.dumps({"shares": []}))
        return
    in_a_process(options, WARM_SHARE, WARM_S)
    told = []
    for share in options.share:
        told.append(in_a_process(options, share, options.seconds * share))
        print("  " + json.dumps(told[-1]), flush=True)
    last = {name: told[-1][name] for name in ("premises", "cost", "bound", "gap", "seconds", "memory_mb", "findings")}
    limit = "one core, the clock: trees by their walks, the first network by the first bound"
    print(json.dumps({**last, "shares": told, "limit": limit}))


if __name__ == "__main__":
    main()
