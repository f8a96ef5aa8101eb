"""Runs every test on two processes, and says what each kind took and how much of each room the tests reach."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict

from tools.steps import ROOT, VENV_PYTHON

WORKERS = 2
PYTEST = (str(VENV_PYTHON), "-m", "pytest", "-p", "tests.kinds", "-q", "-n", str(WORKERS), "--dist", "loadgroup")
COVERAGE = ("--cov", "--cov-report=")
LEAST_REACHED = 0.94
"""Of the lines, by the tests' own processes; what only a child process reaches is not seen. It only ever rises."""


def covered() -> dict[str, tuple[int, int]]:
    """Lines reached and lines there are, by room, from the run just made."""
    command = [str(VENV_PYTHON), "-m", "coverage", "json", "--quiet", "-o", "-"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rooms: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for path, file in json.loads(answer.stdout)["files"].items():
        parts = path.split("/")
        if len(parts) == 2 and parts[0] == "broadstreet":
            continue  # the package's own docstring, which is read before anything is counted
        room = parts[1] if parts[0] == "broadstreet" else parts[0]
        reached, there = rooms[room]
        summary = file["summary"]
        rooms[room] = (reached + summary["covered_lines"], there + summary["num_statements"])
    return dict(rooms)


def main() -> None:
    began = time.perf_counter()
    ended = subprocess.run([*PYTEST, *COVERAGE, *sys.argv[1:]], cwd=ROOT, check=False)
    rooms = covered()
    reached, there = (sum(column) for column in zip(*rooms.values(), strict=True))
    print(f"\nlines reached by the tests: {reached / there:.1%} of {there}")
    print("  " + "  ".join(f"{room} {r / max(t, 1):.0%}" for room, (r, t) in sorted(rooms.items())))
    took_s = time.perf_counter() - began
    print(f"tests took {took_s // 60:.0f} min {took_s % 60:.0f} s on {WORKERS} processes")
    if ended.returncode == 0 and reached / there < LEAST_REACHED:
        sys.exit(f"the tests reach less than {LEAST_REACHED:.0%} of the lines")
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
