"""`/v1/network`: planning the operator's network over HTTP.

A file a noun: `projects`, the `sources` they are made from, a look at their `grounds`; `scenarios`, their `designs`,
what came of them, `investment`, what that is worth, `serviceability`, what can be had where, and `sitings`, where
sensors go. Handlers parse, act by one call of `network/scenarios`, and render; planning itself is a job, in a process
of its own.
"""

from __future__ import annotations

from broadstreet.apis.network.designs import designs_router
from broadstreet.apis.network.grounds import grounds_router
from broadstreet.apis.network.investment import investment_router
from broadstreet.apis.network.places import ABOUT
from broadstreet.apis.network.projects import projects_router
from broadstreet.apis.network.scenarios import scenarios_router
from broadstreet.apis.network.serviceability import serviceability_router
from broadstreet.apis.network.sheets import sheets_router
from broadstreet.apis.network.sitings import sitings_router
from broadstreet.apis.network.sources import sources_router
from broadstreet.apis.router import Router

__all__ = ["network_router"]


def network_router() -> Router:
    """`/network`, to stand below `/v1`."""
    made_from = [projects_router(), sources_router(), sheets_router(), grounds_router()]
    made = [scenarios_router(), designs_router(), investment_router(), serviceability_router(), sitings_router()]
    return Router("/network", route_handlers=[*made_from, *made], dependencies=ABOUT)
