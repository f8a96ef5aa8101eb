"""How near to the best, and how surely, Steiner trees are found: the instances of the PACE challenge of 2018.

    python -m benchmarks.steiner [--dir D] [--seconds N] [--only GLOB] [--plain-seconds 20]

Without `--dir` the two archives of the shared data sets are unpacked into a temporary folder: track 1 (few terminals,
to be solved exactly) at 120 s each, track 3 (many terminals, real telecom networks among them) at 60 s each. With it,
a folder of `.gr` files and an `optima.csv` beside them: name, lower, upper (or name, optimum), with a line of
headings.

One instance at a time, on one core; the compiler is warm before the first. Every tree is checked by `check_tree`,
which shares nothing with the solver. In per cent: `gap` is what the tree costs over the known optimum, or over the
best known tree where the optimum is open (`gap_to_lower` over the known lower bound); `bound_gap` is what our own
bound lacks to the known optimum or lower bound. Beside it the trees of networkx, by Mehlhorn's and by Kou's
algorithm, in the same run, where they end within `--plain-seconds`."""

from __future__ import annotations

import argparse
import csv
import fnmatch
import json
import multiprocessing
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import networkx
import numpy as np

from broadstreet.optimiser import Graph, check_tree, read_pace, solve

SHARED: Final = (
    Path(os.environ.get("BROADSTREET_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")) / "steiner-pace2018"
)
TRACKS: Final = {"track1": 120.0, "track3": 60.0}
METHODS: Final = ("mehlhorn", "kou")
WARM: Final = "SECTION Graph\nNodes 6\nEdges 9\n{}END\nSECTION Terminals\nTerminals 3\nT 1\nT 4\nT 6\nEND\nEOF\n"


class Known(msgspec.Struct, frozen=True):
    """What is known of an instance: file, seconds it gets, and between which costs its optimum is."""

    path: Path
    name: str
    seconds: float
    lower: int
    upper: int


def read_known(folder: Path, csv_file: Path, seconds: float, prefix: str = "") -> Iterator[Known]:
    """The instances of a folder that a table of optima names."""
    with csv_file.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines):
            if len(row) < 2 or not row[1].strip().isdigit():
                continue  # its headings
            path = folder / (row[0] if row[0].endswith(".gr") else f"{row[0]}.gr")
            if not path.exists():
                raise SystemExit(f"{csv_file} names {row[0]}, and there is no {path}")
            yield Known(path, f"{prefix}{path.stem}", seconds, int(row[1]), int(row[-1]))


def unpacked(folder: Path) -> Iterator[Known]:
    """Both tracks of the shared data, each in a folder of its own: their names clash."""
    for track, seconds in TRACKS.items():
        archive = SHARED / f"{track}.tar.gz"
        (folder / track).mkdir()
        with tarfile.open(archive) as packed:
            packed.extractall(folder / track, filter="data")
        yield from read_known(folder / track, SHARED / f"{track}-optima.csv", seconds, f"{track}/")


def plain_tree(graph: Graph, terminals: list[int], method: str, answer: Any) -> None:
    """What networkx's tree costs, put into the queue."""
    plain = networkx.Graph()
    for u, v, c in zip(graph.left.tolist(), graph.right.tolist(), graph.cost.tolist(), strict=True):
        if not plain.has_edge(u, v) or plain[u][v]["weight"] > c:
            plain.add_edge(u, v, weight=c)
    tree = networkx.algorithms.approximation.steiner_tree(plain, terminals, weight="weight", method=method)
    answer.put(int(tree.size(weight="weight")))


def plain_cost(graph: Graph, terminals: list[int], method: str, seconds: float) -> int | None:
    """What networkx's tree costs; None where it takes longer."""
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    worker = context.Process(target=plain_tree, args=(graph, terminals, method, answer))
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        worker.kill()
        worker.join()
        return None
    return int(answer.get()) if worker.exitcode == 0 else None


def per_cent(part: float, whole: float) -> float:
    return round(100 * part / max(1, whole), 4)


