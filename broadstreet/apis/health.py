"""Is it alive, and is it ready. Both are asked by balancers and supervisors, which have no credential, and tell a
stranger nothing but names of parts and whether they answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from broadstreet.access import public
from broadstreet.apis.router import Router
from broadstreet.model.errors import BroadstreetError, Unavailable

CHECK_TIMEOUT_S: Final = 2.0
Check = Callable[[], Awaitable[str | None]]
"""Answers when its part serves, and raises a BroadstreetError when it does not; what it answers is to be said of it."""
_log = logging.getLogger(__name__)


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "alive"


class PartState(msgspec.Struct, frozen=True):
    """One part that readiness depends on. detail: what is wrong with it, in a sentence; empty when all is well."""

    name: str
    ready: bool
    detail: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be served, and which part says no."""

    ready: bool
    parts: list[PartState]


class Checks:
    """What must answer before the house is ready, by name."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    async def run(self) -> Readiness:
        """Ask all parts at once, each for at most `CHECK_TIMEOUT_S`."""
        parts = await asyncio.gather(*(_ask(name, check) for name, check in self._checks.items()))
        return Readiness(all(part.ready for part in parts), list(parts))


async def _ask(name: str, check: Check) -> PartState:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            said = await check()
    except TimeoutError:
        return PartState(name, False, f"no answer within {CHECK_TIMEOUT_S:g} s")
    except OSError as error:
        _log.warning("%s is not ready: %s", name, error)
        return PartState(name, False, Unavailable().message)
    except BroadstreetError as error:
        _log.warning("%s is not ready: %s", name, error)
        return PartState(name, False, type(error)().message)
    return PartState(name, True, said or "")


@get("/health", opt=public("a balancer has no credential"), tags=["Operation"], sync_to_thread=False)
def health() -> Alive:
    """Whether the process answers. It asks no engine: a restart of this process would not mend one."""
    return Alive()


@get(
    "/ready",
    opt=public("a balancer has no credential"),
    tags=["Operation"],
)
async def ready(checks: NamedDependency[Checks]) -> Response[Readiness]:
    """Whether requests can be served: PostgreSQL, its migrations and the log answer. Else 503, and what does not."""
    readiness = await checks.run()
    return Response(readiness, status_code=HTTP_200_OK if readiness.ready else HTTP_503_SERVICE_UNAVAILABLE)


def health_router(checks: Checks) -> Router:
    """`/health` and `/ready`."""
    return Router(
        "/", route_handlers=[health, ready], dependencies={"checks": Provide(lambda: checks, sync_to_thread=False)}
    )
