"""The live stream: readings in batches, states, who appears, the answer; a slow page is let go, a revoked one too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broadstreet.access.route import SESSION_COOKIE
from broadstreet.apis import Services
from broadstreet.model.errors import EngineFailed, TooMany
from broadstreet.portal import live, town
from broadstreet.portal.live import MAX_CLIENTS, MAX_WAITING, Client, Clients
from tests.asgi import Conversation, converse
from tests.contract.conftest import Clock
from tests.contract.house import portal_of
from tests.contract.portal_house import PortalHouse, air, open_portal

WAIT_S = 20.0


@pytest.fixture
async def house(
    services: Services, data_dir: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PortalHouse]:
    monkeypatch.setattr(town, "BATCH_S", 0.05)
    monkeypatch.setattr(town, "TICK_S", 0.1)
    monkeypatch.setattr(live, "AWAKE_S", 0.2)
    async with open_portal(services, data_dir, clock) as opened:
        yield opened


class Page:
    """An open page: the events it has heard, by name."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self._rest = ""
        self._passed: dict[str, list[Any]] = {}

    async def until(self, name: str) -> Any:
        """The next event of a name; others are kept until they are asked for."""
        if self._passed.get(name):
            return self._passed[name].pop(0)
        async with asyncio.timeout(WAIT_S):
            while True:
                event, found, rest = self._rest.partition("\n\n")
                if not found:
                    piece = await self.conversation.pieces.get()
                    assert piece is not None, "the stream has ended"
                    self._rest += piece.decode()
                    continue
                self._rest = rest
                head, _, data = event.partition("\n")
                if not head.startswith("event: "):
                    continue
                body = json.loads(data.removeprefix("data: "))
                if head == f"event: {name}":
                    return body
                self._passed.setdefault(head.removeprefix("event: "), []).append(body)

    async def until_closed(self) -> None:
        """Return when the server ends the stream."""
        async with asyncio.timeout(WAIT_S):
            while await self.conversation.pieces.get() is not None:
                pass


@asynccontextmanager
async def page(house: PortalHouse) -> AsyncIterator[Page]:
    async with converse(house.app, "GET", "/portal/api/live", headers={"cookie": house.cookie}) as conversation:
        assert conversation.status == 200
        assert conversation.headers["content-type"].startswith("text/event-stream")
        opened = Page(conversation)
        await opened.until("system")
        yield opened


