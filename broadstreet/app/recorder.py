"""The role `recorder`: decodes, applies, relays the outbox, trims the log; looks after the past and what has an end."""

from __future__ import annotations

import asyncio

from broadstreet.app.clock import now_us
from broadstreet.app.expiring import Expiring
from broadstreet.app.role import Call
from broadstreet.app.settings import Settings
from broadstreet.app.upkeep import Upkeep
from broadstreet.engines import EngineAddresses
from broadstreet.log import Log
from broadstreet.log.ending import end
from broadstreet.model.clock import US_PER_S
from broadstreet.recorder import Recorder
from broadstreet.store import Store


async def serve(settings: Settings, addresses: EngineAddresses, call: Call) -> None:
    """Record until the call ends."""
    async with (
        await Store.connect(addresses.postgres_dsn, files=settings.past_path) as store,
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
        upkeep = Upkeep(
            store,
            settings.past.table_days,
            now_us,
            pack_days=settings.past.pack_days,
            ahead_us=round(settings.recorder.future_limit_s * US_PER_S),
        )
        call.ready()
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(work) for work in (upkeep.run(), Expiring(store, now_us).run())]
            await call.during(recorder.run())
            await end(beside)
