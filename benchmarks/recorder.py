"""How fast the recorder alone applies what stands in the log: packs made beforehand, then one recorder until all is in.

    python -m benchmarks.recorder [--messages 600000] [--series 10000] [--devices 200] [--pack 1000] [--profile]

`messages_per_s` is from the first pack read to the last commit; `recorder_s_per_million` and `postgres_s_per_million`
are the processor time it took, which the engine's noise and other processes do not blur. `--profile` prints where this
process spent its own.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import random
import time
from contextlib import suppress
from typing import Any

import msgspec
import psutil
import uvloop

from benchmarks.house import Subject, open_house
from broadstreet.log import Log, Pack
from broadstreet.recorder import Recorder
from broadstreet.store import Store

SEED = 1854
MARGIN_US = 1_000_000_000
POLL_S = 0.02
PROFILE_LINES = 35


async def append(subject: Subject, log: Log, options: argparse.Namespace) -> int:
    """Put the messages into the log, one reading each, as the gateway would; answers their number."""
    await subject.add_devices(options.devices, options.series)
    keys = [int(row["key"]) for row in await subject.database.fetch("SELECT key FROM device ORDER BY key")]
    attributes = -(-options.series // options.devices)
    chance = random.Random(SEED)
    partitions = subject.house.settings.log.partitions
    began_us = time.time_ns() // 1000 - MARGIN_US
    appended = 0
    for start in range(0, options.messages, options.pack):
        partition = (start // options.pack) % partitions
        own = [key for key in keys if key % partitions == partition]
        count = min(options.pack, options.messages - start)
        payloads = [b'{"a%d":%.1f}' % (chance.randrange(attributes), 20 + 5 * chance.random()) for _ in range(count)]
        pack = Pack(
            os.urandom(16),
            subject.database.name,
            partition,
            "bench",
            [own[n % len(own)] for n in range(count)],
            list(range(began_us + start, began_us + start + count)),
            ["readings"] * count,
            payloads,
        )
        await log.append_raw(pack)
        appended += count
    return appended


def postgres_s(subject: Subject) -> float:
    """Processor time of the database's processes so far; one that ends takes its own along."""
    head = psutil.Process(subject.heads()["postgres"][0])
    used = 0.0
    for process in [head, *head.children()]:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system
    return used


async def measure(subject: Subject, options: argparse.Namespace) -> dict[str, Any]:
    """Append, then record."""
    addresses = subject.house.engines.addresses
    async with (
        await Log.connect(addresses.nats_url, name="benchmark") as log,
        await Store.connect(addresses.postgres_dsn) as store,
    ):
        messages = await append(subject, log, options)
        recorder = Recorder(log, store, range(subject.house.settings.log.partitions))
        profile = cProfile.Profile()
        database_s, own_s, began_s = postgres_s(subject), time.process_time(), time.perf_counter()
        if options.profile:
            profile.enable()
        task = asyncio.create_task(recorder.run())
        while recorder.meter.messages < messages and not task.done():  # noqa: ASYNC110 - the meter has no event
            await asyncio.sleep(POLL_S)
        took_s = time.perf_counter() - began_s
        own_s, database_s = time.process_time() - own_s, postgres_s(subject) - database_s
        profile.disable()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(PROFILE_LINES)
    if await subject.stored() != messages:
        raise SystemExit(f"{messages} messages were appended, {await subject.stored()} readings are stored")
    return {
        "messages_per_s": round(messages / took_s),
        "messages": messages,
        "recorder_s_per_million": round(own_s / messages * 1e6, 1),
        "postgres_s_per_million": round(database_s / messages * 1e6, 1),
        "messages_per_transaction": round(messages / recorder.meter.transactions),
        "meter": msgspec.to_builtins(recorder.meter),
    }


async def run(options: argparse.Namespace) -> None:
    async with open_house([]) as subject:
        figures = await measure(subject, options)
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast the recorder alone applies what stands in the log.")
    parser.add_argument("--messages", type=int, default=600_000)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--pack", type=int, default=1_000, help="messages in each pack")
    parser.add_argument("--profile", action="store_true")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
