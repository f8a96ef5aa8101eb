"""How many readings a second are taken in over HTTP, in batches of 1,000: acknowledged and queryable in PostgreSQL.

    python -m benchmarks.ingest_http --seconds 30 [--batch 1000] [--connections 8] [--devices 200] [--series 10000]

Engines, API and recorder run as in `broadstreet up`; the load comes from a process on the same processors. It holds
back while more than `--backlog` readings are not yet queryable. `readings_per_s` counts what was queryable when the
load ended; `lag_s` is how long the rest then took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from typing import Any

import uvloop

from benchmarks.generator import Generator
from benchmarks.house import Subject, hold_back, open_house
from benchmarks.usage import Usage, limit

SEED = 1854


async def measure(subject: Subject, options: argparse.Namespace) -> dict[str, Any]:
    """Load the house; answers the figures."""
    seconds, devices, series = options.seconds, options.devices, options.series
    logins = await subject.add_devices(devices, series)
    generator = await Generator.start(
        "benchmarks.http_load",
        port=subject.http_port,
        logins=logins,
        attributes=-(-series // devices),
        batch=options.batch,
        connections=options.connections,
        seconds=seconds,
        seed=SEED,
    )
    usage = Usage({**subject.heads(), "generator": [generator.pid], "benchmark": [os.getpid()]})
    holding_back = asyncio.create_task(hold_back(subject, generator, options.backlog))
    stopped = await generator.hear("stopped")
    holding_back.cancel()
    queryable = await subject.applied()
    shares = await usage.stop(seconds)
    done = await generator.hear("done")
    lag_s = await subject.caught_up(done["acknowledged"])
    await generator.end()
    stored = await subject.stored()
    if stored != done["acknowledged"]:
        raise SystemExit(f"{done['acknowledged']} readings were acknowledged, {stored} are stored")
    return {
        "readings_per_s": round(queryable / seconds),
        "lag_s": round(lag_s, 2),
        "rss_mb_max": round(usage.memory_bytes_max / 1_000_000),
        "acknowledged_per_s": round(stopped["acknowledged"] / seconds),
        "acknowledged": done["acknowledged"],
        "stored": stored,
        "batch": options.batch,
        "connections": options.connections,
        "series": series,
        "processors": shares,
        "limit": limit(shares, lag_s),
    }


async def run(options: argparse.Namespace) -> None:
    async with open_house(["api", "recorder"]) as subject:
        figures = await measure(subject, options)
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description="How many readings a second are taken in over HTTP.")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--connections", type=int, default=8, help="requests at once")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--backlog", type=int, default=50_000, help="readings that may wait to be queryable")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
