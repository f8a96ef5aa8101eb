"""The further forms of HTTP ingest: tables, packed bodies, requests under a key, and webhooks."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar

from broadstreet.apis import Services, create_app
from broadstreet.devices import DeviceSpec
from broadstreet.gateway import Counters, HttpIngest, Packer, inflating, readings_router
from broadstreet.gateway.keyed import KEY_LIFETIME_US
from broadstreet.log import Log, Pack, Position, encode_pack
from broadstreet.model.errors import DiskFull, EngineFailed
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.recording import PROFILE, T0_US, House, S

SECRET = "a-secret-that-is-long-enough-"
CSV, JSON = "text/csv", "application/json"


class Unsure:
    """A log that keeps a pack and then does not answer, from one pack on: as a killed process sees it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.answers = 10**9

    async def append_raw(self, pack: Pack) -> Position:
        position = await self.log.append_raw(pack)
        self.answers -= 1
        if self.answers < 0:
            raise EngineFailed("killed")
        return position


class Door:
    """HTTP ingest of a house with the devices `air-0` and `air-1`."""

    def __init__(self, services: Services, house: House, clock: Clock) -> None:
        self.services = services
        self.house = house
        self.log = Unsure(services.log)
        self.packer = Packer(
            services.log,
            gateway="http-t",
            partitions=1,
            counters=Counters(),
            clock=clock,
            random_bytes=os.urandom,
        )
        self.ingest = HttpIngest(services.store, self.packer, self.log, clock)  # type: ignore[arg-type]  # all that it asks of a log
        self.app: Litestar = create_app(services, [readings_router(self.ingest)])
        self.token = ""

    async def send(self, body: bytes, kind: str = CSV, *, device: str | None = None, **headers: str) -> Answer:
        """Send a body, as a device or with the token. headers: with _ for -."""
        authorization = f"Bearer {self.token}"
        if device is not None:
            authorization = "Basic " + base64.b64encode(f"{device}:{SECRET}{device}".encode()).decode()
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"authorization": authorization, "content-type": kind, **more}
        return await ask(self.app, "POST", "/v1/readings", headers=given, body=body)

    async def hook(self, body: object, secret: str, *, in_header: bool = False, **headers: str) -> Answer:
        """Call a webhook, as somebody without any other credential."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"content-type": JSON, **more, **({"x-webhook-secret": secret} if in_header else {})}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = "/v1/hook" if in_header else f"/v1/hook/{secret}"
        return await ask(self.app, "POST", target, headers=given, body=raw)

    async def make(self, **spec: object) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token}"}
        answer = await ask(self.app, "POST", "/v1/webhooks", headers=headers, body={"name": "w", **spec})
        assert answer.status == 201, answer.body
        made: dict[str, Any] = answer.json
        return made

    async def past(self, attribute: str = "NO2", device: str = "air-0") -> list[tuple[int, Any]]:
        """What a recorder has made of all that was kept."""
        self.house.sent = (await self.services.log.stream_info("RAW")).state.last_seq
        if self.house.sent:
            await self.house.record()
        return await self.house.past(attribute, device)


@pytest.fixture
async def door(services: Services, clock: Clock) -> AsyncIterator[Door]:
    city = await services.store.tenant("city")
    house = House(services.store, services.log, city)
    house.now_us = clock()
    await services.registry.register_profile(city, PROFILE, principal="t", at_us=T0_US)
    specs = [
        DeviceSpec(id=name, title=name, profile="air", lon=24.9, lat=60.2, secret=SECRET + name)
        for name in ("air-0", "air-1")
    ]
    await services.registry.register_many(city, specs, principal="t", at_us=T0_US)
    opened = Door(services, house, clock)
    await services.access.accounts.create("bridge", "Bridge", tenant="city", roles=["engineer"], by="test")
    opened.token = (await services.access.tokens.issue("bridge", "api", "test", 10**6, by="test")).secret
    yield opened
    await opened.packer.flush(5)


TABLE = b"""\xef\xbb\xbfdevice,ts,no2,data.t,status,list,colour
air-0,%d,31.5,215,"fine, so far",,red
air-1,%d,+7,,,"[1, 2]",
air-9,%d,1,,,,
air-0,%d,many,,,,
air-0,%d
,%d,1,,,,
air-0,,,,,,blue
"""


async def test_a_table_is_read_by_each_devices_profile(door: Door) -> None:
    body = TABLE % tuple(T0_US + n * S for n in range(6))
    answer = await door.send(body.replace(b"\n", b"\r\n"))
    assert (answer.status, answer.json["accepted"]) == (200, 2), answer.body
    assert {one["index"]: one["reason"] for one in answer.json["rejected"]} == {
        2: "there is no such device, or it is disabled",
        3: "no2 is to be a number, not 'many'",
        4: "it has 2 cells, the header 7",
        5: "it does not name its device in a column 'device'",
        6: "no cell of it is a field of the device's profile",
    }
    assert await door.past() == [(0.0, 31.5)]
    assert await door.past("temperature") == [(0.0, 21.5)]
    assert await door.past("status") == [(0.0, "fine, so far")]
    assert await door.past("NO2", "air-1") == [(1.0, 7.0)]
    assert await door.past("list", "air-1") == [(1.0, [1, 2])]
    assert await door.house.dead() == []


async def test_a_device_sends_its_own_table(door: Door) -> None:
    answer = await door.send(b"ts,no2\n%d,4\n\n%d,5\n" % (T0_US, T0_US + S), device="air-1")
    assert answer.json == {"accepted": 2, "rejected": []}
    assert await door.past("NO2", "air-1") == [(0.0, 4.0), (1.0, 5.0)]


async def test_what_is_no_table_is_refused_whole(door: Door) -> None:
    wrongs = [
        (b"", 400),
        (b"\xff,a\n", 400),
        (b"no2,no2\n1,2\n", 400),
        (b'no2\n"cut', 400),
        (b"no2\n" + b"1\n" * 100_001, 413),
    ]
    for body, status in wrongs:
        answer = await door.send(body, device="air-0")
        assert answer.status == status and answer.json["where"], (body[:20], answer.body)


async def test_a_packed_body_is_unpacked_within_a_bound(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"ts,no2\n%d,4\n" % T0_US
    packed = gzip.compress(rows[:5]) + gzip.compress(rows[5:])
    assert (await door.send(packed, device="air-0", content_encoding="gzip")).json["accepted"] == 1
    assert await door.past() == [(0.0, 4.0)]
    for wrong, status in ((packed[:-4], 400), (b"no gzip", 400), (packed + b"more", 400)):
        answer = await door.send(wrong, device="air-0", content_encoding="gzip")
        assert answer.status == status, answer.body
    assert (await door.send(packed, device="air-0", content_encoding="br")).status == 415
    monkeypatch.setattr(inflating, "MAX_INFLATED_BYTES", 1_000_000)
    bomb = gzip.compress(b"no2\n" + b"1\n" * 600_000)
    assert len(bomb) < 10_000
    assert (await door.send(bomb, device="air-0", content_encoding="gzip")).status == 413


async def test_a_request_under_a_key_counts_once(door: Door) -> None:
    """The readings have no time of their own: without a key each time would be another reading."""
    body = json.dumps([{"device": "air-0", "no2": n} for n in (1, 2)] + [{"device": "air-9"}]).encode()
    first = await door.send(body, JSON, idempotency_key="k-1")
    again = await door.send(body, JSON, idempotency_key="k-1")
    assert first.json["accepted"] == 2 and again.json == first.json
    assert [value for _, value in await door.past()] == [1, 2]
    other = await door.send(b'{"device": "air-0", "no2": 3}', JSON, idempotency_key="k-1")
    assert other.status == 409 and other.json["where"] == "Idempotency-Key"
    assert (await door.send(b'{"no2": 3}', JSON, device="air-0", idempotency_key="k-1")).json["accepted"] == 1
    for wrong in ("", "x" * 256, "a\tb"):
        assert (await door.send(body, JSON, idempotency_key=wrong)).status == 400
    door.ingest.refuse(DiskFull())
    assert (await door.send(body, JSON, idempotency_key="k-2")).status == 507


async def test_a_key_ends_after_a_day(door: Door, clock: Clock) -> None:
    body = b'{"no2": 1}'
    for _ in range(2):
        assert (await door.send(body, JSON, device="air-0", idempotency_key="k")).json["accepted"] == 1
        clock.forward(KEY_LIFETIME_US / S)
        door.house.now_us = clock()
    assert [value for _, value in await door.past()] == [1, 1]
    assert await door.house.city.fetchval("SELECT count(*) FROM keyed_request") == 1


@pytest.mark.parametrize("answered", [0, 1, 2])
async def test_a_request_that_was_killed_is_completed_by_the_same_request(door: Door, answered: int) -> None:
    """Its packs are in the log, and beyond the window in which JetStream remembers ids they come a second time."""
    items = [{"device": f"air-{n % 2}", "no2": n % 1000} for n in range(5_000)]
    body = b"\n".join(json.dumps(item).encode() for item in items)
    door.log.answers = answered
    assert (await door.send(body, "application/x-ndjson", idempotency_key="k")).status == 503
    door.log.answers = 10**9
    once_more: list[Pack] = []

    async def keep(pack: Pack) -> Position:
        once_more.append(pack)
        return Position("", 0)

    real, door.log.append_raw = door.log.append_raw, keep  # type: ignore[method-assign]  # what goes to the log
    assert (await door.send(body, "application/x-ndjson", idempotency_key="k")).json["accepted"] == 5_000
    door.log.append_raw = real  # type: ignore[method-assign]  # and as it was
    assert len(once_more) == 3
    for pack in once_more:
        await door.services.log.client.jetstream().publish("raw.city.0", encode_pack(pack))
    for device, parity in (("air-0", 0), ("air-1", 1)):
        sent = sorted(n % 1000 for n in range(5_000) if n % 2 == parity)
        assert sorted(value for _, value in await door.past("NO2", device)) == sent


async def test_a_webhook_speaks_for_the_devices_its_items_name(door: Door) -> None:
    made = await door.make(device_field="ids.device", items_field="batch.items")
    items = [{"ids": {"device": d}, "ts": T0_US, "no2": 5} for d in ("air-0", "air-1", "air-9")] + [{"no2": 1}]
    answer = await door.hook({"batch": {"items": items}}, made["secret"])
    assert answer.json["accepted"] == 2, answer.body
    assert [one["index"] for one in answer.json["rejected"]] == [2, 3]
    assert await door.past("NO2", "air-1") == [(0.0, 5.0)]
    wrongs: tuple[object, ...] = ({"batch": {}}, {"batch": 1}, [], b"{")
    for wrong in wrongs:
        assert (await door.hook(wrong, made["secret"])).status == 400, wrong


async def test_a_webhook_of_one_device_takes_its_secret_by_header_and_asks_for_a_signature(door: Door) -> None:
    made = await door.make(device="air-1", is_signed=True)
    assert made["path"] == f"/v1/hook/{made['secret']}"
    body = json.dumps({"device": "air-0", "ts": T0_US, "no2": 8}).encode()
    signed = "sha256=" + hmac.new(made["signing_key"].encode(), body, hashlib.sha256).hexdigest()
    answer = await door.hook(body, made["secret"], in_header=True, x_hub_signature_256=signed)
    assert answer.json == {"accepted": 1, "rejected": []}
    assert (await door.past(), await door.past("NO2", "air-1")) == ([], [(0.0, 8.0)])
    for signature in ("", signed[:-1], signed.replace("a", "b"), "ä"):
        assert (await door.hook(body, made["secret"], x_hub_signature_256=signature)).status == 401
    assert (await door.hook(body + b" ", made["secret"], x_signature=signed)).status == 401


async def test_a_webhooks_secret_opens_it_alone_and_until_it_is_removed(door: Door) -> None:
    made = await door.make(device="air-0")
    headers = {"authorization": f"Bearer {door.token}"}
    (listed,) = (await ask(door.app, "GET", "/v1/webhooks", headers=headers)).json
    assert listed["used_at"] is None and not {"secret", "signing_key"} & listed.keys()
    for secret in (made["secret"][:-1], "whk_", "", door.token):
        assert (await door.hook({"no2": 1}, secret, in_header=True)).status == 404
    assert (await door.hook({"no2": 1}, made["secret"], idempotency_key="k")).status == 200
    (listed,) = (await ask(door.app, "GET", "/v1/webhooks", headers=headers)).json
    assert listed["used_at"] == "2026-03-01T12:00:00Z"
    bearer = {"authorization": f"Bearer {made['secret']}"}
    assert (await ask(door.app, "GET", "/v1/devices", headers=bearer)).status == 401
    assert (await ask(door.app, "DELETE", "/v1/webhooks/w", headers=headers)).status == 204
    assert (await door.hook({"no2": 1}, made["secret"])).status == 404
    lines = await door.services.access.audit.read("city", limit=2)
    assert [(line.action, line.subject) for line in lines] == [("webhook.delete", "w"), ("webhook.create", "w")]


async def test_a_webhook_that_cannot_be_made(door: Door) -> None:
    await door.make(device="air-0")
    wrongs: list[tuple[dict[str, str], int]] = [
        ({"name": "W"}, 400),
        ({}, 400),
        ({"device": "air-0", "device_field": "d"}, 400),
        ({"device": "air-9"}, 404),
        ({"device_field": "a..b"}, 400),
        ({"device": "air-1"}, 409),
    ]
    headers = {"authorization": f"Bearer {door.token}"}
    for spec, status in wrongs:
        answer = await ask(door.app, "POST", "/v1/webhooks", headers=headers, body={"name": "w", **spec})
        assert answer.status == status, (spec, answer.body)
