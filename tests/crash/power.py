"""`python -m tests.crash.power --seeds N`: N power cuts under load, on an image of a disk, and what was found.

A house runs on a mounted image under load; at a moment that the seed chooses its processes stand still and the power is
cut (see image.py), they are killed, the image is copied, and the house starts from the copy. The devices go on, and the
ledger of all that was acknowledged is compared with what is there. It needs root, and a kernel that mounts images.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import psutil
import uvloop

from tests.crash.house import TrialHouse, free_port
from tests.crash.image import Image, can_mount
from tests.crash.load import Load
from tests.crash.trial import acknowledged, go_on_and_settle, register, something_waits, verdict_of
from tests.crash.verdict import Verdict

DISK_BYTES: Final = 8_000_000_000
"""Sparse: an image takes what is written."""
CUT_AFTER: Final = (1_000, 8_000)
"""Between how many acknowledged messages the cut falls."""
CUT_WITHIN_S: Final = 0.5
"""How long after that it falls at most: anywhere between two packs and two commits."""
GONE_S: Final = 10.0
POLL_S: Final = 0.0005
STANDING: Final = frozenset("TDZ")
"""Stopped, within a call that nothing interrupts, or ended."""


@dataclass(frozen=True)
class Outcome:
    """What a cut left. unanswered: messages under way when it came. ready_s: from the start on the copy."""

    seed: int
    verdict: Verdict
    before: int
    unanswered: int
    ready_s: float


class PoweredHouse(TrialHouse):
    """A house on an image."""

    def __init__(self, image: Image) -> None:
        super().__init__(image.place / "data", free_port)
        self._image = image

    async def cut(self) -> None:
        """Cut the power under it, and end what ran."""
        assert self._supervisor is not None
        supervisor = psutil.Process(self._supervisor.pid)
        family = [supervisor, *supervisor.children(recursive=True)]
        await asyncio.to_thread(stand_still, family)
        self._image.cut()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await self._supervisor.wait()
        await asyncio.to_thread(psutil.wait_procs, family, timeout=GONE_S)
        await asyncio.to_thread(self._image.unmount)
        await asyncio.to_thread(self._image.replace_by_copy)
        await asyncio.to_thread(self._image.mount)


def stand_still(family: Sequence[psutil.Process]) -> None:
    """
    Let no process say anything any more, as when the power is gone.

    The kernel's shutdown of a file system takes up to a tenth of a second, and an fsync that ends meanwhile may say
    that it succeeded while its journal never reached the image: an acknowledgement would follow that no house without
    power can send. Whoever is within a call of the kernel's ends it, and stands still then.
    """
    for process in family:
        process.suspend()
    until_s = time.monotonic() + GONE_S
    while not all(state in STANDING for process in family for state in _states(process)):
        assert time.monotonic() < until_s, "a process does not stop"
        time.sleep(POLL_S)


def _states(process: psutil.Process) -> Iterator[str]:
    """Of its threads, the letters of proc(5)."""
    for stat in Path(f"/proc/{process.pid}/task").glob("*/stat"):
        yield stat.read_text().rpartition(")")[2].split()[0]


async def run_cut(seed: int) -> Outcome:
    """Run one seed on an image of its own; nothing is left of it."""
    chance = Random(seed)
    with TemporaryDirectory(prefix="broadstreet-power-") as folder:
        image = Image(Path(folder), DISK_BYTES)
        image.mount()
        house = PoweredHouse(image)
        try:
            await house.up()
            devices = await register(house.addresses.postgres_dsn)
            load = Load(devices, house.settings.mqtt.port)
            load.start()
            try:
                await acknowledged(load, chance.randint(*CUT_AFTER))
                await asyncio.sleep(chance.uniform(0, CUT_WITHIN_S))
                await something_waits(load)
                before, unanswered = load.acknowledged, load.waiting
                await house.cut()
                began_s = time.monotonic()
                await house.up()
                ready_s = time.monotonic() - began_s
                await go_on_and_settle(load)
            finally:
                await load.stop()
            verdict = await verdict_of(house, devices)
            return Outcome(seed, verdict, before, unanswered, ready_s)
        finally:
            await house.end()
            image.unmount()


def main() -> None:
    """Cut; the last line is a JSON object. Status 1 if anything was lost or applied twice, 2 where nothing mounts."""
    arguments = argparse.ArgumentParser(prog="python -m tests.crash.power", description=main.__doc__)
    arguments.add_argument("--seeds", type=int, default=20, metavar="N", help="how many cuts")
    arguments.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    given = arguments.parse_args()
    if not can_mount():
        print("This machine does not let us mount an image of a disk: it takes root and loop devices.")
        sys.exit(2)
    outcomes = []
    for seed in range(given.first, given.first + given.seeds):
        outcomes.append(uvloop.run(run_cut(seed)))
        show(outcomes[-1])
    summary = {
        "seeds": len(outcomes),
        "acknowledged_min": min((outcome.verdict.acknowledged for outcome in outcomes), default=0),
        "acknowledged_before_cut_min": min((outcome.before for outcome in outcomes), default=0),
        "unanswered_at_cut": sum(outcome.unanswered for outcome in outcomes),
        "lost": sum(outcome.verdict.lost for outcome in outcomes),
        "duplicated": sum(outcome.verdict.duplicated for outcome in outcomes),
        "ready_s_max": round(max((outcome.ready_s for outcome in outcomes), default=0.0), 2),
    }
    print(json.dumps(summary))
    sys.exit(bool(summary["lost"] or summary["duplicated"]))


def show(outcome: Outcome) -> None:
    """One line a cut, and what was wrong."""
    verdict = outcome.verdict
    print(
        f"seed {outcome.seed:>3}: cut after {outcome.before:,} acknowledged, {outcome.unanswered} under way: ready in "
        f"{outcome.ready_s:.2f} s, {verdict.acknowledged:,} acknowledged, {verdict.lost} lost, "
        f"{verdict.duplicated} twice",
        flush=True,
    )
    for words in verdict.words:
        print(f"          {words}")


if __name__ == "__main__":
    main()
