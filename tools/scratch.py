"""Where the tests' engines and houses keep their files: in memory where there is room, else on the disk.

A disk that flushes takes longer than most tests: to drop one test's database PostgreSQL flushes some hundred files. In
memory all is as it was, every flush among it, and none waits. What a power cut leaves is tested on an image that has a
file system of its own (`tests/crash/image.py`), and a house under trial stands on the disk.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
"""The file system in memory that Linux has; in a container it is often too small."""
ROOM_BYTES = 4 * 1024**3
"""Five times what a whole run was seen to keep there at once."""
PREFIX = "broadstreet-tests-"
LOCK = "lock"


@contextmanager
def scratch(memory: Path = MEMORY, room_bytes: int = ROOM_BYTES) -> Iterator[dict[str, str]]:
    """The environment of a process whose temporary files go where they are quick; they are gone afterwards.

    room_bytes: how much must be free, in `memory` and in the machine's memory.
    """
    folder = _in_memory(memory, room_bytes)
    if folder is None:
        yield dict(os.environ)
        return
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield {**os.environ, "TMPDIR": str(folder)}
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _in_memory(memory: Path, room_bytes: int) -> Path | None:
    """A new folder in memory, if there is room; what runs that were killed left there is removed first."""
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        return None
    for left in memory.glob(f"{PREFIX}*"):
        if not _in_use(left):
            shutil.rmtree(left, ignore_errors=True)
    if min(shutil.disk_usage(memory).free, psutil.virtual_memory().available) < room_bytes:
        return None
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))


def _in_use(folder: Path) -> bool:
    """Whether a run holds this folder, or is just making it."""
    try:
        with (folder / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # no lock yet, or it is held
        return True
    return False
