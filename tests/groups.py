"""A pytest plugin that hands tests out to processes by what they share: a file by file, all of the browser's together.

A file's tests share its house, which is made once where one process runs them all; the browser's share a demonstration
city. pytest-xdist's own `loadgroup` does not group with pytest 9.2, and does not say so (pytest-xdist issue 1386). Load
it with `-p tests.groups`; `make test` does.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

TOGETHER = ("tests/browser/",)
"""Folders of which one process runs all."""


def group_of(node_id: str) -> str:
    """What a test is handed out with."""
    path = node_id.partition("::")[0]
    return next((folder for folder in TOGETHER if path.startswith(folder)), path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One that hands out a group as a whole, to the first process that has little left to do."""
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = group_of
    return scheduler
