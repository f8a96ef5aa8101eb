"""Commands: to one device or many, offered until they are answered, each answer once, with who and why in the audit."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar

from broadstreet.apis import Services, create_app
from broadstreet.devices import DeviceSpec, Dispatcher, command
from broadstreet.gateway import Counters, HttpIngest, Packer, readings_router
from broadstreet.gateway.orders import LOOK_EVERY_S
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.recording import PROFILE, House, S
from tests.contract.test_http_server import FreePort, served

SECRET = "a-secret-that-is-long-enough-"
ORDER = {"name": "set-level", "body": {"level": 0.4}, "why": "the street is empty"}


class Site:
    """The API of a house with the devices `air-0` to `air-2`, two of them on Broadwick Street, and its dispatcher."""

    def __init__(self, services: Services, house: House, clock: Clock, tokens: dict[str, str]) -> None:
        self.services = services
        self.house = house
        self.clock = clock
        self.tokens = tokens
        self.packer = Packer(
            services.log, gateway="http-t", partitions=1, counters=Counters(), clock=clock, random_bytes=os.urandom
        )
        ingest = HttpIngest(services.store, self.packer, services.log, clock)
        self.app: Litestar = create_app(services, [readings_router(ingest)])
        self.dispatcher = Dispatcher(services.log, house.city, clock)
        self.out: list[tuple[str, dict[str, Any]]] = []

    async def ask(self, method: str, target: str, body: object = b"", role: str = "dispatcher") -> Answer:
        headers = {"authorization": f"Bearer {self.tokens[role]}"}
        return await ask(self.app, method, target, headers=headers, body=body)

    async def as_device(self, device: str, method: str, target: str, body: object = b"") -> Answer:
        credential = base64.b64encode(f"{device}:{SECRET}{device}".encode()).decode()
        return await ask(self.app, method, target, headers={"authorization": f"Basic {credential}"}, body=body)

    async def order(self, **more: object) -> dict[str, str]:
        """The id of each device's command."""
        answer = await self.ask("POST", "/v1/commands", {**ORDER, **more})
        assert answer.status == 201, answer.body
        return {one["device"]: one["id"] for one in answer.json}

    async def command(self, identifier: str) -> dict[str, Any]:
        answer = await self.ask("GET", f"/v1/commands/{identifier}")
        found: dict[str, Any] = answer.json
        return found

    async def dispatch(self) -> list[str]:
        """The topics that the dispatcher speaks to now."""
        async with self.services.log.messages_out() as messages:
            count = await self.dispatcher.dispatch()
            self.out = []
            async with asyncio.timeout(5):
                while len(self.out) < count:
                    message = await anext(messages)
                    self.out.append((message.topic, json.loads(message.payload)))
                    await message.done()
        return [topic for topic, _ in self.out]

    async def say(self, device: str, identifier: str, payload: object, *, at_s: float = 0) -> None:
        """What a device answers by MQTT, applied when this returns."""
        key = await self.house.city.fetchval("SELECT key FROM device WHERE id = $1", device)
        pack = self.house.pack([(key, self.clock() + round(at_s * S), payload)], topic=f"commands/{identifier}/result")
        self.house.sent = (await self.house.log.append_raw(pack)).sequence
        await self.house.record()

    async def saw(self, device: str, connected_us: int) -> None:
        """A gateway notes that a device has connected."""
        await self.house.city.execute(
            "INSERT INTO connection (device_key, gateway, connected_at) "
            "SELECT key, 'g', $2 FROM device WHERE id = $1 "
            "ON CONFLICT (device_key) DO UPDATE SET connected_at = $2, disconnected_at = NULL",
            device,
            connected_us,
        )


