"""Subscriptions that stand while a benchmark of ingest runs: alarms on single readings, which few of them set off."""

from __future__ import annotations

from benchmarks.generator import Generator
from benchmarks.house import Subject, free_port
from broadstreet.access import Principal
from broadstreet.app.clock import now_us
from broadstreet.context import CORE, Subscriptions, parse_subscription
from broadstreet.delivery import LOOPBACK, Receivers
from broadstreet.model.terms import CORE_CONTEXT_URI

THRESHOLD = 59.99
"""One of the load's readings in ten thousand lies above it."""
PRINCIPAL = Principal.account("bench", "Bench", "city", ["administrator"])


async def alarms(subject: Subject, count: int, attributes: int) -> Generator:
    """So many alarms, over all attributes of all devices, with a receiver; answers its process."""
    port = free_port()
    receiver = await Generator.start("benchmarks.receiver", port=port)
    subscriptions = Subscriptions(subject.store, Receivers(LOOPBACK))
    for number in range(count):
        name = f"a{number % attributes}"
        document = {
            "type": "Subscription",
            "entities": [{"type": "Device"}],
            "watchedAttributes": [name],
            "q": f"{name}>{THRESHOLD + number / 1_000_000}",
            "notification": {"attributes": [name], "endpoint": {"uri": f"http://127.0.0.1:{port}/"}},
        }
        members = parse_subscription(document, CORE, now_us())
        await subscriptions.create(PRINCIPAL, now_us(), None, members, CORE_CONTEXT_URI)
    return receiver
