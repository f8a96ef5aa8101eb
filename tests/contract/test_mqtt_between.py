"""Messages between gateways: who subscribes at one gets what comes to another, or by HTTP, as if there were one."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.gateway import Counters, Exchange, Gateway, HttpIngest, Packer
from broadstreet.gateway.http import Sent
from broadstreet.gateway.words import Batch, Claim, decode_word
from broadstreet.log.ending import end
from broadstreet.log.sessions import SessionLog
from broadstreet.mqtt import (
    Disconnect,
    Publish,
    Reason,
    Subscription,
)
from tests.contract.mqtt_gateways import STATUS, come, knows, met, publish, standing_still, subscribe
from tests.contract.mqtt_site import PARTITIONS, Site, now_us, open_gateway, open_site

SHARED = "$share/desk/devices/d-0/#"


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


@pytest.fixture
async def second(site: Site, data_dir: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(site.services, data_dir, name="gateway-2") as gateway:
        yield gateway
        await site.hang_up()


@pytest.fixture
async def third(site: Site, data_dir: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(site.services, data_dir, name="gateway-3") as gateway:
        yield gateway
        await site.hang_up()


async def test_what_comes_to_one_gateway_reaches_subscribers_at_another(site: Site, second: Gateway) -> None:
    """At the QoS they asked for, in order, with what belongs to the message."""
    near, far = await come(site, second, "near"), await come(site, site.gateway, "far")
    await subscribe(near, Subscription(STATUS, 2, retain_as_published=True))
    await knows(site.gateway.broker.exchange)
    for qos in (0, 1, 2):
        await publish(far, b"%d" % qos, qos, content_type="text/plain")
    await publish(far, b"kept", 1, retain=True)
    messages = [await near.receive(Publish) for _ in range(4)]
    assert [(one.payload, one.qos) for one in messages] == [(b"0", 0), (b"1", 1), (b"2", 2), (b"kept", 1)]
    assert messages[1].properties.content_type == "text/plain"
    assert [one.retain for one in messages] == [False, False, False, True]
    near.send(Disconnect())
    assert await near.ended()
    await knows(site.gateway.broker.exchange, 0)


async def test_each_subscriber_gets_a_message_once(site: Site, second: Gateway) -> None:
    """Lasting or not, at this gateway or the other, by one filter or several."""
    sender = await come(site, site.gateway, "sender")
    wires = [
        await come(site, site.gateway, "a"),
        await come(site, second, "b"),
        await come(site, second, "c", expiry_s=3600),
        await come(site, second, "d", expiry_s=3600),
    ]
    for wire in wires:
        await subscribe(wire, Subscription(STATUS, 1), Subscription("devices/d-0/#", 0))
    await knows(site.gateway.broker.exchange, 4)
    await publish(sender, b"0", 0)
    await publish(sender, b"1", 1)
    for wire in wires:
        assert {(await wire.receive(Publish)).payload for _ in range(2)} == {b"0", b"1"}
    for wire in wires:
        assert await wire.is_silent(0.1)


async def test_what_nobody_elsewhere_wants_is_not_sent(site: Site, second: Gateway) -> None:
    said: list[object] = []
    client = site.services.log.client
    near, sender = await come(site, second, "near"), await come(site, site.gateway, "sender")
    await subscribe(near, Subscription("devices/d-0/other", 1))
    await knows(site.gateway.broker.exchange, topic="devices/d-0/other")
    listening = await client.subscribe("between.*")
    await publish(sender, b"x")
    await client.flush()
    while listening.pending_msgs:
        said.append(decode_word((await listening.next_msg()).data))
    await listening.unsubscribe()
    assert not [word for word in said if isinstance(word, Batch)]


async def test_of_a_share_one_member_gets_each_message_wherever_it_is(
    site: Site, second: Gateway, third: Gateway
) -> None:
    """MQTT 5, 4.8.2: of members at three gateways, lasting and not, in turn; and whoever leaves is left out."""
    sender = await come(site, site.gateway, "sender")
    members = [
        await come(site, site.gateway, "a"),
        await come(site, second, "b"),
        await come(site, second, "c"),
        await come(site, third, "d", expiry_s=3600),
    ]
    for wire in members:
        await subscribe(wire, Subscription(SHARED, 1))
    await knows(site.gateway.broker.exchange, 0, shares=4)
    for n in range(8):
        await publish(sender, b"%d" % n)
    heard = [[(await wire.receive(Publish)).payload for _ in range(2)] for wire in members]
    assert sorted(payload for part in heard for payload in part) == [b"%d" % n for n in range(8)]
    for wire in members:
        assert await wire.is_silent(0.1)
    for wire in members[:3]:
        wire.send(Disconnect())
        assert await wire.ended()
    await knows(site.gateway.broker.exchange, 0, shares=1)
    await publish(sender, b"last")
    assert (await members[3].receive(Publish)).payload == b"last"
    await publish(sender, b"lost", 0)
    assert (await members[3].receive(Publish)).payload == b"lost"


async def test_a_gateway_that_stands_still_is_forgotten_and_its_part_goes_to_others(
    site: Site, second: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = await come(site, site.gateway, "near"), await come(site, second, "far")
    sender = await come(site, site.gateway, "sender")
    for wire in (near, far):
        await subscribe(wire, Subscription(SHARED, 1))
    await knows(site.gateway.broker.exchange, 0, shares=2)
    monkeypatch.setattr("broadstreet.gateway.neighbours.GONE_AFTER_S", 1.5)
    with standing_still(second):
        for n in range(4):
            await publish(sender, b"%d" % n)
        await knows(site.gateway.broker.exchange, 0, shares=1)
        heard = [(await near.receive(Publish)).payload for _ in range(4)]
    assert sorted(heard) == [b"0", b"1", b"2", b"3"]


async def test_who_missed_what_changed_is_told_all(site: Site, second: Gateway) -> None:
    """Another process hears a wish, then is deaf for a while."""
    wire = await come(site, site.gateway)
    with standing_still(second):
        await subscribe(wire, Subscription(STATUS, 1))
    await knows(second.broker.exchange)
    sender = await come(site, second, "sender")
    await publish(sender, b"x")
    assert (await wire.receive(Publish)).payload == b"x"


async def test_a_member_that_has_just_left_passes_its_message_on(site: Site, second: Gateway, third: Gateway) -> None:
    """A gateway may still think that there is a member where there is none."""
    gone, left = await come(site, second, "gone"), await come(site, third, "left")
    sender = await come(site, site.gateway, "sender")
    for wire in (gone, left):
        await subscribe(wire, Subscription(SHARED, 1))
    await knows(site.gateway.broker.exchange, 0, shares=2)
    await knows(second.broker.exchange, 0, shares=2)
    session = next(one for one in second.broker.sessions())
    second.broker.subscriptions("city").remove(session, SHARED)  # of which the others have not heard
    for n in range(4):
        await publish(sender, b"%d" % n)
    assert sorted([(await left.receive(Publish)).payload for _ in range(4)]) == [b"0", b"1", b"2", b"3"]
    second.broker.subscriptions("city").add(session, Subscription(SHARED, 1))


async def test_one_client_at_two_gateways_the_older_connection_ends(site: Site, second: Gateway) -> None:
    """MQTT-3.1.4-3, for sessions that end with their connection, to and fro."""
    await met(site.gateway, second)
    first = await come(site, site.gateway)
    later = await come(site, second)
    assert (await first.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert await first.ended()
    assert await later.is_silent(0.1)
    last = await come(site, site.gateway)
    assert (await later.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert await last.is_silent(0.1)
    lasting = await come(site, second, expiry_s=3600)
    assert (await last.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    again = await come(site, site.gateway)
    assert (await lasting.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert await again.is_silent(0.1)


async def test_of_two_claims_at_once_one_stands(site: Site, second: Gateway) -> None:
    await met(site.gateway, second)
    wires = await asyncio.gather(come(site, site.gateway), come(site, second))
    ended = [asyncio.create_task(wire.ended()) for wire in wires]
    done, open_still = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    done, _ = await asyncio.wait(open_still, timeout=0.3)
    assert not done
    for task in open_still:
        task.cancel()


async def test_a_claim_is_heard_by_a_session_that_is_still_being_opened(
    site: Site, second: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await met(site.gateway, second)
    broker, claimed, may_go_on = site.gateway.broker, asyncio.Event(), asyncio.Event()
    settle, hear = broker.wills.settle, broker._claimed

    async def settle_slowly(place: tuple[str, str], *, resumed: bool) -> None:
        claimed.set()
        await may_go_on.wait()
        await settle(place, resumed=resumed)

    def heard(claim: Claim, holder: str) -> None:
        hear(claim, holder)
        may_go_on.set()

    monkeypatch.setattr(broker.wills, "settle", settle_slowly)
    monkeypatch.setattr(broker.exchange.neighbours, "_claimed", heard)
    opening = asyncio.create_task(come(site, site.gateway))
    await claimed.wait()
    later, first = await come(site, second), await opening
    assert (await first.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert await later.is_silent(0.1)


async def test_what_the_house_sends_reaches_a_device_once_wherever_it_is(site: Site, second: Gateway) -> None:
    """Each message of OUT is one gateway's, which puts it into queues and hands it on."""
    near, lasting = await come(site, second, "near"), await come(site, site.gateway, "lasting", expiry_s=3600)
    for wire in (near, lasting):
        await subscribe(wire, Subscription("devices/d-0/commands/+", 1))
    for gateway in (site.gateway, second):
        await knows(gateway.broker.exchange, 2, topic="devices/d-0/commands/x")
    for n in range(6):
        await site.services.log.publish_out("city", "d-0", "devices/d-0/commands/x", b"%d" % n)
    for wire in (near, lasting):
        assert sorted([(await wire.receive(Publish)).payload for _ in range(6)]) == [b"%d" % n for n in range(6)]
        assert await wire.is_silent(0.1)


