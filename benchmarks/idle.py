"""What a connection costs that is open and silent: the gateway's memory, by connection, and the time to sign them in.

    python -m benchmarks.idle [--connections 20000] [--devices 200]

The gateway's own memory (USS) is read before the first connection and `SETTLE_S` after the last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from typing import Any

import psutil
import uvloop

from benchmarks.generator import Generator
from benchmarks.house import Subject, open_house

SETTLE_S = 5.0
KEPT_S = 10.0
SPARE_FILES = 150


async def measure(subject: Subject, options: argparse.Namespace) -> dict[str, Any]:
    """Connect, wait, look; answers the figures."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    connections = options.connections
    if connections > hard - SPARE_FILES:
        connections = hard - SPARE_FILES
        print(f"  this system lets a process open {hard} files: {connections} connections", flush=True)
    load = await Generator.start(
        "benchmarks.idle_load",
        port=subject.mqtt_port,
        logins=await subject.add_devices(options.devices, options.devices),
        connections=connections,
    )
    gateway = psutil.Process(subject.heads()["gateway"][0])
    before = gateway.memory_full_info().uss
    began_s = time.monotonic()
    load.tell(b"connect")
    await load.hear("connected")
    took_s = time.monotonic() - began_s
    await asyncio.sleep(SETTLE_S)
    held = gateway.memory_full_info().uss - before
    busy_s = sum(gateway.cpu_times()[:2])
    await asyncio.sleep(KEPT_S)
    busy_s = sum(gateway.cpu_times()[:2]) - busy_s
    connected = sum(one.status == psutil.CONN_ESTABLISHED for one in gateway.net_connections("tcp4"))
    load.tell(b"end")
    await load.end()
    return {
        "connections": connected,
        "bytes_per_connection": round(held / connected),
        "sign_ins_per_s": round(connections / took_s),
        "gateway_share_idle": round(busy_s / KEPT_S, 3),
    }


async def run(options: argparse.Namespace) -> None:
    async with open_house(["gateway"]) as subject:
        figures = await measure(subject, options)
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description="What a connection costs that is open and silent.")
    parser.add_argument("--connections", type=int, default=20_000)
    parser.add_argument("--devices", type=int, default=200)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
