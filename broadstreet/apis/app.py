"""The HTTP application: its routes, and around them the door, the errors, the headers and the figures.

`create_app` takes the parts other rooms bring (the portal's router, the gateway's HTTP ingest) and refuses to start
where a route does not say who may call it. Handlers ask for what they need by name: `principal`, `database` (the
caller's tenant's), `services`, or all of them as `call`;
`holds` tells a long answer whether its caller may still read on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import litestar
from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide

from broadstreet.access import Principal
from broadstreet.apis.audit import audit_router
from broadstreet.apis.certificates import certificates_router
from broadstreet.apis.commands import commands_router
from broadstreet.apis.datasets import datasets_router
from broadstreet.apis.dead import dead_router
from broadstreet.apis.devices import devices_router
from broadstreet.apis.exports import exports_router
from broadstreet.apis.guard import Guard, check_declared, principal_of
from broadstreet.apis.headers import secure
from broadstreet.apis.health import Checks, health_router
from broadstreet.apis.history import history_router
from broadstreet.apis.metrics import measured, metrics_router
from broadstreet.apis.network import network_router
from broadstreet.apis.ngsi_ld import ngsi_ld_router
from broadstreet.apis.ngsi_ld.quick import QuickRetrieval
from broadstreet.apis.openapi import openapi_config, openapi_json
from broadstreet.apis.paths import Application
from broadstreet.apis.people import people_router
from broadstreet.apis.prepared import prepared_router
from broadstreet.apis.problem import EXCEPTION_HANDLERS
from broadstreet.apis.provisioning import provisioning_router
from broadstreet.apis.public_view import public_view_router
from broadstreet.apis.readiness import checks_of
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call, Services
from broadstreet.apis.webhooks import webhooks_router
from broadstreet.store import Database

MAX_BODY_BYTES: Final = 32 * 1024 * 1024


def create_app(services: Services, parts: Sequence[litestar.Router] = ()) -> Litestar:
    """The application.

    parts: routers of other rooms. Raises BroadstreetError where a route does not say who may call it.
    """

    async def database_of(principal: NamedDependency[Principal]) -> Database:
        return await services.store.tenant(principal.tenant, principal.reach)

    async def call_of(principal: NamedDependency[Principal], database: NamedDependency[Database]) -> Call:
        return Call(services, principal, database, services.clock())

    guard = Guard(
        services.access,
        services.device_principal,
        services.tenancy,
        services.origins,
        is_behind_proxy=services.is_behind_proxy,
        is_open=services.is_open,
    )

    def holds_of(request: Request[Principal, Any, State]) -> Callable[[], Awaitable[bool]]:
        return partial(guard.holds, request)

    app = Application(
        route_handlers=[
            health_router(Checks({**checks_of(services.store, services.log), **services.checks})),
            metrics_router(services.metrics),
            openapi_json,
            Router(
                "/v1",
                route_handlers=[
                    devices_router(),
                    prepared_router(),
                    provisioning_router(),
                    commands_router(),
                    certificates_router(),
                    dead_router(),
                    webhooks_router(),
                    datasets_router(),
                    exports_router(),
                    history_router(),
                    network_router(),
                    people_router(),
                    audit_router(),
                    public_view_router(),
                ],
            ),
            ngsi_ld_router(),
            *parts,
        ],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "principal": Provide(principal_of, sync_to_thread=False),
            "database": Provide(database_of),
            "call": Provide(call_of),
            "holds": Provide(holds_of, sync_to_thread=False),
        },
        guards=[guard],
        middleware=[measured(services.metrics)],
        exception_handlers=EXCEPTION_HANDLERS,
        before_send=[secure],
        openapi_config=openapi_config(version("broadstreet")),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )
    check_declared(app)
    app.quick = QuickRetrieval(services.broker, guard, services.metrics).answer
    return app
