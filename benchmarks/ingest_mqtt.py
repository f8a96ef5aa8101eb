"""How many MQTT messages a second are taken in, QoS 1, one reading each: acknowledged and queryable in PostgreSQL.

    python -m benchmarks.ingest_mqtt --seconds 60 [--connections 200] [--series 10000] [--window 100] [--backlog 50000]

Engines, gateway and recorder run as in `broadstreet up`; the load comes from a process on the same processors. The
gateway takes in several times what can be written to PostgreSQL, and would keep the recorder from its work; so the load
holds back while more than `--backlog` acknowledged messages are not yet queryable (0: it never does). `messages_per_s`
counts what was queryable at the moment the load ended; `lag_s` is how long the rest then took.
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
    seconds, connections, series = options.seconds, options.connections, options.series
    logins = await subject.add_devices(connections, series)
    generator = await Generator.start(
        "benchmarks.mqtt_load",
        port=subject.mqtt_port,
        logins=logins,
        attributes=-(-series // connections),
        window=options.window,
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
        raise SystemExit(f"{done['acknowledged']} messages were acknowledged, {stored} readings are stored")
    return {
        "messages_per_s": round(queryable / seconds),
        "lag_s": round(lag_s, 2),
        "rss_mb_max": round(usage.memory_bytes_max / 1_000_000),
        "acknowledged_per_s": round(stopped["acknowledged"] / seconds),
        "acknowledged": done["acknowledged"],
        "stored": stored,
        "latency_ms_p50": done["latency_ms_p50"],
        "latency_ms_p99": done["latency_ms_p99"],
        "connections": connections,
        "series": series,
        "processors": shares,
        "limit": limit(shares, lag_s),
    }


async def run(options: argparse.Namespace) -> None:
    async with open_house(["gateway", "recorder"]) as subject:
        figures = await measure(subject, options)
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description="How many MQTT messages a second are taken in.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--window", type=int, default=100, help="messages of one connection on their way at once")
    parser.add_argument("--backlog", type=int, default=50_000, help="messages that may wait to be queryable")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
