"""What an earlier life left running: found by what it works on, and ended before a new life begins.

On Linux the leash leaves nothing behind, but it does not exist everywhere, and a PostgreSQL whose postmaster was
killed needs a moment until its other processes have noticed. Only called while we hold the data folder's lock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import psutil

GRACE_S = 5.0
POLL_S = 0.02
logger = logging.getLogger(__name__)


def find(name: str, belongs: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """Running processes with this program name that belong to us."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == name and process.status() != psutil.STATUS_ZOMBIE and belongs(process):
                found.append(process)
        except psutil.Error:
            continue
    return found


async def end(name: str, belongs: Callable[[psutil.Process], bool], sent: int) -> None:
    """End them with a signal, and with SIGKILL those that do not listen."""
    left = find(name, belongs)
    if not left:
        return
    logger.warning("ending what an earlier life left: %s", ", ".join(f"{name} {process.pid}" for process in left))
    for signal_number in (sent, 9):
        for process in left:
            try:
                process.send_signal(signal_number)
            except psutil.NoSuchProcess:
                continue
        deadline = asyncio.get_running_loop().time() + GRACE_S
        while left and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(POLL_S)
            left = [process for process in left if process.is_running() and _alive(process)]


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
