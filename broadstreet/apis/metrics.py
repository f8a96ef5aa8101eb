"""Metrics in Prometheus's text form (version 0.0.4): what this process serves, and what others report to it.

Requests are counted by method, route and status class, so that the number of series is bounded by the number of
routes. Figures that are read when asked for (a queue's length, another role's report) come from `sources`.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.model.metrics import Labels, Sample

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
UNMATCHED: Final = "unmatched"
_LABEL = re.compile(r'[\\"\n]')
_ESCAPES: Final = {"\\": r"\\", '"': r"\"", "\n": r"\n"}


Source = Callable[[], Iterable[Sample]]


@dataclass(slots=True)
class _Latency:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_s: float = 0.0

    def observe(self, took_s: float) -> None:
        self.counts[bisect_left(BUCKETS_S, took_s)] += 1
        self.sum_s += took_s


class Metrics:
    """The counters of this process's HTTP, and the sources that are asked with them."""

    def __init__(self, sources: Sequence[Source] = ()) -> None:
        self._sources = tuple(sources)
        self._requests: dict[tuple[str, str, str], int] = {}
        self._latency: dict[str, _Latency] = {}

    def count(self, method: str, route: str, status: int, took_s: float) -> None:
        """A request was answered. took_s: until its first byte, so that a stream of events is not one long request."""
        key = (method, route, f"{status // 100}xx")
        self._requests[key] = self._requests.get(key, 0) + 1
        self._latency.setdefault(route, _Latency()).observe(took_s)

    def render(self) -> str:
        """The whole page."""
        lines = [
            "# HELP broadstreet_http_requests_total Requests answered, by method, route and class of status.",
            "# TYPE broadstreet_http_requests_total counter",
        ]
        for (method, route, status), value in sorted(self._requests.items()):
            labels = (("method", method), ("route", route), ("status", status))
            lines.append(f"broadstreet_http_requests_total{_labels(labels)} {value}")
        lines += [
            "# HELP broadstreet_http_first_byte_seconds Time to an answer's first byte, by route.",
            "# TYPE broadstreet_http_first_byte_seconds histogram",
        ]
        for route, latency in sorted(self._latency.items()):
            lines += _histogram("broadstreet_http_first_byte_seconds", route, latency)
        lines += _sources(sample for source in self._sources for sample in source())
        return "\n".join(lines) + "\n"


def _sources(samples: Iterable[Sample]) -> list[str]:
    grouped: dict[str, list[Sample]] = {}
    for sample in samples:
        grouped.setdefault(sample.name, []).append(sample)
    lines: list[str] = []
    for name, group in sorted(grouped.items()):
        lines += [f"# HELP {name} {group[0].help}", f"# TYPE {name} {group[0].kind}"]
        lines += [f"{name}{_labels(sample.labels)} {sample.value:.16g}" for sample in group]
    return lines


def _histogram(name: str, route: str, latency: _Latency) -> list[str]:
    lines, total = [], 0
    for bound, count in zip((*BUCKETS_S, float("inf")), latency.counts, strict=True):
        total += count
        le = "+Inf" if bound == float("inf") else f"{bound:g}"
        lines.append(f"{name}_bucket{_labels((('route', route), ('le', le)))} {total}")
    labels = _labels((("route", route),))
    return [*lines, f"{name}_sum{labels} {latency.sum_s:.6f}", f"{name}_count{labels} {total}"]


def _labels(pairs: Labels) -> str:
    if not pairs:
        return ""
    inner = ",".join(f'{name}="{_LABEL.sub(lambda m: _ESCAPES[m[0]], value)}"' for name, value in pairs)
    return "{" + inner + "}"


def measured(metrics: Metrics) -> Callable[[ASGIApp], ASGIApp]:
    """The middleware that counts each request of an application."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def measure(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            began_s, method = time.perf_counter(), scope["method"]

            async def counting_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = scope.get("path_template") or UNMATCHED
                    metrics.count(method, route, message["status"], time.perf_counter() - began_s)
                await send(message)

            await app(scope, receive, counting_send)

        return measure

    return middleware


@get("/metrics", opt=requires("system:read"), tags=["Operation"], media_type=CONTENT_TYPE, sync_to_thread=False)
def metrics_page(metrics: NamedDependency[Metrics]) -> Response[str]:
    """Figures for Prometheus, in its text form. Give Prometheus an API token of an account that may read them."""
    return Response(metrics.render(), media_type=CONTENT_TYPE)


def metrics_router(metrics: Metrics) -> Router:
    """`/metrics`."""
    return Router(
        "/", route_handlers=[metrics_page], dependencies={"metrics": Provide(lambda: metrics, sync_to_thread=False)}
    )
