"""What the APIs stand on, made by `app/` and handed to `create_app`; and what a handler is given of it for one call."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from broadstreet.access import Access, Principal, Tenancy
from broadstreet.apis.health import Check
from broadstreet.apis.metrics import Metrics
from broadstreet.context import Broker, Contexts, Subscriptions
from broadstreet.context.bounds import DEFAULT_INSTANCES
from broadstreet.context.contexts import Fetch
from broadstreet.delivery import Receivers
from broadstreet.devices import Certificates, Commands, Letters, Preparation, Provisioning, Registry, Webhooks
from broadstreet.exports import Exports
from broadstreet.jobs import Jobs
from broadstreet.log import Log
from broadstreet.model.errors import NotSignedIn
from broadstreet.network.scenarios import PlanLimits, Plans
from broadstreet.store import Database, Store


@dataclass(frozen=True)
class Services:
    """
    clock:   answers now, in microseconds since 1970.
    origins: addresses of the portal behind a proxy, see `Guard`.
    documents: JSON-LD @contexts that every tenant knows, by their addresses, beside the core's.
    began_us: when the process began.
    temporal_instances: of an attribute, in one answer of NGSI-LD over time.
    fetch: how an @context is come by that is not kept; None: not at all.
    partitions: of the log, for each tenant.
    is_behind_proxy: whether a proxy stands before the house, which is believed about where callers are.
    jobs:    where long work is done; without it there is none.
    checks:  what readiness asks beside PostgreSQL and the log.
    data_path: the data folder.
    receivers: whom notifications may be delivered to.
    plan_limits: how much plans of the network may take.
    is_open: whether who has not signed in may read and write entities, see `Guard`.
    """

    store: Store
    log: Log
    access: Access
    registry: Registry
    clock: Callable[[], int]
    metrics: Metrics = field(default_factory=Metrics)
    origins: frozenset[str] = frozenset()
    documents: Mapping[str, Any] = field(default_factory=dict)
    partitions: int = 1
    is_behind_proxy: bool = False
    jobs: Jobs | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)
    data_path: Path = Path()
    plan_limits: PlanLimits = field(default_factory=PlanLimits)
    is_open: bool = False
    fetch: Fetch | None = None
    began_us: int = 0
    temporal_instances: int = DEFAULT_INSTANCES
    receivers: Receivers = field(default_factory=Receivers)

    @cached_property
    def contexts(self) -> Contexts:
        """What names mean under the @contexts of each tenant."""
        return Contexts(self.store, self.clock, self.fetch, self.documents)

    @cached_property
    def tenancy(self) -> Tenancy:
        """How tenants begin."""
        return Tenancy(self.store, self.access)

    @cached_property
    def broker(self) -> Broker:
        """NGSI-LD's operations on entities."""
        return Broker(self.store, self.clock)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """Who wants to be told of which changes."""
        return Subscriptions(self.store, self.receivers)

    @cached_property
    def exports(self) -> Exports:
        """What is taken away."""
        return Exports(self.store, self.access, self.jobs)

    @cached_property
    def plans(self) -> Plans:
        """Plans of the network, with what they are made from."""
        return Plans(self.store, self.data_path, self.clock, self.jobs, self.plan_limits)

    @cached_property
    def letters(self) -> Letters:
        """Dead letters."""
        return Letters(self.log, self.access.audit, partitions=self.partitions)

    @cached_property
    def certificates(self) -> Certificates:
        """What devices may show in place of their secrets."""
        return Certificates(self.store, self.data_path, self.clock)

    @cached_property
    def commands(self) -> Commands:
        """What devices are ordered to do."""
        return Commands(self.access.audit, secrets.token_bytes)

    @cached_property
    def webhooks(self) -> Webhooks:
        """Where services that can only call a URL leave readings."""
        return Webhooks(self.store)

    @cached_property
    def provisioning(self) -> Provisioning:
        """How new devices come in by their fleet's key."""
        return Provisioning(self.store, self.registry, self.access.audit)

    @cached_property
    def preparation(self) -> Preparation:
        """Devices that are known before they are installed."""
        return Preparation(self.store, self.registry)

    async def device_principal(self, device: str, secret: str) -> Principal:
        """The device that signs in with its secret. Raises NotSignedIn."""
        identity = await self.registry.authenticate(device, secret, at_us=self.clock())
        if identity is None:
            raise NotSignedIn("the device is unknown or disabled, or its secret is wrong")
        return Principal.device(identity.id, identity.tenant)


@dataclass(frozen=True, slots=True)
class Call:
    """One call in hand: who calls, the database of the caller's tenant, when it came. Handlers ask for it as `call`."""

    services: Services
    principal: Principal
    database: Database
    at_us: int

    async def audit(self, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
        """Leave a line in the audit."""
        audit, who = self.services.access.audit, self.principal
        await audit.record(self.at_us, who.name, action, subject, tenant=who.tenant, detail=detail)
