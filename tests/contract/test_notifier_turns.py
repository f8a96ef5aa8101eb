"""Several notifiers of one house: one works, the others stand by and go on where it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from broadstreet.app.clock import now_us
from broadstreet.context import Contexts
from broadstreet.delivery import LOOPBACK, Receivers
from broadstreet.engines import Engines
from broadstreet.notifier import Carriers, Notifier
from tests.contract.notifying import BASE, City

TURN = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = hashtext('broadstreet notifier')::oid"


async def _holder(city: City, other_than: int | None = None) -> int:
    """The process of PostgreSQL that holds the turn, once there is one (another one)."""
    async with asyncio.timeout(30):
        while True:
            pid = await city.store.control.fetchval(TURN)
            if pid is not None and pid != other_than:
                return int(pid)
            await asyncio.sleep(0.02)


@pytest.fixture
async def second(city: City) -> AsyncIterator[Notifier]:
    """A notifier that came when the city's own was at work."""
    await _holder(city)
    async with Carriers(Receivers(LOOPBACK)) as carriers:
        contexts = Contexts(city.store, now_us, None)
        notifier = Notifier(city.log, city.store, contexts, carriers, base=BASE, clock=now_us, name="second")
        notifying = asyncio.create_task(notifier.run())
        yield notifier
        notifying.cancel()
        await asyncio.gather(notifying, return_exceptions=True)


async def test_one_works_and_another_goes_on(city: City, second: Notifier) -> None:
    kind = city.fresh("Lamp")
    await city.subscribe(f"/{kind}", kind)
    lamp = await city.create(kind, power=1)
    await city.patch(lamp, power=2)
    assert await city.receiver.values(f"/{kind}", "power", 2) == [1, 2]
    await city.read()
    assert second.meter.told == 0
    await city.stop()
    await city.patch(lamp, power=3)
    assert await city.receiver.values(f"/{kind}", "power", 3) == [1, 2, 3]
    assert second.meter.told >= 1
    await city.start()
    await city.patch(lamp, power=4)
    await city.read()
    assert await city.receiver.values(f"/{kind}", "power", 4) == [1, 2, 3, 4]


async def test_a_lost_connection_is_no_lost_change(engines: Engines, city: City, second: Notifier) -> None:
    """Whoever has the turn afterwards, it is one of them."""
    kind = city.fresh("Lamp")
    await city.subscribe(f"/{kind}", kind)
    lamp = await city.create(kind, power=0)
    before = await _holder(city)
    connection = await asyncpg.connect(engines.addresses.postgres_dsn)
    await connection.execute(f"SELECT pg_terminate_backend({before})")
    await connection.close()
    await _holder(city, other_than=before)
    for power in range(1, 6):
        await city.patch(lamp, power=power)
    told = await city.receiver.values(f"/{kind}", "power", 6)
    await city.quiet()
    told = await city.receiver.values(f"/{kind}", "power", 6)
    assert sorted(set(told)) == [0, 1, 2, 3, 4, 5] and told == sorted(told)
