"""A command's whole way by MQTT: ordered, offered by the recorder's process, answered by a device, applied."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.devices import Order
from broadstreet.engines import Engines
from broadstreet.mqtt.packets import PubAck, PubAckRun, Publish, SubAck, Subscribe, Subscription
from broadstreet.recorder import Recorder
from tests.contract.mqtt_site import PARTITIONS, POLL_S, POLLS, Site, now_us, open_site

DISPATCHER = Principal.account("ada", "Ada", "city", ["dispatcher"])


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


async def test_a_device_that_connects_late_gets_its_command_and_its_answer_is_applied(site: Site) -> None:
    city = await site.services.store.tenant("city")
    commands = site.services.commands
    order = Order(name="light", body={"on": True}, why="it is dark")
    ids = await commands.order(city, DISPATCHER, now_us(), {"d-0": site.keys["d-0"]}, order)
    for _ in range(POLLS):
        if (await commands.find(city, ids["d-0"])).offers:
            break
        await asyncio.sleep(POLL_S)
    device = await site.connect()
    device.send(Subscribe(7, (Subscription("devices/d-0/commands/+", 1),)))
    await device.receive(SubAck)
    offered = await device.receive(Publish)
    assert offered.topic == f"devices/d-0/commands/{ids['d-0']}" and json.loads(offered.payload)["body"] == {"on": True}
    answer = b'{"state": "acknowledged", "result": {"on": true}}'
    device.send(PubAck(offered.identifier), Publish(f"{offered.topic}/result", answer, 1, False, identifier=9))
    await device.receive(PubAckRun | PubAck)  # type: ignore[arg-type]  # isinstance takes a union
    for _ in range(POLLS):
        found = await commands.find(city, ids["d-0"])
        if found.state != "queued":
            break
        await asyncio.sleep(POLL_S)
    assert (found.state, found.result) == ("acknowledged", {"on": True})
