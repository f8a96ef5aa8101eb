"""HTTP ingest: what is answered is on disk, each item is judged by itself, and over every bound is a clear refusal."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any, cast

import psutil
import pytest
from litestar import Litestar

from broadstreet.apis import Services, create_app
from broadstreet.devices import DeviceSpec
from broadstreet.engines import Engines
from broadstreet.gateway import Counters, HttpIngest, Packer, readings_router
from broadstreet.log import StreamLimits, decode_pack
from broadstreet.model.errors import DiskFull
from tests.asgi import Answer, ask
from tests.contract.mqtt_site import PARTITIONS, PROFILE, SECRET, now_us

JSON, NDJSON = "application/json", "application/x-ndjson"


class Door:
    """HTTP ingest with devices `d-0`, `d-1`, `plant:7`, and a token that may write for all of them."""

    def __init__(self, services: Services, app: Litestar, packer: Packer) -> None:
        self.services = services
        self.app = app
        self.packer = packer
        self.keys: dict[str, int] = {}
        self.token = ""

    async def send(self, body: bytes | object, kind: str = JSON, *, device: str | None = None) -> Answer:
        """Send a body, as a device or with the token."""
        if device is None:
            authorization = f"Bearer {self.token}"
        else:
            authorization = "Basic " + base64.b64encode(f"{device}:{SECRET}{device}".encode()).decode()
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": authorization, "content-type": kind}
        return await ask(self.app, "POST", "/v1/readings", headers=headers, body=raw)

    async def kept(self) -> dict[str, list[tuple[int, bytes]]]:
        """(received_us, payload) of what stands in RAW, by device."""
        found: dict[str, list[tuple[int, bytes]]] = {}
        names = {key: name for name, key in self.keys.items()}
        for partition in range(PARTITIONS):
            async with self.services.log.read_raw("city", partition, 0) as reader:
                while batch := await reader.fetch(100, 0.2):
                    for pack in (decode_pack(message.data) for message in batch):
                        assert set(pack.topic) == {"readings"}
                        for key, at_us, payload in zip(pack.device, pack.received_us, pack.payload, strict=True):
                            found.setdefault(names[key], []).append((at_us, payload))
        return found

    async def payloads(self) -> dict[str, list[bytes]]:
        """Payloads in RAW, by device."""
        return {name: [payload for _, payload in rows] for name, rows in (await self.kept()).items()}


@pytest.fixture
async def door(services: Services) -> AsyncIterator[Door]:
    packer = Packer(
        services.log,
        gateway="http-t",
        partitions=PARTITIONS,
        counters=Counters(),
        clock=now_us,
        random_bytes=os.urandom,
    )
    app = create_app(services, [readings_router(HttpIngest(services.store, packer, services.log, now_us))])
    opened = Door(services, app, packer)
    city = await services.store.tenant("city")
    await services.registry.register_profile(city, PROFILE, principal="test", at_us=1)
    specs = [
        DeviceSpec(id=i, title=i, profile="air", lon=24.9, lat=60.2, secret=SECRET + i)
        for i in ("d-0", "d-1", "plant:7")
    ]
    opened.keys = {
        one.id: one.key for one in await services.registry.register_many(city, specs, principal="t", at_us=1)
    }
    access = services.access
    await access.accounts.create("bridge", "Bridge", tenant="city", roles=["engineer"], by="test")
    opened.token = (await access.tokens.issue("bridge", "api", "test", 3600, by="test")).secret
    yield opened
    await packer.flush(5)


async def test_a_device_sends_one_several_or_many(door: Door) -> None:
    assert (await door.send({"no2": 1}, device="d-0")).json == {"accepted": 1, "rejected": []}
    assert (await door.send(b' [{"no2": 2} , {"no2":3}]\n', device="d-0")).json["accepted"] == 2
    lines = b"".join(b'{"no2":%d}\r\n' % n for n in range(4, 2000)) + b"\n\n"
    answer = await door.send(lines, NDJSON, device="d-0")
    assert (answer.status, answer.json) == (200, {"accepted": 1996, "rejected": []})
    rows = (await door.kept())["d-0"]
    assert [json.loads(payload)["no2"] for _, payload in rows] == list(range(1, 2000))
    assert rows[1][1] == b'{"no2": 2}', "as it came, byte for byte"
    assert all(before[0] < after[0] for before, after in pairwise(rows))


async def test_a_token_sends_for_the_devices_it_names(door: Door) -> None:
    items = [{"device": d, "no2": n} for n, d in enumerate(["d-0", "plant:7", "d-0", "d-9", "d-1"])]
    answer = await door.send(items)
    reason = "there is no such device, or it is disabled"
    assert answer.json == {"accepted": 4, "rejected": [{"index": 3, "reason": reason}]}
    assert {name: len(payloads) for name, payloads in (await door.payloads()).items()} == {
        "d-0": 2,
        "d-1": 1,
        "plant:7": 1,
    }


async def test_each_item_is_judged_by_itself(door: Door) -> None:
    lines = [
        b'{"device":"d-0","no2":1}',
        b'{"no2":2}',
        b"[1]",
        b"{oops",
        b'{"device":7}',
        b'{"device":"d-1"}',
        b"{},{}",
    ]
    answer = await door.send(b"\n".join(lines), NDJSON)
    assert answer.json["accepted"] == 2
    assert [one["index"] for one in answer.json["rejected"]] == [1, 2, 3, 4, 6]
    assert all(one["reason"] for one in answer.json["rejected"])
    assert await door.payloads() == {"d-0": [lines[0]], "d-1": [lines[5]]}


async def test_lines_that_are_whole_only_together_are_rejected(door: Door) -> None:
    """Two halves of an object and a line of two objects have as many items as lines when taken as one array."""
    answer = await door.send(b'{"a":1\n"b":2}\n{},{}', NDJSON, device="d-0")
    assert answer.json["accepted"] == 0
    assert [one["index"] for one in answer.json["rejected"]] == [0, 1, 2]


async def test_an_item_over_its_bound_is_rejected_alone(door: Door) -> None:
    answer = await door.send([{"x": "y" * 300_000}, {"no2": 1}], device="d-0")
    assert answer.json["accepted"] == 1
    assert "longer" in answer.json["rejected"][0]["reason"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", JSON, 400),
        (b"", JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b"[" * 5_000_000, JSON, 400),
        (b"no2=1", "application/x-www-form-urlencoded", 415),
        (b"[" + b"{}," * 100_000 + b"{}]", JSON, 413),
        (b"x" * (33 * 1024 * 1024), NDJSON, 413),
    ],
    ids=["cut", "nothing", "no text", "a deep well", "a form", "too many", "too large"],
)
async def test_a_body_that_cannot_be_taken(door: Door, body: bytes, kind: str, status: int) -> None:
    answer = await door.send(body, kind, device="d-0")
    assert answer.status == status, answer.body
    assert answer.json["detail"]
    assert await door.kept() == {}


async def test_who_may_not_send(door: Door) -> None:
    access = door.services.access
    await access.accounts.create("ada", "Ada", tenant="city", roles=["viewer"], by="test")
    door.token = (await access.tokens.issue("ada", "api", "test", 3600, by="test")).secret
    assert (await door.send([{"device": "d-0"}])).status == 403
    door.token = "bst_" + "x" * 43
    assert (await door.send([{"device": "d-0"}])).status == 401
    wrong = {"authorization": "Basic " + base64.b64encode(b"d-0:wrong").decode()}
    assert (await ask(door.app, "POST", "/v1/readings", headers=wrong, body={})).status == 401
    city = await door.services.store.tenant("city")
    await door.services.registry.disable(city, "d-0", 1)
    assert (await door.send({"no2": 1}, device="d-0")).status == 401


async def test_a_full_log_and_a_full_disk(door: Door) -> None:
    await door.services.log.ensure_streams(StreamLimits(raw_bytes=1_000_000))
    large = [{"x": "y" * 200_000} for _ in range(10)]
    answer = await door.send(large, device="d-0")
    assert answer.status == 503 or answer.json["rejected"]
    answer = await door.send([{"x": "y" * 250_000}] * 4, device="d-0")
    assert answer.status == 503
    assert answer.headers["retry-after"]
    door.packer.refuse(DiskFull())
    await asyncio.sleep(0)
    assert (await door.send({"no2": 1}, device="d-0")).status == 507


def stop(pid: int) -> None:
    """Stop a process, and wait until it has: a signal is sent before it has come."""
    os.kill(pid, signal.SIGSTOP)
    while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)


async def test_the_answer_waits_for_the_disk(door: Door, engines: Engines) -> None:
    pid = cast(int, engines.keepers["nats-server"].pid)
    stop(pid)
    try:
        sending = asyncio.create_task(door.send({"no2": 1}, device="d-0"))
        done, _ = await asyncio.wait({sending}, timeout=1)
        assert not done
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (await sending).json == {"accepted": 1, "rejected": []}
    assert await door.payloads() == {"d-0": [b'{"no2": 1}']}


async def test_many_requests_at_once_are_all_kept_or_told_to_come_again(door: Door) -> None:
    answers = await asyncio.gather(*(door.send({"no2": n}, device="d-1") for n in range(200)))
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {200, 429}
    kept: Any = await door.payloads()
    assert len(kept["d-1"]) == statuses.count(200)
