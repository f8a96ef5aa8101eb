"""Several gateways, and lives of one: a session belongs to one of them at a time, and none loses what waits for it.

A gateway that is left standing while another takes its place is, for the log, one that was killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.gateway import Gateway
from broadstreet.gateway.message import Message, message_of
from broadstreet.gateway.peer import Peer
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Decoder,
    Disconnect,
    Properties,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Reason,
    SubAck,
    Subscribe,
    Subscription,
)
from tests.contract.mqtt_site import POLL_S, POLLS, SECRET, V5, Site, Wire, open_gateway, open_site

STATUS = "devices/d-0/status"


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


@pytest.fixture
async def second(site: Site, data_dir: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(site.services, data_dir, name="gateway-2") as gateway:
        yield gateway
        await site.hang_up()


async def come(site: Site, gateway: Gateway, client_id: str = "c", *, expiry_s: int = 3600) -> tuple[Wire, ConnAck]:
    wire = Wire(*await asyncio.open_connection("127.0.0.1", gateway.listener.port), V5)
    site.wires.append(wire)
    asked = Properties(session_expiry_s=expiry_s)
    wire.send(Connect(client_id, V5, False, 0, "d-0", f"{SECRET}d-0".encode(), None, asked))
    return wire, await wire.receive(ConnAck)


async def subscribe(wire: Wire, topic_filter: str = "devices/d-0/#", qos: int = 2) -> None:
    wire.send(Subscribe(7, (Subscription(topic_filter, qos),)))
    assert (await wire.receive(SubAck)).reasons == (qos,)


async def publish(wire: Wire, payload: bytes, identifier: int = 1) -> None:
    wire.send(Publish(STATUS, payload, 1, identifier=identifier))
    assert (await wire.receive(PubAck)).reason == 0


async def knows(gateway: Gateway, topic_filter: str = STATUS) -> None:
    """Wait until a gateway has read of a subscription."""
    for _ in range(POLLS):
        if gateway.broker.subscriptions("city").match(topic_filter):
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("the other gateway never hears of the subscription")


async def is_away(gateway: Gateway) -> None:
    """Wait until a gateway has read that the client has gone."""
    for _ in range(POLLS):
        kept = await gateway.broker.directory.find(Peer("city", "device", "d-0"), "c")
        if kept is not None and kept.record.away_us:
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("the other gateway never hears that the client has gone")


async def test_a_session_moves_to_another_gateway_with_what_waits(site: Site, second: Gateway) -> None:
    wire, _ = await come(site, site.gateway)
    await subscribe(wire)
    wire.send(Disconnect())
    assert await wire.ended()
    await knows(second)
    sender, _ = await come(site, second, "sender", expiry_s=0)
    await publish(sender, b"1")
    wire, answer = await come(site, second)
    assert answer.session_present
    assert (await wire.receive(Publish)).payload == b"1"


async def test_two_gateways_one_client_the_first_is_sent_away(site: Site, second: Gateway) -> None:
    """MQTT-3.1.4-3, between gateways."""
    first, _ = await come(site, site.gateway)
    await subscribe(first)
    await knows(second)
    later, answer = await come(site, second)
    assert answer.session_present
    assert (await first.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert await first.ended()
    sender, _ = await come(site, site.gateway, "sender", expiry_s=0)
    await publish(sender, b"1")
    message = await later.receive(Publish)
    assert message.payload == b"1"
    later.send(PubAck(message.identifier), Disconnect())
    assert await later.ended()
    await is_away(site.gateway)
    back, answer = await come(site, site.gateway)
    assert answer.session_present
    assert await back.is_silent()


async def test_a_session_outlives_its_gateway(site: Site, data_dir: Path) -> None:
    """Subscriptions, what waits, and how far a QoS 2 message came, after a gateway that wrote nothing more."""
    wire, _ = await come(site, site.gateway)
    await subscribe(wire, STATUS)
    sender, _ = await come(site, site.gateway, "sender", expiry_s=0)
    sender.send(Publish(STATUS, b"two", 2, identifier=1))
    assert await sender.receive(PubRec) == PubRec(1)
    sender.send(Publish(STATUS, b"more", 2, identifier=2))
    assert await sender.receive(PubRec) == PubRec(2)
    await publish(sender, b"one", 3)
    messages = [await wire.receive(Publish) for _ in range(3)]
    assert [(one.payload, one.qos) for one in messages] == [(b"two", 2), (b"more", 2), (b"one", 1)]
    wire.send(PubRec(messages[0].identifier))
    assert await wire.receive(PubRel) == PubRel(messages[0].identifier)
    async with open_gateway(site.services, data_dir, name="gateway-t") as heir:
        wire, answer = await come(site, heir)
        assert answer.session_present
        assert await wire.receive(PubRel) == PubRel(messages[0].identifier)
        again = [await wire.receive(Publish) for _ in range(2)]
        assert [(one.payload, one.identifier) for one in again] == [
            (one.payload, one.identifier) for one in messages[1:]
        ]
        wire.send(PubComp(messages[0].identifier), PubRec(again[0].identifier), PubAck(again[1].identifier))
        assert await wire.receive(PubRel) == PubRel(again[0].identifier)


async def test_what_the_house_sends_while_no_gateway_is_there_arrives(
    services: Services, engines: Engines, data_dir: Path
) -> None:
    async with open_site(services, engines, data_dir) as site:
        wire, _ = await come(site, site.gateway)
        await subscribe(wire, "devices/d-0/commands/+", 1)
        await services.log.publish_out("city", "d-0", "devices/d-0/commands/x", b"first")
        message = await wire.receive(Publish)
        assert message.payload == b"first"
        wire.send(PubAck(message.identifier), Disconnect())
        assert await wire.ended()
    await services.log.publish_out("city", "d-0", "devices/d-0/commands/x", b"on")
    async with open_gateway(services, data_dir) as gateway:
        site = Site(services, gateway, engines)
        wire, answer = await come(site, gateway)
        assert answer.session_present
        assert (await wire.receive(Publish)).payload == b"on"
        await site.hang_up()


async def test_sessions_of_a_gone_life_are_put_away_and_end(site: Site, data_dir: Path) -> None:
    wire, _ = await come(site, site.gateway, expiry_s=1)
    await subscribe(wire)
    async with open_gateway(site.services, data_dir, name="gateway-t") as heir:
        assert (await wire.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
        for _ in range(POLLS):
            if not len(heir.broker.directory):
                break
            await asyncio.sleep(POLL_S)
        _, answer = await come(site, heir)
        assert not answer.session_present


async def test_while_the_log_is_away_a_session_cannot_be_opened_and_others_go_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadstreet.log.log.PUBLISH_TIMEOUT_S", 0.2)
    monkeypatch.setattr("broadstreet.log.sessions.PUBLISH_TIMEOUT_S", 0.2)
    wire, _ = await come(site, site.gateway, expiry_s=0)
    async with site.frozen_log():
        _, answer = await come(site, site.gateway, "other")
        assert answer.reason == Reason.SERVER_UNAVAILABLE
        wire.send(Publish("readings", b"{}", 1, identifier=1))
        assert await wire.is_silent()
    assert await wire.receive(PubAck) == PubAck(1)


def test_a_decoder_of_version_5_reads_what_is_queued() -> None:
    """Frames in the log are MQTT's own, so that any tool can read them."""
    message = Message("a/b", b"x", 5, qos=2, retain=True, properties=Properties(content_type="text/plain"))
    decoder = Decoder(V5)
    decoder.feed(message.frame())
    packet = decoder.next()
    assert isinstance(packet, Publish)
    assert (packet.topic, packet.payload, packet.qos, packet.retain) == ("a/b", b"x", 2, True)
    again = message_of(message.frame(), 5)
    assert (again.topic, again.payload, again.qos, again.properties) == ("a/b", b"x", 2, message.properties)
