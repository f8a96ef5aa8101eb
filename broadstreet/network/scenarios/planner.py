"""A task in a process of its own: started, followed by what it writes, stopped with the best there is, or ended.

Planning keeps a processor busy, and its loops are compiled: in a role it would keep everyone waiting. The process is on
a leash, so it ends with the role, however that ended.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from broadstreet.engines import Child
from broadstreet.log.ending import to_the_end
from broadstreet.network.proof import Finding
from broadstreet.network.scenarios.scenario import Better, Outcome, Stage
from broadstreet.network.scenarios.siting import SitingFigures
from broadstreet.network.scenarios.trouble import Trouble

PROGRAM: Final = "broadstreet.network.scenarios"
POLL_S: Final = 0.2
STOP_S: Final = 3.0
ONE_CORE: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_MAX_WORDS: Final = 300


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a task's progress: another stage, or a better plan."""

    stage: Stage = ""
    better: Better | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a task: figures of a plan and what the checker found, or figures of sensors' sites; or what was
    wrong. was_killed: whether the process was killed by somebody else, such as a kernel that is short of memory."""

    outcome: Outcome | None = None
    figures: SitingFigures | None = None
    findings: tuple[Finding, ...] = ()
    trouble: Trouble | None = None
    was_killed: bool = False


class Following(msgspec.Struct, kw_only=True):
    """How far a task is."""

    stage: Stage = ""
    progress: list[Better] = []


Say = Callable[[Following], Awaitable[bool]]
"""Told every now and then how far it is; answers whether it is to stop with the best there is."""


async def carry_out(folder: Path, what: Literal["ground", "plan", "papers", "sensors"], say: Say) -> Result:
    """Do the task of a folder. Whoever cancels this ends the process."""
    env = {**os.environ, **ONE_CORE}
    starting = asyncio.ensure_future(
        Child.spawn_module("planner", PROGRAM, folder, what, log_path=folder / "words", env=env)
    )
    following, read, is_stopped = Following(), 0, False
    try:
        child = await asyncio.shield(starting)
        while child.exit_code is None:
            try:
                async with asyncio.timeout(POLL_S):
                    await child.wait()
            except TimeoutError:
                pass  # it goes on: look how far it is
            read += _follow(folder / "progress", read, following)
            is_wanted = await say(following)
            # Before it has said a word it does not listen to signals yet.
            if is_wanted and following.stage and not is_stopped:
                is_stopped = True
                child.send(signal.SIGINT)
    finally:
        await to_the_end(_ended(starting))
    try:
        return msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)
    except FileNotFoundError:
        words = child.words().splitlines()[-1:] or ["it said nothing"]
        told = f"the process that planned ended with {child.exit_code}: {words[0][:_MAX_WORDS]}"
        trouble = Trouble(detail=told, remedy="Plan a smaller area, or see the house's log.", status=500)
        return Result(trouble=trouble, was_killed=child.exit_code == -signal.SIGKILL)


async def _ended(starting: asyncio.Future[Child]) -> None:
    """Ends a process, if need be as soon as it has started."""
    child = await starting
    await child.stop((signal.SIGTERM, STOP_S))


def _follow(path: Path, begin: int, following: Following) -> int:
    """Read whole lines that came after a place; answers how many bytes they have."""
    try:
        with path.open("rb") as file:
            file.seek(begin)
            data = file.read()
    except FileNotFoundError:
        return 0
    whole = data[: data.rfind(b"\n") + 1]
    for text in whole.splitlines():
        line = msgspec.json.decode(text, type=Line)
        if line.better is not None:
            following.progress.append(line.better)
        else:
            following.stage = line.stage
    return len(whole)
