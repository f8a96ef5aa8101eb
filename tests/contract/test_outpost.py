"""A device of one's own beside a real gateway and recorder: each reading counts once, each command is executed once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.devices import CommandRow, Order
from broadstreet.engines import Engines
from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.mqtt import Publish, Subscribe, Subscription
from broadstreet.mqtt.packets import SubAck, Version
from broadstreet.outpost import (
    Actuator,
    Credential,
    DeviceClock,
    HttpLink,
    Lines,
    Link,
    Memory,
    MqttAddress,
    MqttLink,
    Outpost,
    Sensor,
)
from broadstreet.outpost.actuator import DONE
from broadstreet.recorder import Recorder
from tests.contract.house import portal_of, whole_app
from tests.contract.mqtt_site import PARTITIONS, POLL_S, POLLS, SECRET, V3, V5, Site, now_us, open_site
from tests.contract.test_http_server import FreePort, served

DISPATCHER = Principal.account("ada", "Ada", "city", ["dispatcher"])
FIRST_US = 1_772_366_400_000_000
MANY = 1_000
ALMOST_AT_ONCE = 1e-3


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    """A gateway with devices, and a recorder at work."""
    async with open_site(services, engines, data_dir) as opened:
        recorder = Recorder(services.log, services.store, range(PARTITIONS), clock=now_us)
        recording = asyncio.create_task(recorder.run())
        yield opened
        recording.cancel()
        with suppress(asyncio.CancelledError):
            await recording


class Field:
    """A folder of the device `d-0`, and the device in it while it runs."""

    def __init__(self, folder: Path, port: int, version: Version = V5) -> None:
        self.folder = folder
        self.link: Link = MqttLink(
            MqttAddress("127.0.0.1", port, version), Credential("d-0", SECRET + "d-0"), chance=lambda: 0.0
        )
        self.table = folder / "readings.csv"
        self._ending = asyncio.Event()

    def write(self, first: int, last: int) -> None:
        """More lines of the table, one a second."""
        with self.table.open("a") as file:
            if not first:
                file.write("ts,no2\n")
            file.writelines(f"{format_rfc3339(FIRST_US + n * US_PER_S)},{n}\n" for n in range(first, last))

    async def run_to_the_end(self) -> None:
        """Be the device until all lines are told."""
        with Memory(self.folder, 100_000) as memory:
            await self._outpost(memory, Lines.of_file(self.table, "ts")).run(self._ending)

    @asynccontextmanager
    async def running(self, clock: Callable[[], int] = now_us) -> AsyncIterator[Memory]:
        """The device with a sensor, until the block ends; then it ends in order."""
        with Memory(self.folder, 100_000) as memory:
            sensor = Sensor(lambda _: {"no2": 1}, 3_600, "ts")
            running = asyncio.create_task(self._outpost(memory, sensor, clock).run(self._ending))
            try:
                yield memory
            finally:
                self._ending.set()
                await running
                self._ending.clear()

    def _outpost(self, memory: Memory, source: Any, own: Callable[[], int] = now_us) -> Outpost:
        clock = DeviceClock(memory, own)
        return Outpost(memory, clock, source, Actuator(memory, clock), self.link, chance=lambda: ALMOST_AT_ONCE)


async def recorded(site: Site, wanted: int) -> list[float]:
    """The values of d-0's NO2, once there are so many."""
    city = await site.services.store.tenant("city")
    for _ in range(POLLS):
        rows = await city.fetch(
            "SELECT o.number FROM observation o JOIN series s ON s.key = o.series_key JOIN device d"
            " ON d.entity_key = s.entity_key JOIN term t ON t.key = s.term_key"
            " WHERE d.id = 'd-0' AND t.iri LIKE '%NO2' ORDER BY o.observed_at"
        )
        if len(rows) >= wanted:
            return [row["number"] for row in rows]
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"{len(rows)} of {wanted} are recorded")


async def order(site: Site, name: str, body: Any) -> str:
    """A command for d-0."""
    city = await site.services.store.tenant("city")
    one = Order(name=name, body=body, why="a test")
    ids = await site.services.commands.order(city, DISPATCHER, now_us(), {"d-0": site.keys["d-0"]}, one)
    return ids["d-0"]


async def answered(site: Site, command: str) -> CommandRow:
    """A command once its device has answered."""
    city = await site.services.store.tenant("city")
    for _ in range(POLLS):
        found = await site.services.commands.find(city, command)
        if found.state in ("acknowledged", "rejected"):
            return found
        await asyncio.sleep(POLL_S)
    raise AssertionError(found)


@pytest.mark.parametrize("version", [V5, V3])
async def test_a_file_is_told_once_and_read_on_where_it_was_left(site: Site, tmp_path: Path, version: Version) -> None:
    field = Field(tmp_path, site.port, version)
    field.write(0, MANY)
    await field.run_to_the_end()
    field.write(MANY, MANY + 5)
    await field.run_to_the_end()
    await field.run_to_the_end()  # nothing is left to tell
    assert await recorded(site, MANY + 5) == [float(n) for n in range(MANY + 5)]
    assert len([1 for _, topic, _ in await site.kept() if topic == "readings"]) == MANY + 5


