"""A new device asks for its credential over MQTT, and can do nothing else until it has one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from broadstreet.app.device import DeviceWish, enrolled, parse_house
from broadstreet.devices import KeySpec
from broadstreet.engines import Engines
from broadstreet.model.errors import NotAllowed, NotSignedIn
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Disconnect,
    Properties,
    PubAck,
    PubAckRun,
    Publish,
    Reason,
    SubAck,
    Subscribe,
    Subscription,
    Version,
)
from tests.contract.mqtt_site import V3, V5, Site, Wire, now_us, open_site


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


async def new_key(site: Site, **more: Any) -> str:
    city = await site.services.store.tenant("city")
    spec = KeySpec(name="k", profile="air", max_devices=2, pattern="n-*", lon=24.9, lat=60.2, **more)
    return (await site.services.provisioning.create(city, spec, by="test", at_us=now_us())).secret


async def knock(site: Site, key: str, version: Version = V5) -> tuple[Wire, ConnAck]:
    wire = await site.wire(version)
    wire.send(Connect("n", version, True, 60, "provision", key.encode()))
    return wire, await wire.receive(ConnAck)


async def subscribed(site: Site, key: str, version: Version, topic: str = "provision/answer") -> Wire:
    wire, answer = await knock(site, key, version)
    assert answer.reason == 0
    wire.send(Subscribe(1, (Subscription(topic, 1),)))
    assert (await wire.receive(SubAck)).reasons == (0,)
    return wire


@pytest.mark.parametrize("version", [V5, V3])
async def test_a_new_device_asks_and_comes_in_as_itself(site: Site, version: Version) -> None:
    wire = await subscribed(site, await new_key(site), version)
    wire.send(Publish("provision", b'{"hardware_id": "n-1", "title": "New"}', 1, identifier=7))
    await wire.receive(PubAck | PubAckRun)  # type: ignore[arg-type]  # isinstance takes a union
    answer = json.loads((await wire.receive(Publish)).payload)
    assert (answer["state"], answer["id"]) == ("admitted", "n-1")
    await site.connect("n-1", version, password=answer["secret"])
    wire.send(Publish("provision", b'{"hardware_id": "other"}'))
    refused = json.loads((await wire.receive(Publish)).payload)
    assert (refused["state"], refused["status"]) == ("refused", 403)
    wire.send(Publish("provision", b"[]"))
    assert json.loads((await wire.receive(Publish)).payload)["status"] == 400


async def test_it_is_answered_where_and_under_what_it_says(site: Site) -> None:
    wire = await subscribed(site, await new_key(site), V5, "provision/n-1")
    properties = Properties(response_topic="provision/n-1", correlation_data=b"42")
    wire.send(Publish("provision", b'{"hardware_id": "n-1"}', properties=properties))
    answer = await wire.receive(Publish)
    assert (answer.topic, answer.properties.correlation_data) == ("provision/n-1", b"42")


@pytest.mark.parametrize("topic", ["readings", "devices/d-0/readings", "provision/answer"])
async def test_a_key_publishes_nowhere_else(site: Site, topic: str) -> None:
    wire = await subscribed(site, await new_key(site), V5)
    wire.send(Publish(topic, b'{"no2": 1}', 1, identifier=2))
    assert (await wire.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED
    assert await site.packs() == []


async def test_a_key_hears_nothing_else(site: Site) -> None:
    wire, _ = await knock(site, await new_key(site))
    wire.send(Subscribe(1, (Subscription("devices/#", 1), Subscription("#"), Subscription("devices/d-0/commands/+"))))
    assert (await wire.receive(SubAck)).reasons == (Reason.NOT_AUTHORIZED,) * 3


async def test_a_key_that_does_not_hold_is_turned_away(site: Site) -> None:
    _, answer = await knock(site, "pvk_nobody")
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD


async def test_a_device_of_ones_own_enrols_and_remembers(site: Site, tmp_path: Path) -> None:
    key = await new_key(site)
    url = f"mqtt://127.0.0.1:{site.port}"
    wish = DeviceWish(tmp_path, url, device="n-1", key=key)
    first = await enrolled(wish, parse_house(url))
    assert await enrolled(wish, parse_house(url)) == first
    assert await site.services.registry.authenticate("n-1", first.secret, at_us=now_us()) is not None
    with pytest.raises(NotAllowed, match="not for"):
        await enrolled(DeviceWish(tmp_path / "b", url, device="x", key=key), parse_house(url))
    with pytest.raises(NotSignedIn):
        await enrolled(DeviceWish(tmp_path / "c", url, device="n-2", key="pvk_x"), parse_house(url))