class Http:
    """HTTP ingest as a process of its own has it."""

    def __init__(self, services: Services) -> None:
        counters = Counters()
        self.packer = Packer(
            services.log,
            gateway="gateway-http",
            partitions=PARTITIONS,
            counters=counters,
            clock=now_us,
            random_bytes=os.urandom,
        )
        self.exchange = Exchange(
            SessionLog(services.log),
            counters,
            name="gateway-http",
            has_sessions=False,
            clock=now_us,
            random_bytes=os.urandom,
        )
        self.ingest = HttpIngest(services.store, self.packer, services.log, now_us, self.exchange)


@pytest.fixture
async def http(site: Site) -> AsyncIterator[Http]:
    opened = Http(site.services)
    work = asyncio.create_task(opened.exchange.run())
    yield opened
    await opened.packer.flush(1)
    await opened.exchange.finish(1)
    await end([work])


@pytest.mark.parametrize("key", [None, "a-key"])
async def test_readings_by_http_reach_subscribers(site: Site, http: Http, key: str | None) -> None:
    """Those that are kept, whether a client is here or comes later."""
    here, away = await come(site, site.gateway, "here"), await come(site, site.gateway, "away", expiry_s=3600)
    for wire in (here, away):
        await subscribe(wire, Subscription("devices/d-0/readings", 1))
    away.send(Disconnect())
    assert await away.ended()
    await knows(http.exchange, 2, topic="devices/d-0/readings")
    body = json.dumps([{"device": "d-0", "no2": 1}, {"device": "nobody", "no2": 2}, {"device": "d-0", "no2": 3}])
    caller = Principal("bridge", "Bridge", "account", "city", frozenset(), frozenset())
    sent = Sent(body=body.encode(), content_type="application/json", key=key)
    for _ in range(2 if key else 1):
        receipt = await http.ingest.take(caller, sent)
        assert receipt.accepted == 2
    back = await come(site, site.gateway, "away", expiry_s=3600, clean=False)
    for wire in (here, back):
        messages = [await wire.receive(Publish) for _ in range(2)]
        assert [(json.loads(one.payload)["no2"], one.qos) for one in messages] == [(1, 1), (3, 1)]
        assert await wire.is_silent(0.1)
