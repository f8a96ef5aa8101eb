"""The portal's reference describes every route of the portal with what it demands, and no other."""

from __future__ import annotations

import re

from litestar.handlers import HTTPRouteHandler

from broadstreet.access import demand_of
from broadstreet.portal import passkeys, provider, public_routes, router, saved
from tests.docs.pages import reference

PREFIX = "/portal"
CLIENT = "client_file"


def described() -> dict[tuple[str, str], str]:
    """(method, path) to the permission that the page's table says."""
    found = {}
    for first, rest in reference("portal-api").rows().items():
        method, path = first.split(" ")[:2]
        path = re.sub(r"[?`].*", "", path)
        found[method, re.sub(r"\{(\w+)\}", "{}", path)] = rest.split("|")[0].strip(" `")
    return found


def there() -> dict[tuple[str, str], str]:
    """The same of the routes there are."""
    found: dict[tuple[str, str], str] = {}
    modules = (router, passkeys, provider, public_routes, saved)
    for name, handler in {name: one for module in modules for name, one in vars(module).items()}.items():
        if isinstance(handler, HTTPRouteHandler) and name != CLIENT:
            demand = demand_of(handler.opt)
            assert demand is not None, name
            asked = demand.permission or ("none" if demand.is_public else "any signed-in")
            for path in handler.paths:
                for method in handler.http_methods:
                    found[str(method), PREFIX + re.sub(r"\{[^}]*\}", "{}", path)] = asked
    return found


def test_every_route_is_described_with_its_permission() -> None:
    assert described() == there()
