"""What gateways, recorders and notifiers say of themselves once a second, gathered: rates, lag, connections.

A report counts from its process's start; two of them give a rate. A process that has said nothing for `GONE_US` counts
no longer. Every `HISTORY_STEP_US` the rate of readings is kept, for an hour: enough to see that something changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
import nats.errors

from broadstreet.log import Log
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import EngineFailed
from broadstreet.model.metrics import Sample
from broadstreet.recorder import MeterReport

SUBJECTS: Final = "metrics.>"
WINDOW: Final = 6
"""Reports a rate is taken over: five seconds."""
GONE_US: Final = 5 * US_PER_S
HISTORY_STEP_US: Final = 10 * US_PER_S
HISTORY: Final = 360
RETRY_S: Final = 1.0
_GATEWAY_FIGURES: Final = ("messages_total", "refused_total", "connections", "limited_total")
_RECORDER_FIGURES: Final = ("readings_total", "lag_seconds")
_NOTIFIER_FIGURES: Final = ("entities_sent_total", "notifications_total", "failures_total", "dropped_total", "waiting")
_log = logging.getLogger(__name__)


class _GatewayCounters(msgspec.Struct):
    messages: int = 0
    kept: int = 0
    refused: int = 0
    connections: int = 0
    limited: dict[str, int] = {}


class _GatewayReport(msgspec.Struct):
    name: str
    pid: int
    at_us: int
    counters: _GatewayCounters


class _NotifierMeter(msgspec.Struct):
    sent: int = 0
    notifications: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0


class _NotifierReport(msgspec.Struct):
    meter: _NotifierMeter


@dataclass(frozen=True, slots=True)
class _Point:
    """One report, as far as it matters here. units: messages of a gateway, readings of a recorder."""

    pid: int
    at_us: int
    units: int
    connections: int = 0
    lag_s: float = 0.0
    refused: int = 0
    limited: tuple[tuple[str, int], ...] = ()


class Pulse(msgspec.Struct, frozen=True):
    """How the house does now."""

    readings_per_s: float
    messages_per_s: float
    lag_s: float
    connections: int
    gateways: int
    recorders: int


class Vitals:
    """Listens as long as `run` runs."""

    def __init__(self, log: Log, clock: Callable[[], int]) -> None:
        self._log = log
        self._clock = clock
        self._gateways: dict[str, deque[_Point]] = {}
        self._recorders: dict[str, deque[_Point]] = {}
        self._notifiers: dict[str, _NotifierMeter] = {}
        self.history: deque[tuple[int, float]] = deque(maxlen=HISTORY)
        """(microseconds since 1970, readings per second), oldest first."""

    async def run(self) -> None:
        """Listen until cancelled; after a loss of the log, listen again."""
        while True:
            try:
                async with self._log.listen(SUBJECTS) as messages:
                    async for message in messages:
                        self.take(message.subject, message.data)
            except (nats.errors.Error, EngineFailed) as error:
                _log.warning("the reports of gateways and recorders do not come: %s", error)
            await asyncio.sleep(RETRY_S)

    def take(self, subject: str, data: bytes) -> None:
        """One report. One that cannot be read is passed over: another version of the house may have sent it."""
        _, role, name = subject.split(".", 2)
        try:
            if role == "gateway":
                gateway = msgspec.json.decode(data, type=_GatewayReport)
                counters = gateway.counters
                self._keep(
                    self._gateways,
                    name,
                    _Point(
                        gateway.pid,
                        gateway.at_us,
                        counters.kept,
                        connections=counters.connections,
                        refused=counters.refused,
                        limited=tuple(counters.limited.items()),
                    ),
                )
            elif role == "recorder":
                recorder = msgspec.json.decode(data, type=MeterReport)
                point = _Point(recorder.pid, recorder.meter.at_us, recorder.meter.readings, lag_s=recorder.lag_s)
                self._keep(self._recorders, name, point)
            elif role == "notifier":
                self._notifiers[name] = msgspec.json.decode(data, type=_NotifierReport).meter
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.warning("a report on %s cannot be read: %s", subject, error)
        self._note()

    def pulse(self) -> Pulse:
        """How the house does now, by the reports of the last seconds."""
        gateways, recorders = list(self._alive(self._gateways)), list(self._alive(self._recorders))
        return Pulse(
            readings_per_s=round(sum(map(_rate, recorders)), 1),
            messages_per_s=round(sum(map(_rate, gateways)), 1),
            lag_s=round(max((points[-1].lag_s for points in recorders), default=0.0), 2),
            connections=sum(points[-1].connections for points in gateways),
            gateways=len(gateways),
            recorders=len(recorders),
        )

    def samples(self) -> Iterator[Sample]:
        """The same for Prometheus."""
        for name, points in self._gateways.items():
            last, labels = points[-1], (("gateway", name),)
            kept, refused, connected, limited = (f"broadstreet_gateway_{what}" for what in _GATEWAY_FIGURES)
            yield Sample(kept, "Messages a gateway has kept on disk.", "counter", last.units, labels)
            yield Sample(refused, "Messages refused for want of room.", "counter", last.refused, labels)
            yield Sample(connected, "Clients connected now.", "gauge", last.connections, labels)
            for limit, count in last.limited:
                over = "How often something went over a limit."
                yield Sample(limited, over, "counter", count, (*labels, ("limit", limit)))
        for name, points in self._recorders.items():
            last, labels = points[-1], (("recorder", name),)
            applied, lag = (f"broadstreet_recorder_{what}" for what in _RECORDER_FIGURES)
            yield Sample(applied, "Readings a recorder has applied.", "counter", last.units, labels)
            yield Sample(lag, "Age of the oldest reading not yet applied.", "gauge", last.lag_s, labels)
        for name, meter in self._notifiers.items():
            labels = (("notifier", name),)
            sent, told, failed, dropped, waiting = (f"broadstreet_notifier_{what}" for what in _NOTIFIER_FIGURES)
            yield Sample(sent, "Entities that receivers of notifications have taken.", "counter", meter.sent, labels)
            yield Sample(told, "Notifications they came in.", "counter", meter.notifications, labels)
            yield Sample(failed, "Attempts to deliver that failed.", "counter", meter.failed, labels)
            yield Sample(dropped, "Entities that were never delivered.", "counter", meter.dropped, labels)
            yield Sample(waiting, "Entities that wait to be delivered.", "gauge", meter.waiting, labels)

    @staticmethod
    def _keep(reports: dict[str, deque[_Point]], name: str, point: _Point) -> None:
        points = reports.setdefault(name, deque(maxlen=WINDOW))
        if points and points[-1].pid != point.pid:
            points.clear()
        points.append(point)

    def _alive(self, reports: dict[str, deque[_Point]]) -> Iterator[deque[_Point]]:
        now_us = self._clock()
        return (points for points in reports.values() if now_us - points[-1].at_us <= GONE_US)

    def _note(self) -> None:
        now_us = self._clock()
        is_known = any(len(points) > 1 for points in self._recorders.values())
        if is_known and (not self.history or now_us - self.history[-1][0] >= HISTORY_STEP_US):
            self.history.append((now_us, self.pulse().readings_per_s))


def _rate(points: deque[_Point]) -> float:
    """Units a second over the reports at hand."""
    first, last = points[0], points[-1]
    passed_us = last.at_us - first.at_us
    return (last.units - first.units) * US_PER_S / passed_us if passed_us > 0 else 0.0
