"""Wills of several gateways: each is published once, whatever becomes of the gateway that its client was at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.gateway import Gateway
from broadstreet.mqtt import Disconnect, Properties, Publish, Reason, Subscription, Will
from tests.contract.mqtt_gateways import STATUS, come, knows, subscribe
from tests.contract.mqtt_process import gateway_process
from tests.contract.mqtt_site import POLL_S, POLLS, Site, open_gateway, open_site

GONE_AFTER_S = 1.5


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


@pytest.fixture
async def second(site: Site, data_dir: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(site.services, data_dir, name="gateway-2") as gateway:
        yield gateway
        await site.hang_up()


def will(payload: bytes, delay_s: int = 0, *, retain: bool = False) -> Will:
    return Will(STATUS, payload, 1, retain, Properties(will_delay_s=delay_s or None))


async def has_sessions(gateway: Gateway, count: int) -> None:
    """Wait until so many sessions are left that outlive their connections."""
    for _ in range(POLLS):
        if len(gateway.broker.directory) == count:
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"{len(gateway.broker.directory)} sessions are left, not {count}")


async def knows_wills(gateway: Gateway, count: int) -> None:
    """Wait until a gateway knows of so many wills."""
    for _ in range(POLLS):
        if len(gateway.broker.wills) == count:
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"{len(gateway.broker.wills)} wills are known, not {count}")


async def test_the_will_of_a_client_whose_gateway_is_killed_is_published_once(
    site: Site,
    second: Gateway,
    services_dsn: str,
    nats_url: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By one of two that find out, at once or after its delay; for subscribers, for queues, retained, and in RAW."""
    monkeypatch.setattr("broadstreet.gateway.neighbours.GONE_AFTER_S", GONE_AFTER_S)
    reader, lasting = await come(site, site.gateway, "reader"), await come(site, second, "lasting", expiry_s=3600)
    for wire in (reader, lasting):
        await subscribe(wire, Subscription(STATUS, 1))
    await knows(second.broker.exchange, 2)
    async with gateway_process(services_dsn, nats_url, "gateway-9", data_dir) as other:
        await come(site, other, "a", will=will(b"at once", retain=True))
        await come(site, other, "b", expiry_s=3600, will=will(b"later", 2))
        polite = await come(site, other, "c", will=will(b"never"))
        short = await come(site, other, "d", expiry_s=1)
        await subscribe(short, Subscription(STATUS, 1))
        await knows_wills(second, 3)
        polite.send(Disconnect())
        assert await polite.ended()
        await knows_wills(second, 2)
        await other.kill()
        for wire in (reader, lasting):
            assert [(await wire.receive(Publish)).payload for _ in range(2)] == [b"at once", b"later"]
        for gateway in (site.gateway, second):
            await knows_wills(gateway, 0)
        for wire in (reader, lasting):
            assert await wire.is_silent()
    assert sorted(payload for _, _, payload in await site.kept()) == [b"at once", b"later"]
    await has_sessions(second, 2)
    queue = (await site.services.log.stream_info("QUEUE")).state
    assert queue.messages <= 2, "the session that was to outlive its client by a second has none there any more"
    late = await come(site, second, "late")
    await subscribe(late, Subscription(STATUS, 0))
    assert (await late.receive(Publish)).payload == b"at once"


async def test_a_gateway_that_starts_again_publishes_the_wills_of_its_last_life(site: Site, data_dir: Path) -> None:
    """The last life is left standing, and says nothing."""
    await come(site, site.gateway, "a", will=will(b"gone"))
    async with open_gateway(site.services, data_dir, name="gateway-t") as heir:
        for _ in range(POLLS):
            if await site.kept():
                break
            await asyncio.sleep(POLL_S)
        await knows_wills(heir, 0)
        await knows_wills(site.gateway, 0)
        await site.hang_up()
    assert [payload for _, _, payload in await site.kept()] == [b"gone"]


async def test_a_will_is_void_where_its_client_resumes_elsewhere_in_time(site: Site, second: Gateway) -> None:
    """MQTT-3.1.3-9: its gateway says nothing when the delay is over; without a delay the will goes out (3.1.2-8)."""
    reader = await come(site, site.gateway, "reader")
    await subscribe(reader, Subscription(STATUS, 1))
    wire = await come(site, site.gateway, expiry_s=3600, will=will(b"no", 1))
    await knows_wills(second, 1)
    wire.abort()
    wire = await come(site, second, expiry_s=3600, clean=False)
    await knows_wills(site.gateway, 0)
    assert await reader.is_silent(1.5)
    wire = await come(site, site.gateway, expiry_s=3600, clean=False, will=will(b"taken over"))
    await knows_wills(second, 1)
    await come(site, second, expiry_s=3600, clean=False)
    assert (await wire.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert (await reader.receive(Publish)).payload == b"taken over"
    assert await reader.is_silent()


async def test_a_session_that_begins_anew_elsewhere_ends_the_delay(site: Site, second: Gateway) -> None:
    reader = await come(site, site.gateway, "reader")
    await subscribe(reader, Subscription(STATUS, 1))
    wire = await come(site, site.gateway, expiry_s=3600, will=will(b"gone", 60))
    wire.abort()
    await knows_wills(second, 1)
    await knows(second.broker.exchange, 1)
    await come(site, second, expiry_s=3600)
    assert (await reader.receive(Publish)).payload == b"gone"
    assert await reader.is_silent()


async def test_a_will_that_waits_while_its_gateway_stops_is_published_by_another(
    site: Site, second: Gateway, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadstreet.gateway.neighbours.GONE_AFTER_S", GONE_AFTER_S)
    reader = await come(site, second, "reader")
    await subscribe(reader, Subscription(STATUS, 1))
    async with open_gateway(site.services, data_dir, name="gateway-3") as third:
        wire = await come(site, third, expiry_s=3600, will=will(b"later", 1))
        wire.abort()
    assert (await reader.receive(Publish)).payload == b"later"