def measure(known: Known, plain_seconds: float) -> dict[str, Any]:
    graph, terminals = read_pace(known.path.read_text(encoding="utf-8"), known.path.name)
    began_s = time.monotonic()
    solution = solve(graph, terminals, seconds=known.seconds)
    took_s = time.monotonic() - began_s
    cost = check_tree(graph, terminals, solution.edges)
    if cost != solution.cost or solution.bound > known.upper or cost < known.lower:
        raise SystemExit(f"{known.name}: {solution.bound} to {cost} cannot be, {known.lower} to {known.upper} is known")
    figures: dict[str, Any] = {
        "name": known.name,
        "cost": cost,
        "bound": solution.bound,
        "seconds": round(took_s, 2),
        "optimal": solution.is_optimal,
        "gap": per_cent(cost - known.upper, known.upper),
        "gap_to_lower": per_cent(cost - known.lower, known.lower),
        "bound_gap": per_cent(known.lower - solution.bound, known.lower),
    }
    if plain_seconds > 0:
        for method in METHODS:
            found = plain_cost(graph, terminals.tolist(), method, plain_seconds)
            figures[f"{method}_gap"] = None if found is None else per_cent(found - known.upper, known.upper)
    return figures


def summary(told: list[dict[str, Any]]) -> dict[str, Any]:
    gaps = [one["gap"] for one in told]
    figures: dict[str, Any] = {
        "instances": len(told),
        "proven_optimal": sum(one["optimal"] for one in told),
        "gap_mean": round(float(np.mean(gaps)), 4),
        "gap_max": max(gaps),
        "gap_to_lower_mean": round(float(np.mean([one["gap_to_lower"] for one in told])), 4),
        "bound_gap_mean": round(float(np.mean([one["bound_gap"] for one in told])), 4),
        "seconds_mean": round(float(np.mean([one["seconds"] for one in told])), 2),
    }
    for method in METHODS:
        found = [one[f"{method}_gap"] for one in told if one.get(f"{method}_gap") is not None]
        if found:
            figures[f"{method}_gap_mean"] = round(float(np.mean(found)), 4)
            figures[f"{method}_ended"] = len(found)
    return figures


def warm() -> float:
    """Let everything be compiled, or be read from where it was kept. How long that took."""
    began_s = time.monotonic()
    ring = [(v, v % 6 + 1, 3 + v % 2) for v in range(1, 7)] + [(1, 4, 9), (2, 5, 2), (3, 6, 5)]
    graph, terminals = read_pace(WARM.format("".join(f"E {u} {v} {c}\n" for u, v, c in ring)))
    solve(graph, terminals, seconds=60)
    return time.monotonic() - began_s


def run(options: argparse.Namespace, folder: Path) -> None:
    if options.dir is None and not SHARED.exists():
        print(f"  absent: {SHARED}; name a folder of instances by --dir, or set BROADSTREET_SHARED_DATA")
        print(json.dumps({"instances": 0}))
        return
    if options.dir is None:
        chosen = list(unpacked(folder))
    else:
        chosen = list(read_known(options.dir, options.dir / "optima.csv", TRACKS["track3"]))
    chosen = [known for known in chosen if fnmatch.fnmatch(known.name, options.only)]
    if not chosen:
        raise SystemExit(f"no instance has a name like {options.only}")
    print(f"  {len(chosen)} instances; compiled in {warm():.1f} s", flush=True)
    told = []
    for known in chosen:
        given = known if options.seconds is None else msgspec.structs.replace(known, seconds=options.seconds)
        told.append(measure(given, options.plain_seconds))
        print("  " + json.dumps(told[-1]), flush=True)
    tracks = sorted({one["name"].partition("/")[0] for one in told if "/" in one["name"]})
    parts = {track: summary([one for one in told if one["name"].startswith(f"{track}/")]) for track in tracks}
    limit = "one core, the clock; proof by the count of cases, trees by that of polished ones"
    print(json.dumps({**summary(told), **parts, "each": told, "limit": limit}))


def main() -> None:
    parser = argparse.ArgumentParser(description="How near to the best, and how surely, Steiner trees are found.")
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only", default="*")
    parser.add_argument("--plain-seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="broadstreet-") as name:
        run(options, Path(name))


if __name__ == "__main__":
    main()
