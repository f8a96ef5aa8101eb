"""A pytest plugin that sums a run up by kind of test: how many, how they went, how long they took.

The kind is the folder under `tests/`. Load it with `-p tests.kinds`; `make test` does. `--absences FILE` also leaves
there, as JSON, what some tests needed and did not find on this machine.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.absence import absences


@dataclass
class Kind:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    took_s: float = 0.0


def kind_of(node_id: str) -> str:
    """`unit` for `tests/unit/test_clock.py::test_…`."""
    parts = node_id.split("::")[0].split("/")
    return parts[1] if len(parts) > 2 else parts[0]


def by_kind(reports: list[pytest.TestReport]) -> dict[str, Kind]:
    """Sums up set-up, call and tear-down of every test; a test that fails in any of them has failed."""
    kinds: dict[str, Kind] = defaultdict(Kind)
    for report in reports:
        kind = kinds[kind_of(report.nodeid)]
        kind.took_s += report.duration
        kind.passed += report.when == "call" and report.passed
        kind.failed += report.failed
        kind.skipped += report.skipped
    return dict(kinds)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--absences", type=Path, help="Where to leave, as JSON, what tests did not find on this machine.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [r for rs in terminalreporter.stats.values() for r in rs if isinstance(r, pytest.TestReport)]
    terminalreporter.section("tests by kind")
    for name, kind in sorted(by_kind(reports).items()):
        went = f"{kind.passed:>5} passed {kind.failed:>4} failed {kind.skipped:>4} skipped"
        terminalreporter.line(f"{name:<12} {went} {kind.took_s:>8.1f} s")
    file: Path | None = config.getoption("--absences")
    if file is not None:
        file.write_text(json.dumps(absences(reports)), encoding="utf-8")
