"""Runs every test on three processes, and says what each kind took and how much of each room the tests reach."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil

from tools.scratch import scratch
from tools.steps import ROOT, VENV_PYTHON

WORKERS = 3
"""On two cores: a test waits for a third of its time, for the disk, a browser or a moment."""
PYTEST = (
    *(str(VENV_PYTHON), "-m", "pytest", "-p", "tests.kinds", "-p", "tests.groups", "-p", "tests.tracing", "-q"),
    *("-n", str(WORKERS), "--no-loadscope-reorder", "--max-worker-restart", "0"),
)
"""A worker that dies ends the run: one started in its place near the end would wait for ever for a second test."""
COVERAGE = ("--cov", "--cov-report=")
LEAST_REACHED = 0.94
"""Of the lines, by the tests' own processes; what only a child process reaches is not seen. It only ever rises. It
holds where every test could run: not on a machine that lacks what some of them need."""
LONGEST_S = 60 * 60
"""Four times what two cores take. One test has its own limit (`timeout` in pyproject.toml); this is for what hangs
outside any, so that a run ends with its reason rather than with the patience of whoever waits for it."""


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


def too_little(share: float, absent: dict[str, int]) -> str | None:
    """What is wrong with the share of lines that a good run reached. absent: tests not run, by what was not here."""
    if share >= LEAST_REACHED or absent:
        return None
    return f"the tests reach less than {LEAST_REACHED:.0%} of the lines"


def end(pytest: psutil.Process) -> int:
    """End a run that does not end, after each of its processes has written where it stands. The exit code: failed."""
    print(f"\nthe tests have not ended after {LONGEST_S // 60} min; where each process stands:", flush=True)
    processes = [*pytest.children(), pytest]
    for process in processes:
        process.send_signal(signal.SIGABRT)  # which pytest's fault handler answers with a stack of every thread
    _, standing = psutil.wait_procs(processes, timeout=10)
    for process in standing:
        process.kill()
    return 1


def run_tests() -> tuple[int, dict[str, int]]:
    """pytest's exit code, and how many tests did not run for want of what."""
    with tempfile.TemporaryDirectory() as folder, scratch() as environment:
        file = Path(folder) / "absences.json"
        command = [*PYTEST, *COVERAGE, "--absences", str(file), *sys.argv[1:]]
        with subprocess.Popen(command, cwd=ROOT, env=environment) as pytest:
            try:
                code = pytest.wait(LONGEST_S)
            except subprocess.TimeoutExpired:
                code = end(psutil.Process(pytest.pid))
        return code, json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def main() -> None:
    began = time.perf_counter()
    code, absent = run_tests()
    rooms = covered()
    reached, there = (sum(column) for column in zip(*rooms.values(), strict=True))
    print(f"\nlines reached by the tests: {reached / there:.1%} of {there}")
    print("  " + "  ".join(f"{room} {r / max(t, 1):.0%}" for room, (r, t) in sorted(rooms.items())))
    took_s = time.perf_counter() - began
    print(f"tests took {took_s // 60:.0f} min {took_s % 60:.0f} s on {WORKERS} processes")
    for what, count in absent.items():
        print(f"  {count} tests did not run: {what}")
    if absent:
        print(f"so this run need not reach {LEAST_REACHED:.0%} of the lines, as a whole one must")
    sys.exit(code or too_little(reached / there, absent) or 0)


if __name__ == "__main__":
    main()
