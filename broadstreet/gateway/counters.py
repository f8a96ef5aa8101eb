"""What a gateway has done, for metrics and the portal: plain numbers, announced once a second."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import msgspec

from broadstreet.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable


class Counters(msgspec.Struct):
    """Counts since the process started, and two gauges: `connections` and `held_bytes`."""

    messages: int = 0
    """Taken in."""
    bytes: int = 0
    """Of their payloads."""
    kept: int = 0
    """Messages whose pack is on disk."""
    refused: int = 0
    """Messages the log or the disk had no room for."""
    packs: int = 0
    pack_bytes: int = 0
    pack_latency_us_sum: int = 0
    """From a pack's first message to the log's acknowledgement."""
    pack_latency_us_max: int = 0
    """Since the last report."""
    pack_retries: int = 0
    connections: int = 0
    connected: int = 0
    handshakes: int = 0
    """TLS handshakes that were done."""
    handshakes_failed: int = 0
    sign_ins_refused: int = 0
    bad_packets: int = 0
    not_allowed: int = 0
    taken_over: int = 0
    silent: int = 0
    """Connections whose keep-alive ran out."""
    slow: int = 0
    """Subscribers disconnected for being too slow."""
    delivered: int = 0
    dropped: int = 0
    """QoS 0 messages not given to a subscriber that was too slow, or for which they were too large."""
    limited: dict[str, int] = msgspec.field(default_factory=dict)
    """How often something went over a limit, by the limit's name."""
    held_bytes: int = 0
    """Of messages not yet on disk."""


class CountersReport(msgspec.Struct):
    """Counters as they are announced on `metrics.gateway.<name>`."""

    name: str
    pid: int
    at_us: int
    cpu_s: float
    """Processor time of this process."""
    counters: Counters


_encoder = msgspec.json.Encoder()


def report(name: str, counters: Counters, at_us: int) -> CountersReport:
    """A report of now; the highest pack latency begins anew."""
    taken = msgspec.structs.replace(counters, limited=dict(counters.limited))
    made = CountersReport(name, os.getpid(), at_us, time.process_time(), taken)
    counters.pack_latency_us_max = 0
    return made


async def announce(log: Log, name: str, counters: Counters, clock: Callable[[], int]) -> None:
    """Say the counters to whoever listens."""
    await log.announce(f"metrics.gateway.{name}", _encoder.encode(report(name, counters, clock())))