@pytest.fixture
async def site(services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    async def rest(_: Dispatcher) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Dispatcher, "run", rest)  # the recorder's; the test asks one of its own
    city = await services.store.tenant("city")
    house = House(services.store, services.log, city)
    house.now_us = clock()
    await services.registry.register_profile(city, PROFILE, principal="t", at_us=clock())
    specs = [
        DeviceSpec(
            id=f"air-{n}", title=f"Air {n}", profile="air", lon=lon, lat=51.5, street=street, secret=f"{SECRET}air-{n}"
        )
        for n, (lon, street) in enumerate(
            [(-0.13, "Broadwick Street"), (-0.12, "Broadwick Street"), (0.1, "Poland Street")]
        )
    ]
    await services.registry.register_many(city, specs, principal="t", at_us=clock())
    tokens = {}
    for role in ("dispatcher", "viewer", "analyst", "engineer"):
        await services.access.accounts.create(role, role, tenant="city", roles=[role], by="test")
        tokens[role] = (await services.access.tokens.issue(role, "api", "t", 10**6, by="test")).secret
    opened = Site(services, house, clock, tokens)
    yield opened
    await opened.packer.flush(5)


async def test_a_command_goes_out_and_its_answer_comes_back_once(site: Site) -> None:
    ids = await site.order(devices=["air-0"])
    identifier = ids["air-0"]
    assert (await site.command(identifier))["state"] == "queued"
    assert await site.dispatch() == [f"devices/air-0/commands/{identifier}"]
    assert site.out[0][1] == {
        "id": identifier,
        "name": "set-level",
        "body": {"level": 0.4},
        "ordered_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-01T13:00:00Z",
    }
    await site.say("air-0", identifier, {"state": "received"})
    assert (await site.command(identifier))["state"] == "delivered"
    await site.say("air-0", identifier, {"state": "acknowledged", "result": {"level": 0.4}}, at_s=1)
    await site.say("air-0", identifier, {"state": "rejected", "result": "too late"}, at_s=2)
    done = await site.command(identifier)
    assert (done["state"], done["result"], done["ended_at"]) == (
        "acknowledged",
        {"level": 0.4},
        "2026-03-01T12:00:01Z",
    )
    site.clock.forward(3000)
    assert await site.dispatch() == []
    assert await site.house.dead() == []


async def test_it_is_offered_again_with_growing_pauses_and_at_once_on_connecting(site: Site) -> None:
    await site.order(devices=["air-0"], lifetime_s=100)
    assert len(await site.dispatch()) == 1
    for pause_s in (5, 10, 20):
        site.clock.forward(pause_s - 1)
        assert await site.dispatch() == []
        site.clock.forward(1)
        assert len(await site.dispatch()) == 1
    site.clock.forward(1)
    await site.saw("air-0", site.clock())
    assert len(await site.dispatch()) == 1, "it has connected"
    assert await site.dispatch() == []
    site.clock.forward(100)
    assert await site.dispatch() == []
    (expired,) = (await site.ask("GET", "/v1/commands?state=expired")).json
    assert (expired["offers"], expired["ended_at"] is not None) == (5, True)
    assert [command.pause_s(n) for n in (1, 2, 7, 8, 9, 1000)] == [5, 10, 320, 600, 600, 600]


async def test_an_answer_that_comes_late_says_what_was_done(site: Site) -> None:
    identifier = (await site.order(devices=["air-0"], lifetime_s=5))["air-0"]
    site.clock.forward(6)
    await site.dispatch()
    assert (await site.command(identifier))["state"] == "expired"
    await site.say("air-0", identifier, {"state": "received"})
    assert (await site.command(identifier))["state"] == "expired"
    await site.say("air-0", identifier, {"state": "acknowledged"})
    assert (await site.command(identifier))["state"] == "acknowledged"


