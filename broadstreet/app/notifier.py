"""The role `notifier`: tells whoever subscribed of what changed."""

from __future__ import annotations

from functools import partial

from broadstreet.app.clock import now_us
from broadstreet.app.edges import edges_of
from broadstreet.app.role import Call
from broadstreet.app.settings import Settings
from broadstreet.context import Contexts
from broadstreet.delivery import Receivers, fetch_json
from broadstreet.engines import EngineAddresses
from broadstreet.log import Log
from broadstreet.notifier import Carriers, Notifier
from broadstreet.store import Store

LD_JSON = "application/ld+json, application/json;q=0.9"


async def serve(settings: Settings, addresses: EngineAddresses, call: Call) -> None:
    """Notify until the call ends."""
    async with (
        await Store.connect(addresses.postgres_dsn) as store,
        await Log.connect(addresses.nats_url, name=call.name) as log,
        Carriers(Receivers(settings.receiver_hosts)) as carriers,
    ):
        fetch = partial(fetch_json, hosts=settings.context_hosts, accept=LD_JSON)
        contexts = Contexts(store, now_us, fetch)
        notifier = Notifier(log, store, contexts, carriers, base=edges_of(settings).portal_url, clock=now_us)
        call.ready()
        await call.during(notifier.run())
