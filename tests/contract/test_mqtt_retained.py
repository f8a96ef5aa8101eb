"""Retained messages of several gateways: one topic has one, the last in the log, whichever gateway is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.gateway import Gateway
from broadstreet.gateway.message import message_of
from broadstreet.gateway.retained import TIME_BYTES
from broadstreet.mqtt import Publish, Subscription
from tests.contract.mqtt_gateways import STATUS, come, publish, subscribe
from tests.contract.mqtt_site import POLL_S, POLLS, Site, now_us, open_gateway, open_site


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


@pytest.fixture
async def second(site: Site, data_dir: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(site.services, data_dir, name="gateway-2") as gateway:
        yield gateway
        await site.hang_up()


async def retains(gateway: Gateway, *payloads: bytes) -> None:
    """Wait until a gateway has these messages of d-0, and no other."""
    found: list[bytes] = []
    for _ in range(POLLS):
        found = [message.payload for message in gateway.broker.retained.matching("city", "devices/d-0/#")]
        if found == list(payloads):
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"{found} is retained, not {payloads}")


async def test_what_one_gateway_retains_another_brings_and_clears(site: Site, second: Gateway, data_dir: Path) -> None:
    first = await come(site, site.gateway, "first")
    await publish(first, b"on", retain=True)
    await retains(second, b"on")
    reader = await come(site, second, "reader")
    await subscribe(reader, Subscription(STATUS, 1))
    message = await reader.receive(Publish)
    assert (message.payload, message.retain) == (b"on", True)
    other = await come(site, second, "other")
    await publish(other, b"off", retain=True)
    await retains(site.gateway, b"off")
    await publish(first, b"", retain=True)
    await retains(second)
    async with open_gateway(site.services, data_dir, name="gateway-3") as later:
        await later.broker.retained.ready()
        await retains(later)
        await publish(first, b"again", retain=True)
        await retains(later, b"again")


async def test_of_two_at_once_the_last_in_the_log_stays_everywhere(site: Site, second: Gateway) -> None:
    senders = [await come(site, site.gateway, "a"), await come(site, second, "b")]

    async def send(at: int) -> None:
        for n in range(20):
            await publish(senders[at], b"" if n % 3 == 2 else b"%d-%d" % (at, n), retain=True)

    await asyncio.gather(send(0), send(1))
    last = list((await site.services.log.retained("city")).values())
    wanted = [message_of(frame[TIME_BYTES:], 0).payload for frame in last]
    for gateway in (site.gateway, second):
        await retains(gateway, *wanted)


async def test_what_was_cleared_is_forgotten_by_the_log_in_time_and_a_newer_message_is_not(
    site: Site, second: Gateway
) -> None:
    sender = await come(site, site.gateway)
    await publish(sender, b"on", retain=True)
    await publish(sender, b"", retain=True)
    await retains(second)
    state = (await site.services.log.stream_info("RETAINED")).state
    assert state.messages == 1, "that there is none is said"
    await site.gateway.broker.retained.forget(now_us())
    assert (await site.services.log.stream_info("RETAINED")).state.messages == 0
    await publish(sender, b"back", retain=True)
    await second.broker.retained.forget(now_us())
    await retains(second, b"back")
    assert list(await site.services.log.retained("city")) == [STATUS]


async def test_what_was_cleared_while_the_log_was_not_followed_is_gone_after(
    site: Site, second: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = await come(site, site.gateway)
    await publish(sender, b"on", retain=True)
    await retains(second, b"on")
    retained = second.broker.retained
    retained._begin()
    retained._loaded()  # nothing was found there
    await retains(second)
    await publish(sender, b"new", retain=True)
    await retains(second, b"new")