async def test_a_device_answers_its_own_commands_alone_and_what_is_no_answer_is_dead(site: Site) -> None:
    identifier = (await site.order(devices=["air-0"]))["air-0"]
    await site.say("air-1", identifier, {"state": "acknowledged"})
    assert (await site.command(identifier))["state"] == "queued"
    for wrong in (
        b"{",
        {"state": "done"},
        {"state": "acknowledged", "result": "x" * 20_000},
        b'{"state":"received","result":"\\u0000"}',
    ):
        await site.say("air-0", identifier, wrong)
    assert (await site.command(identifier))["state"] == "queued"
    letters = await site.house.dead()
    assert [letter.reason for letter in letters] == ["not JSON", *["wrong type"] * 3]
    assert {letter.topic for letter in letters} == {f"commands/{identifier}/result"}
    await site.say("air-0", "0" * 32, {"state": "received"})
    await site.say("air-0", "no-id", {"state": "received"})
    assert len(await site.house.dead()) == 4, "a topic of its own, and a command that nobody gave, are no fault"


CHOICES: list[tuple[dict[str, object], str]] = [
    ({"type": "AirQualityObserved"}, "012"),
    ({"street": "Broadwick Street"}, "01"),
    ({"area": [-0.125, 51, 0.2, 52]}, "12"),
    ({"area": [-0.125, 51, 0.2, 52], "street": "Broadwick Street"}, "1"),
    ({"type": "AirQualityObserved", "q": 'name=="Air 2"'}, "2"),
    ({"devices": ["air-2", "air-0"]}, "02"),
]
WRONG: list[tuple[dict[str, object], int]] = [
    ({}, 400),
    ({"devices": ["air-9"]}, 404),
    ({"type": "Streetlight"}, 404),
    ({"q": "NO2>1"}, 400),
    ({"devices": ["air-0"], "name": "set level"}, 400),
    ({"devices": ["air-0"], "why": " "}, 400),
    ({"devices": ["air-0"], "lifetime_s": 1}, 400),
    ({"devices": ["air-0"], "body": "x" * 20_000}, 413),
    ({"devices": ["air-0"], "body": "\u0000"}, 400),
    ({"devices": []}, 404),
]


async def test_a_selection_of_devices(site: Site) -> None:
    for choice, chosen in CHOICES:
        ids = await site.order(**choice)
        assert sorted(ids) == [f"air-{n}" for n in chosen], choice
        assert len(set(ids.values())) == len(ids)


async def test_a_command_that_cannot_be_given(site: Site) -> None:
    for wrong, status in WRONG:
        answer = await site.ask("POST", "/v1/commands", {**ORDER, **wrong})
        assert answer.status == status, (wrong, answer.body)
    assert (await site.ask("GET", "/v1/commands")).json == []


