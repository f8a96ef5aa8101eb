"""The role `recorder`: decodes, applies, relays the outbox, trims the log."""

from __future__ import annotations

from broadstreet.app.clock import now_us
from broadstreet.app.role import Call
from broadstreet.app.settings import Settings
from broadstreet.engines import EngineAddresses
from broadstreet.log import Log
from broadstreet.recorder import Recorder
from broadstreet.store import Store


async def serve(settings: Settings, addresses: EngineAddresses, call: Call) -> None:
    """Record until the call ends."""
    async with (
        await Store.connect(addresses.postgres_dsn) as store,
        await Log.connect(addresses.nats_url, name=call.name) as log,
    ):
        recorder = Recorder(
            log,
            store,
            range(settings.log.partitions),
            future_limit_s=settings.recorder.future_limit_s,
            keep_bytes=settings.recorder.keep_bytes,
            clock=now_us,
        )
        call.ready()
        await call.during(recorder.run())
