"""How long a device waits for its acknowledgement at a steady rate: QoS 1, one reading each, on disk when it comes.

    python -m benchmarks.puback [--seconds 30] [--connections 1000] [--rate 5000] [--series 10000]

The load sends each message when it is due, whether or not those before it were acknowledged, and counts from when it
was due; so a gateway that stalls shows it in every message that waited. Gateway, recorder and engines share the
processors with the load.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

import uvloop

from benchmarks.generator import Generator
from benchmarks.house import UNLIMITED, Subject, open_house
from benchmarks.ingest import SEED
from benchmarks.usage import Usage, limit


async def measure(subject: Subject, options: argparse.Namespace) -> dict[str, Any]:
    """Send at the rate; answers the figures."""
    generator = await Generator.start(
        "benchmarks.mqtt_load",
        logins=await subject.add_devices(options.connections, options.series),
        attributes=-(-options.series // options.connections),
        seconds=options.seconds,
        seed=SEED,
        port=subject.mqtt_port,
        window=0,
        rate_per_s=options.rate,
    )
    usage = Usage({**subject.heads(), "generator": [generator.pid], "benchmark": [os.getpid()]})
    generator.tell(b"%d" % UNLIMITED)
    stopped = await generator.hear("stopped")
    shares = await usage.stop(options.seconds)
    done = await generator.hear("done")
    lag_s = await subject.caught_up(done["acknowledged"])
    await generator.end()
    return {
        "puback_ms_p50": done["latency_ms_p50"],
        "puback_ms_p99": done["latency_ms_p99"],
        "messages_per_s": round(stopped["acknowledged"] / options.seconds),
        "connections": options.connections,
        "lag_s": round(lag_s, 2),
        "processors": shares,
        "limit": limit(shares, lag_s),
    }


async def run(options: argparse.Namespace) -> None:
    async with open_house(["gateway", "recorder"]) as subject:
        figures = await measure(subject, options)
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description="How long a device waits for its acknowledgement at a steady rate.")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=5_000.0, help="messages a second, of all connections together")
    parser.add_argument("--series", type=int, default=10_000)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