async def test_a_device_has_a_bounded_number_of_open_commands(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MAX_OPEN", 2)
    first = (await site.order(devices=["air-0"]))["air-0"]
    await site.order(devices=["air-0"])
    assert (await site.ask("POST", "/v1/commands", {**ORDER, "type": "AirQualityObserved"})).status == 429
    await site.say("air-0", first, {"state": "rejected"})
    assert len(await site.order(type="AirQualityObserved")) == 3


async def test_a_command_is_taken_back_and_each_step_is_audited(site: Site) -> None:
    identifier = (await site.order(devices=["air-0"]))["air-0"]
    target = f"/v1/commands/{identifier}/cancel"
    assert (await site.ask("POST", target, {"why": "a mistake"}, role="analyst")).status == 403
    assert (await site.ask("POST", target, {"why": ""})).status == 400
    assert (await site.ask("POST", target, {"why": "a mistake"})).json["state"] == "cancelled"
    assert (await site.ask("POST", target, {"why": "a mistake"})).status == 409
    assert await site.dispatch() == []
    lines = await site.services.access.audit.read("city", limit=10)
    said = [(e.principal, e.action, e.subject, e.detail["why"]) for e in lines if e.action.startswith("command.")]
    assert said == [
        ("dispatcher", "command.cancel", "air-0", "a mistake"),
        ("dispatcher", "command.order", "air-0", ORDER["why"]),
    ]


async def test_who_may_look_may_not_order(site: Site) -> None:
    assert (await site.ask("POST", "/v1/commands", {**ORDER, "devices": ["air-0"]}, role="analyst")).status == 403
    assert (await site.ask("GET", "/v1/commands", role="analyst")).status == 200
    assert (await site.ask("GET", "/v1/commands", role="viewer")).status == 403


async def test_a_device_fetches_and_answers_over_http(site: Site) -> None:
    target = "/v1/devices/air-0/commands"
    assert (await site.as_device("air-0", "GET", f"{target}/next")).status == 204
    polling = asyncio.create_task(site.as_device("air-0", "GET", f"{target}/next?wait_s=20"))
    await asyncio.sleep(0.1)
    identifier = (await site.order(devices=["air-0"]))["air-0"]
    offered = (await polling).json
    assert (offered["id"], offered["body"]) == (identifier, {"level": 0.4})
    assert (await site.command(identifier))["state"] == "delivered"
    assert (await site.as_device("air-0", "GET", f"{target}/next")).status == 204, "it has it"
    site.clock.forward(command.FIRST_PAUSE_S)
    assert await site.dispatch() == [f"devices/air-0/commands/{identifier}"]
    again = await site.as_device("air-0", "GET", f"{target}/next")
    assert again.json["id"] == identifier, "it did not answer; an offer by MQTT that nobody hears does not hide it"
    for wrong, status in (({"state": "done"}, 400), (b"", 400)):
        assert (await site.as_device("air-0", "POST", f"{target}/{identifier}/result", wrong)).status == status
    assert (await site.as_device("air-0", "POST", f"{target}/x/result", {"state": "received"})).status == 404
    answer = await site.as_device("air-0", "POST", f"{target}/{identifier}/result", {"state": "acknowledged"})
    assert answer.status == 202
    site.house.sent = (await site.house.log.stream_info("RAW")).state.last_seq
    await site.house.record()
    assert (await site.command(identifier))["state"] == "acknowledged"


async def test_who_has_hung_up_takes_no_command_away(site: Site, data_dir: Path, free_port: FreePort) -> None:
    port = free_port()
    async with served(data_dir, port, site.app), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as house:
        target, device = "/v1/devices/air-0/commands/next", ("air-0", f"{SECRET}air-0")
        with pytest.raises(httpx.ReadTimeout):
            await house.get(target, params={"wait_s": 20}, auth=device, timeout=httpx.Timeout(5, read=0.3))
        identifier = (await site.order(devices=["air-0"]))["air-0"]
        await asyncio.sleep(1.5 * LOOK_EVERY_S)  # by then it had been handed to nobody
        assert (await site.command(identifier))["state"] == "queued"
        assert (await house.get(target, auth=device)).json()["id"] == identifier


async def test_a_device_has_its_own_commands_alone(site: Site) -> None:
    identifier = (await site.order(devices=["air-0"]))["air-0"]
    assert (await site.as_device("air-1", "GET", "/v1/devices/air-0/commands/next")).status == 404
    body = {"state": "acknowledged"}
    target = f"/v1/devices/air-0/commands/{identifier}/result"
    assert (await site.as_device("air-1", "POST", target, body)).status == 404
    assert (await site.as_device("air-0", "POST", "/v1/commands", {**ORDER, "devices": ["air-1"]})).status == 403
    bridge = await site.ask("GET", "/v1/devices/air-0/commands/next", role="engineer")
    assert bridge.json["id"] == identifier, "a token that sends for devices fetches for them"
    assert (await site.ask("GET", "/v1/devices/air-9/commands/next", role="engineer")).status == 404


async def test_two_dispatchers_offer_each_command_once(site: Site) -> None:
    await site.order(type="AirQualityObserved")
    other = Dispatcher(site.services.log, site.house.city, site.clock)
    counts = await asyncio.gather(site.dispatcher.dispatch(), other.dispatch())
    assert sum(counts) == 3


async def test_pages_go_back_by_key(site: Site) -> None:
    for _ in range(3):
        await site.order(devices=["air-1"])
    first = (await site.ask("GET", "/v1/commands?device=air-1&limit=2")).json
    rest = (await site.ask("GET", f"/v1/commands?device=air-1&limit=2&before={first[-1]['key']}")).json
    assert len({one["id"] for one in first + rest}) == 3
