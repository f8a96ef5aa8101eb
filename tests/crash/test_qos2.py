"""A gateway is killed in the midst of QoS 2, at each step of it: what the client sends again counts once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broadstreet.mqtt import ConnAck, PubComp, Publish, PubRec, PubRel
from broadstreet.store import Database, Store
from tests.contract.mqtt_site import Wire, frozen
from tests.crash.crew import enlist
from tests.crash.exact import ExactDevice
from tests.crash.house import TrialHouse, free_port
from tests.crash.trial import settled
from tests.crash.verdict import SERIES, TENANT, until

IDENTIFIER = 5
"""One for all messages: each is released before it is used again."""
PATIENCE_S = 60.0
STORED = (
    f"SELECT count(*) = $1 FROM observation JOIN ({SERIES.strip()}) AS ours ON ours.key = series_key WHERE number = $2"
)
ALL_STORED = f"""
SELECT ours.id, array_agg(o.number ORDER BY o.observed_at) AS numbers
FROM observation o JOIN ({SERIES.strip()}) AS ours ON ours.key = o.series_key GROUP BY ours.id
"""
ALL_RELEASED = "SELECT count(*) = $1 FROM once_session WHERE open = ''"


class Client:
    """A device at QoS 2, step by step."""

    def __init__(self, device: ExactDevice, port: int) -> None:
        self.device = device
        self._port = port
        self._wire: Wire | None = None

    async def come(self, *, is_known: bool = True) -> None:
        """Connect, and find the session."""
        self.leave()
        self._wire = Wire(*await asyncio.open_connection("127.0.0.1", self._port), self.device.version)
        self._wire.send(self.device.hello())
        answer = await self._wire.receive(ConnAck)
        assert (answer.reason, answer.session_present) == (0, is_known)

    def leave(self) -> None:
        """Hang up; what is said and not read is lost."""
        if self._wire is not None:
            self._wire.abort()

    def publish(self, value: int, *, dup: bool = False) -> None:
        assert self._wire is not None
        self._wire.send(Publish("readings", b'{"v":%d}' % value, 2, dup=dup, identifier=IDENTIFIER))

    def release(self) -> None:
        assert self._wire is not None
        self._wire.send(PubRel(IDENTIFIER))

    async def is_received(self) -> None:
        assert self._wire is not None
        assert await self._wire.receive(PubRec) == PubRec(IDENTIFIER)

    async def is_complete(self) -> None:
        assert self._wire is not None
        assert await self._wire.receive(PubComp) == PubComp(IDENTIFIER)


class Trial:
    """A house, and clients of either version that all take the same step."""

    def __init__(self, house: TrialHouse, clients: list[Client], database: Database) -> None:
        self.house = house
        self.clients = clients
        self.database = database

    @asynccontextmanager
    async def frozen_log(self) -> AsyncIterator[None]:
        """NATS stands still inside the block."""
        pid = self.house.pid_of("nats-server")
        assert pid is not None
        async with frozen(pid):
            yield

    async def kill(self) -> None:
        """Kill the gateway, and come back to the one that takes its place."""
        victims = await self.house.kill(("gateway",))
        assert "gateway" in victims
        for client in self.clients:
            client.leave()
        await self.house.recover(victims)
        for client in self.clients:
            await client.come()

    async def send(self, value: int, *, dup: bool = False) -> None:
        for client in self.clients:
            client.publish(value, dup=dup)
        for client in self.clients:
            await client.is_received()

    async def complete(self) -> None:
        for client in self.clients:
            client.release()
        for client in self.clients:
            await client.is_complete()

    async def holds(self, question: str, *arguments: object) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await until(self.database, question, len(self.clients), *arguments)

    async def run(self) -> None:
        """A kill at each step; each message's value is new."""
        async with self.frozen_log():  # before PUBREC: the pack may be on disk, or not
            for client in self.clients:
                client.publish(1)
            await asyncio.sleep(0.1)
            victims = await self.house.kill(("gateway",))
        await self.house.recover(victims)
        for client in self.clients:
            await client.come()
        await self.send(1, dup=True)
        await self.complete()
        for client in self.clients:  # before PUBREC: the pack is on disk, and applied
            client.publish(2)
        await self.holds(STORED, 2.0)
        await self.kill()
        await self.send(2, dup=True)
        await self.complete()
        await self.send(3)
        await self.kill()  # between PUBREC and PUBREL
        await self.complete()
        await self.send(4)
        async with self.frozen_log():  # before PUBCOMP: the release may be on disk, or not
            for client in self.clients:
                client.release()
            await asyncio.sleep(0.1)
            victims = await self.house.kill(("gateway",))
        await self.house.recover(victims)
        for client in self.clients:
            await client.come()
        await self.complete()
        await self.send(5)
        for client in self.clients:  # before PUBCOMP: the release is on disk, and applied
            client.release()
        await self.holds(ALL_RELEASED)
        await self.kill()
        await self.complete()
        await self.send(6)  # and the identifier is free for another message
        await self.complete()


@pytest.mark.timeout(300)
async def test_a_gateway_killed_at_any_step_loses_nothing_and_doubles_nothing(data_dir: Path) -> None:
    house = TrialHouse(data_dir / "data", free_port)
    try:
        await house.up()
        crew = await enlist(house.addresses.postgres_dsn, house.settings.http.port)
        clients = [Client(device, house.settings.mqtt.port) for device in crew.exact[:4]]
        async with await Store.connect(house.addresses.postgres_dsn) as store:
            database = await store.tenant(TENANT)
            for client in clients:
                await client.come(is_known=False)
            await Trial(house, clients, database).run()
            for client in clients:
                client.leave()
            await settled(house)
            stored = {row["id"]: row["numbers"] for row in await database.fetch(ALL_STORED)}
        assert stored == {client.device.id: [1, 2, 3, 4, 5, 6] for client in clients}
    finally:
        await house.end()