async def test_what_nobody_took_waits_on_disk_for_the_next_start(
    site: Site, tmp_path: Path, free_port: FreePort
) -> None:
    field = Field(tmp_path, free_port())  # nobody listens there
    async with field.running() as memory:
        await memory.to_send.wait()
    field.link = Field(tmp_path, site.port).link
    async with field.running() as memory:
        async with asyncio.timeout(30):
            await memory.is_told.wait()
    assert len(await recorded(site, 2)) == 2


async def test_a_command_is_executed_once_and_answered_as_often_as_it_is_offered(site: Site, tmp_path: Path) -> None:
    field = Field(tmp_path, site.port)
    onlooker = await site.person()
    onlooker.send(Subscribe(1, (Subscription("devices/d-0/commands/+/result", 0),)))
    await onlooker.receive(SubAck)
    async with field.running() as memory:
        command = await order(site, "set-level", {"level": 0.4})
        found = await answered(site, command)
        assert (found.state, found.result) == ("acknowledged", {"level": 0.4, "was": None})
        assert json.loads((await onlooker.receive(Publish)).payload)["result"] == {"level": 0.4, "was": None}
    async with field.running() as memory:  # it has restarted, and is offered the same once more
        topic = f"devices/d-0/commands/{command}"
        offer = {"id": command, "name": "set-level", "body": {"level": 0.4}, "expires_at": format_rfc3339(now_us() * 2)}
        await site.services.log.publish_out("city", "d-0", topic, json.dumps(offer).encode())
        again = json.loads((await onlooker.receive(Publish)).payload)
        assert again == {"state": "acknowledged", "result": {"level": 0.4, "was": None}}
        assert memory.fact(DONE) == 1


async def test_what_it_cannot_do_it_rejects_with_words(site: Site, tmp_path: Path) -> None:
    async with Field(tmp_path, site.port).running():
        unknown = await answered(site, await order(site, "fly", {}))
        assert unknown.state == "rejected" and "it cannot fly" in unknown.result["why"]
        wrong = await answered(site, await order(site, "set-level", {"level": 40}))
        assert wrong.state == "rejected" and "0 to 1" in wrong.result["why"]


async def test_a_clock_that_runs_wrong_is_set_right_by_the_house(site: Site, tmp_path: Path) -> None:
    field = Field(tmp_path, site.port)
    async with field.running(lambda: now_us() + 7 * 86_400 * US_PER_S) as memory:
        async with asyncio.timeout(30):
            await memory.is_told.wait()  # its first reading was sent, so that it has met the house
        command = await answered(site, await order(site, "identify", None))
        assert command.state == "acknowledged"  # by its own clock it was over for days
    assert abs(memory_offset_s(field) + 7 * 86_400) < 60


def memory_offset_s(field: Field) -> float:
    """How far the device knows its clock to be off."""
    with Memory(field.folder, 1) as memory:
        return float(memory.fact("clock.offset_us")) / US_PER_S


async def test_who_watches_sees_it_come_and_go(site: Site, tmp_path: Path) -> None:
    onlooker = await site.person()
    onlooker.send(Subscribe(1, (Subscription("devices/d-0/status", 0),)))
    await onlooker.receive(SubAck)
    async with Field(tmp_path, site.port).running():
        assert json.loads((await onlooker.receive(Publish)).payload)["state"] == "online"
    assert json.loads((await onlooker.receive(Publish)).payload)["state"] == "offline"


class Moody:
    """The house over HTTP, which first asks each who comes for patience."""

    def __init__(self, app: Any, refusals: int) -> None:
        self._app = app
        self.refusals = refusals

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not self.refusals:
            await self._app(scope, receive, send)
            return
        self.refusals -= 1
        headers = [(b"retry-after", b"0"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": b"not now"})


async def test_over_http_readings_and_commands_go_the_same_way(
    site: Site, data_dir: Path, tmp_path: Path, free_port: FreePort
) -> None:
    moody = Moody(whole_app(site.services, portal_of(site.services, data_dir)), 3)
    port = free_port()
    async with served(data_dir / "http", port, moody):
        field = Field(tmp_path, 0)
        field.link = HttpLink(
            f"http://127.0.0.1:{port}", Credential("d-0", SECRET + "d-0"), chance=lambda: ALMOST_AT_ONCE
        )
        field.write(0, MANY)
        await field.run_to_the_end()
        assert await recorded(site, MANY) == [float(n) for n in range(MANY)]
        assert moody.refusals == 0
        async with field.running():
            found = await answered(site, await order(site, "set-interval", {"interval_s": 60}))
            assert (found.state, found.result) == ("acknowledged", {"interval_s": 60.0, "was": None})
