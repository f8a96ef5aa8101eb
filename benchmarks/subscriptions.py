"""How soon subscribers are told of changes: readings of devices over MQTT, notifications over HTTP.

    python -m benchmarks.subscriptions [--subscriptions 1000] [--rate 5000] [--seconds 30] [--kill] [--down 60]
        [--by id|pattern|query]

Each change matches one subscription. A change's age counts from when its message was due to be sent until the receiver
has it. `--kill` ends the notifier with kill -9 halfway; `--down` lets the receiver be away for so many seconds from a
quarter of the time on. Ages count of changes that were due well before the one and after the other. `lost` is what was
acknowledged to a device and not delivered; `repeated` what was delivered twice, which only a kill explains.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import time
from typing import Any

import uvloop

from benchmarks.generator import Generator
from benchmarks.house import Subject, free_port, open_house
from benchmarks.usage import Usage, limit
from broadstreet.access import Principal
from broadstreet.app.clock import now_us
from broadstreet.context import CORE, Subscriptions, parse_subscription
from broadstreet.delivery import LOOPBACK, Receivers
from broadstreet.model.terms import CORE_CONTEXT_URI

ROLES = ["recorder", "notifier", "gateway"]
PRINCIPAL = Principal.account("bench", "Bench", "city", ["administrator"])
SETTLE_S = 2.0
"""How long subscriptions stand before the first change."""
APART_US = 5_000_000
"""How far from a disturbance a change's age counts again, before it; and after it, times six."""
DELIVERED_WITHIN_S = 300.0
QUIET_S = 5.0


async def subscribe(subject: Subject, options: argparse.Namespace, port: int) -> None:
    """A subscription for each device."""
    rows = await subject.database.fetch(
        "SELECT d.id, e.id AS entity FROM device d JOIN entity e ON e.key = d.entity_key"
    )
    subscriptions = Subscriptions(subject.store, Receivers(LOOPBACK))
    for row in rows:
        selector: dict[str, Any] = {"type": "Device"}
        document = {
            "type": "Subscription",
            "entities": [selector],
            "watchedAttributes": ["a0"],
            "notification": {"attributes": ["a0"], "endpoint": {"uri": f"http://127.0.0.1:{port}/{row['id']}"}},
        }
        if options.by == "id":
            selector["id"] = row["entity"]
        elif options.by == "pattern":
            selector["idPattern"] = f"{row['id']}$"
        else:
            document["q"] = f'name=="{row["id"]}"'
        members = parse_subscription(document, CORE, now_us())
        await subscriptions.create(PRINCIPAL, now_us(), None, members, CORE_CONTEXT_URI)


async def disturb(subject: Subject, receiver: Generator, options: argparse.Namespace) -> list[list[int]]:
    """Do what was asked to be done meanwhile; answers the spans that are calm."""
    began_us, end_us = now_us(), now_us() + round(options.seconds * 1e6)
    rough: list[tuple[int, int]] = []
    if options.down:
        await asyncio.sleep(options.seconds / 4)
        at_us = now_us()
        receiver.tell(b"down")
        await asyncio.sleep(options.down)
        receiver.tell(b"up")
        rough.append((at_us, now_us()))
    if options.kill:
        await asyncio.sleep(max(0.0, (began_us - now_us()) / 1e6 + options.seconds / 2))
        (pid,) = subject.heads()["notifier"]
        os.kill(pid, signal.SIGKILL)
        rough.append((now_us(), now_us()))
    spans, low = [], began_us
    for from_us, to_us in rough:
        spans.append([low, from_us - APART_US])
        low = to_us + 6 * APART_US
    return [*spans, [low, end_us]]


async def measure(subject: Subject, options: argparse.Namespace) -> dict[str, Any]:
    """Send at the rate, and see what arrives."""
    port = free_port()
    logins = await subject.add_devices(options.subscriptions, options.subscriptions)
    receiver = await Generator.start("benchmarks.receiver", port=port)
    await subscribe(subject, options, port)
    await asyncio.sleep(SETTLE_S)
    generator = await Generator.start(
        "benchmarks.change_load",
        logins=logins,
        port=subject.mqtt_port,
        seconds=options.seconds,
        rate_per_s=options.rate,
    )
    heads = {**subject.heads(), "generator": [generator.pid], "receiver": [receiver.pid]}
    usage = Usage(heads if not options.kill else {name: pids for name, pids in heads.items() if name != "notifier"})
    generator.tell(b"go")
    disturbing = asyncio.create_task(disturb(subject, receiver, options))
    await generator.hear("stopped")
    shares = await usage.stop(options.seconds)
    acknowledged = (await generator.hear("done"))["acknowledged"]
    calm = await disturbing
    began_s = time.monotonic()
    told = await reported(receiver, calm)
    while told["delivered"] < acknowledged and time.monotonic() - began_s < DELIVERED_WITHIN_S:
        await asyncio.sleep(0.2)
        told = await reported(receiver, calm)
    lag_s = time.monotonic() - began_s
    receiver.tell(b"")
    await generator.end()
    await receiver.end()
    return {
        "delivered": told["delivered"],
        "lost": acknowledged - told["delivered"],
        "repeated": told["entities"] - told["delivered"],
        "out_of_order": told["behind"],
        "delivery_ms_p50": told.get("delivery_ms_p50"),
        "delivery_ms_p99": told.get("delivery_ms_p99"),
        "changes_per_s": round(acknowledged / options.seconds),
        "requests": told["requests"],
        "subscriptions": options.subscriptions,
        "by": options.by,
        "lag_s": round(lag_s, 2),
        "processors": shares,
        "limit": limit(shares, lag_s),
    }


async def reported(receiver: Generator, calm: list[list[int]]) -> dict[str, Any]:
    """What the receiver has been told."""
    receiver.tell(b"report " + json.dumps(calm).encode())
    return await receiver.hear("report")


async def run(options: argparse.Namespace) -> None:
    async with open_house(ROLES, receiver_hosts="127.0.0.1") as subject:
        figures = await measure(subject, options)
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description="How soon subscribers are told of changes.")
    parser.add_argument("--subscriptions", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=5_000.0, help="matching changes a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--kill", action="store_true", help="kill -9 the notifier halfway")
    parser.add_argument("--down", type=float, default=0.0, help="seconds that the receiver is away")
    parser.add_argument(
        "--by", choices=("id", "pattern", "query"), default="id", help="how subscriptions are told apart"
    )
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
