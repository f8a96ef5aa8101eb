"""Every route of the whole application, as something that can be called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from litestar import Litestar

from broadstreet.access import Demand, demand_of
from broadstreet.apis import Services
from broadstreet.apis.guard import handlers_of
from tests.asgi import ask

ORIGIN: Final = {"origin": "http://city.example"}
DENIED: Final = frozenset({401, 403})


def calls(app: Litestar) -> Iterator[tuple[str, str, Demand]]:
    """(method, path with its parameters filled in, demand) of every route."""
    for path, handler in handlers_of(app):
        for method in sorted(handler.http_methods):
            demand = demand_of(handler.opt)
            assert demand is not None, path
            yield method, re.sub(r"\{[^}]*\}", "x", path) or "/", demand


async def status(app: Litestar, method: str, path: str, headers: Mapping[str, str]) -> int:
    """What a route answers, without waiting for the end of it."""
    return (await ask(app, method, path, headers=headers, head_only=True)).status


async def issue(services: Services, account: str, roles: list[str], tenant: str = "city") -> str:
    """A new account's API token, good for an hour."""
    await services.access.accounts.create(account, account, tenant=tenant, roles=roles, by="test")
    return (await services.access.tokens.issue(account, "api", "test", 3600, by="test")).secret
