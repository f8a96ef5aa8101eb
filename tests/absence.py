"""What a test needs that neither the repository nor its packages bring: a browser, a broker's tools, real data sets.

A test that skips for want of such a thing says so by `absent`, and a run in which some did is not held to what a whole
run reaches (`tools/suite.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

PREFIX = "absent: "


def absent(what: str) -> str:
    """The reason of a skip. what: what is not here, and how to get it."""
    return PREFIX + what


def absences(reports: Iterable[pytest.TestReport]) -> dict[str, int]:
    """What was not here, and how many tests that kept from running."""
    found: dict[str, int] = {}
    for report in reports:
        if report.skipped and isinstance(report.longrepr, tuple):
            _, marked, what = report.longrepr[2].partition(PREFIX)
            if marked:
                found[what] = found.get(what, 0) + 1
    return found
