"""The listener for test suites: anyone may use any topic there, and reaches nothing of a tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.model.errors import InvalidInput
from broadstreet.mqtt import Publish, Subscription
from broadstreet.mqtt.client import Client
from tests.contract.mqtt_site import Site, open_site


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


async def test_anyone_may_use_any_topic_and_hears_no_tenant(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    await site.gateway.open_to_anyone("127.0.0.1", 0)
    assert "lets anyone" in caplog.text
    heard: list[Publish] = []
    device = await site.connect()
    async with Client("127.0.0.1", site.gateway.open_listener.port, on_message=heard.append) as guest:
        assert await guest.subscribe(Subscription("#", 2), Subscription("$share/g/a/#", 2)) == (2, 2)
        device.send(Publish("readings", b"secret", 1, identifier=1))
        assert await guest.publish("devices/d-0/readings", b"forged") == 0
        assert await guest.publish("any/topic", b"x", retain=True) == 0
    assert [(message.topic, message.payload) for message in heard] == [
        ("devices/d-0/readings", b"forged"),
        ("any/topic", b"x"),
    ]
    assert [payload for _, _, payload in await site.kept()] == [b"secret"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "city.example"])
async def test_it_is_refused_where_others_could_reach_it(site: Site, host: str) -> None:
    with pytest.raises(InvalidInput, match="may not be reached from elsewhere"):
        await site.gateway.open_to_anyone(host, 0)
