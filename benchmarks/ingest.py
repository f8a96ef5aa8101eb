"""What a benchmark of ingest is, by whichever edge: a house, a load held back by what is queryable, the figures.

Engines, the edge's role and the recorder run as in `broadstreet up`; the load comes from a process on the same
processors. The rate that counts is what was queryable when the load ended; `lag_s` is how long the rest then took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import uvloop

from benchmarks.alarms import alarms
from benchmarks.generator import Generator
from benchmarks.house import Subject, hold_back, open_house
from benchmarks.preload import preload
from benchmarks.usage import Usage, limit

SEED = 1854


class Ingest(NamedTuple):
    """
    role:  the edge's, which runs beside the recorder.
    load:  the module of the process that makes the load.
    unit:  what is counted and acknowledged, in the plural.
    task:  what the load is told beyond what every load is, by the options and the house.
    shown: what the figures repeat of the options and the load's last word, in their order.
    """

    role: str
    load: str
    unit: str
    task: Callable[[Subject, argparse.Namespace], dict[str, Any]]
    shown: tuple[str, ...]

    def options(self, seconds: float) -> argparse.ArgumentParser:
        """The options that every ingest has."""
        parser = argparse.ArgumentParser(description=f"How many {self.unit} a second are taken in by the {self.role}.")
        parser.add_argument("--seconds", type=float, default=seconds)
        parser.add_argument("--series", type=int, default=10_000)
        parser.add_argument(
            "--backlog", type=int, default=50_000, help=f"{self.unit} that may wait to be queryable; 0: any number"
        )
        parser.add_argument("--preload", type=int, default=0, help="observations that are there before")
        parser.add_argument("--subscriptions", type=int, default=0, help="alarms on readings that stand meanwhile")
        return parser

    def run(self, options: argparse.Namespace, devices: int) -> None:
        """Measure a house with so many devices, and print the figures as the last line."""
        uvloop.run(self._run(options, devices))

    async def _run(self, options: argparse.Namespace, devices: int) -> None:
        roles = [self.role, "recorder", *(["notifier"] if options.subscriptions else [])]
        async with open_house(roles, receiver_hosts="127.0.0.1") as subject:
            figures = await self._measure(subject, options, devices)
        print(json.dumps(figures))

    async def _measure(self, subject: Subject, options: argparse.Namespace, devices: int) -> dict[str, Any]:
        seconds, series = options.seconds, options.series
        logins = await subject.add_devices(devices, series)
        if options.preload:
            await preload(subject, options.preload, series)
        generator = await Generator.start(
            self.load,
            logins=logins,
            attributes=-(-series // devices),
            seconds=seconds,
            seed=SEED,
            **self.task(subject, options),
        )
        receiver = None
        if options.subscriptions:
            receiver = await alarms(subject, options.subscriptions, -(-series // devices))
        usage = Usage({**subject.heads(), "generator": [generator.pid], "benchmark": [os.getpid()]})
        holding_back = asyncio.create_task(hold_back(subject, generator, options.backlog))
        stopped = await generator.hear("stopped")
        holding_back.cancel()
        queryable = await subject.applied()
        shares = await usage.stop(seconds)
        done = await generator.hear("done")
        lag_s = await subject.caught_up(done["acknowledged"])
        await generator.end()
        heard: dict[str, Any] = {}
        if receiver is not None:
            receiver.tell(b"report []")
            heard = {"subscriptions": options.subscriptions, "alarms": (await receiver.hear("report"))["entities"]}
            receiver.tell(b"")
            await receiver.end()
        stored = await subject.stored()
        if stored != done["acknowledged"]:
            raise SystemExit(f"{done['acknowledged']} {self.unit} were acknowledged, {stored} readings are stored")
        told = {**vars(options), **done}
        return {
            f"{self.unit}_per_s": round(queryable / seconds),
            "lag_s": round(lag_s, 2),
            "rss_mb_max": round(usage.memory_bytes_max / 1_000_000),
            "rss_mb_along": [round(held / 1_000_000) for held in usage.memory_bytes_along()],
            "acknowledged_per_s": round(stopped["acknowledged"] / seconds),
            "acknowledged": done["acknowledged"],
            "stored": stored,
            **{name: told[name] for name in self.shown},
            "series": series,
            "preloaded": options.preload,
            **heard,
            "processors": shares,
            "limit": limit(shares, lag_s),
        }