async def test_readings_come_in_batches_with_the_newest_of_each(house: PortalHouse) -> None:
    await house.register(air("a-1"), air("a-2"))
    async with page(house) as opened:
        for no2 in (20.0, 21.0, 250.0):
            house.clock.forward(1)
            await house.air("a-1", no2)
        items: dict[tuple[str, str], list[Any]] = {}
        while items.get(("urn:ngsi-ld:AirQualityObserved:a-1", "NO2"), [0])[0] != 250.0:
            batch = await opened.until("readings")
            items |= {(entity, name): rest for entity, name, *rest in batch["items"]}
    assert items == {("urn:ngsi-ld:AirQualityObserved:a-1", "NO2"): [250.0, house.clock() // 1000, True]}


async def test_a_new_device_appears_and_then_speaks(house: PortalHouse) -> None:
    async with page(house) as opened:
        await house.register(air("a-1", lon=24.9, lat=60.1))
        await house.city()  # another page has it already
        appeared = await opened.until("appeared")
        assert (appeared["device"], appeared["state"], appeared["lon"]) == ("a-1", "never", 24.9)
        await house.air("a-1", 20)
        assert (await opened.until("readings"))["items"][0][:3] == [appeared["id"], "NO2", 20.0]
        assert (await opened.until("states"))["items"][0][1] == "live"


async def test_who_falls_silent_is_told_and_the_answer_changes(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    await house.air("a-1", 20)
    async with page(house) as opened:
        assert (await opened.until("answer"))["tone"] == "fine"
        house.clock.forward(3600)
        ((entity, state, heard_at),) = (await opened.until("states"))["items"]
        assert (entity, state, heard_at) == ("urn:ngsi-ld:AirQualityObserved:a-1", "silent", "2026-03-01T12:00:00Z")
        assert (await opened.until("answer"))["tone"] == "degraded"


async def test_a_silent_device_that_is_disabled_or_enabled_is_told(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    told = [["urn:ngsi-ld:AirQualityObserved:a-1", "never", None]]
    async with page(house) as opened:
        for method, path in (("DELETE", "/v1/devices/a-1"), ("POST", "/v1/devices/a-1/enable")):
            assert (await house.ask(path, method)).status == 204
            assert (await opened.until("states"))["items"] == told


async def test_a_table_that_is_imported_is_told_as_no_silence(
    house: PortalHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(town, "RELOAD_EVERY_TICKS", 1)
    await house.register(air("a-1"))
    async with page(house) as opened:
        await opened.until("system")
        await house.bring_in("a-1", "NO2", [house.clock() - 3600 * 1_000_000], [20.0])
        assert (await opened.until("states"))["items"] == [["urn:ngsi-ld:AirQualityObserved:a-1", "imported", None]]
        assert (await opened.until("answer"))["tone"] == "fine"


async def test_the_system_figures_are_those_that_were_reported(house: PortalHouse) -> None:
    async with page(house) as opened:
        for second in range(3):
            at_us = house.clock() + second * 1_000_000
            gateway = {"name": "g", "pid": 1, "at_us": at_us, "counters": {"kept": 100 * second, "connections": 7}}
            meter = {"readings": 300 * second, "at_us": at_us}
            await house.services.log.announce("metrics.gateway.g", msgspec.json.encode(gateway))
            recorder = {"name": "r", "pid": 2, "lag_s": 0.25, "meter": meter}
            await house.services.log.announce("metrics.recorder.r", msgspec.json.encode(recorder))
        async with asyncio.timeout(WAIT_S):
            while (figures := await opened.until("system"))["readings_per_s"] != 300:
                pass
    assert figures == {"readings_per_s": 300, "lag_s": 0.25, "connections": 7, "dead": 0}


async def test_a_stream_ends_with_the_session_that_opened_it(house: PortalHouse) -> None:
    async with page(house) as opened:
        secret = house.cookie.removeprefix(f"{SESSION_COOKIE}=")
        await house.services.access.sign_in.sign_out(secret, by="root")
        await opened.until_closed()


async def test_a_page_that_leaves_is_forgotten(house: PortalHouse) -> None:
    of_city = (await house.portal.town("city")).clients
    async with page(house):
        assert len(of_city) == 1
    assert len(of_city) == 0


async def test_who_comes_after_a_cancellation_was_lost_is_told_all(
    house: PortalHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.register(air("a-1"))
    watched = await house.portal.town("city")
    fingerprint, is_armed, waits, lost = watched.loader.fingerprint, False, asyncio.Event(), asyncio.Event()

    async def loses() -> Any:
        if is_armed and not lost.is_set():
            waits.set()
            try:
                await asyncio.sleep(WAIT_S)
            except asyncio.CancelledError:  # as NATS's client does where an answer comes in the same moment
                lost.set()
        return await fingerprint()

    monkeypatch.setattr(watched.loader, "fingerprint", loses)
    async with page(house):
        is_armed = True
        await waits.wait()
    await lost.wait()
    async with page(house) as opened:
        await house.air("a-1", 20)
        assert (await opened.until("readings"))["items"][0][2] == 20.0


async def test_a_slow_page_is_let_go() -> None:
    clients = Clients()
    client = clients.open()

    async def holds() -> bool:
        return True

    stream = client.stream(holds)
    await anext(stream)
    for number in range(MAX_WAITING + 1):
        clients.tell("readings", number)
    assert [event async for event in stream] == []


async def test_pages_are_bounded() -> None:
    clients = Clients()
    opened = [clients.open() for _ in range(MAX_CLIENTS)]
    with pytest.raises(TooMany):
        clients.open()
    clients.close(opened[0])
    assert isinstance(clients.open(), Client)


async def test_a_stream_is_cancelled_even_as_an_event_comes() -> None:
    clients = Clients()
    client = clients.open()

    async def holds() -> bool:
        return True

    stream = client.stream(holds)
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    clients.tell("readings", 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_portal_ends_with_its_bodys_own_error(services: Services, data_dir: Path) -> None:
    with pytest.raises(TooMany, match="of the body"):
        async with portal_of(services, data_dir):
            raise TooMany("of the body")


async def test_a_city_is_read_ahead_of_whoever_asks_first(house: PortalHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.register(air("a-1"))
    await house.portal.warm()

    async def read_again(*_: object) -> None:
        raise AssertionError("the bars were read again")

    monkeypatch.setattr(town, "read_bars", read_again)
    assert [sensor["device"] for sensor in (await house.get("/portal/api/city"))["sensors"]] == ["a-1"]


async def test_a_city_read_ahead_while_it_was_empty_shows_the_history_that_came(house: PortalHouse) -> None:
    await house.portal.warm()
    await house.register(air("a-1"))
    await house.air("a-1", 20, at_us=house.clock() - 7_200_000_000)
    await house.air("a-1", 30)
    assert len([level for level in (await house.sensor("a-1"))["bars"] if level is not None]) == 2


async def test_what_cannot_be_read_ahead_hinders_no_start(house: PortalHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_: object) -> None:
        raise EngineFailed("PostgreSQL does not answer")

    monkeypatch.setattr(town.Town, "roster", fails)
    await house.portal.warm()
