"""A house under trial stands on the disk, wherever the other tests' files are (`tools/scratch.py`).

Where no flush waits, the load that is put on it takes all the processor there is, and a house is long in starting.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

DISK = Path("/var/tmp")
"""Temporary files that outlast a start of the machine: never in memory."""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty folder on the disk, with a short path."""
    path = Path(tempfile.mkdtemp(prefix="broadstreet-", dir=DISK))
    yield path
    shutil.rmtree(path)
