"""QoS 2, both ways: each message once, however often its packets come (MQTT 3.1.1 and 5, section 4.3.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.gateway.limits import Limits
from broadstreet.log import StreamLimits
from broadstreet.mqtt import (
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
    Version,
)
from tests.contract.mqtt_site import V3, V5, Site, Wire, open_site

VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
NOT_FOUND = Reason.PACKET_IDENTIFIER_NOT_FOUND


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


async def subscribe(wire: Wire, topic_filter: str = "devices/#") -> None:
    wire.send(Subscribe(7, (Subscription(topic_filter, 2),)))
    assert (await wire.receive(SubAck)).reasons == (2,)


async def publish(wire: Wire, payload: bytes, identifier: int = 1, topic: str = "readings") -> None:
    wire.send(Publish(topic, payload, 2, identifier=identifier))
    assert await wire.receive(PubRec) == PubRec(identifier)
    wire.send(PubRel(identifier))
    assert await wire.receive(PubComp) == PubComp(identifier)


@VERSIONS
async def test_a_message_goes_through_once(site: Site, version: Version) -> None:
    person, device = await site.person(version=version), await site.connect(version=version)
    await subscribe(person)
    await publish(device, b"1")
    await publish(device, b"2")
    messages = [await person.receive(Publish) for _ in range(2)]
    assert [(message.payload, message.qos) for message in messages] == [(b"1", 2), (b"2", 2)]
    for message in messages:
        person.send(PubRec(message.identifier))
        assert await person.receive(PubRel) == PubRel(message.identifier)
        person.send(PubComp(message.identifier))
    assert await person.is_silent()
    assert [payload for _, _, payload in await site.kept()] == [b"1", b"2"]


@VERSIONS
async def test_the_same_identifier_before_its_release_goes_no_further(site: Site, version: Version) -> None:
    """MQTT-4.3.3-10 (5), MQTT-4.3.3-2 (3.1.1): answered again, and not handed on again."""
    person, device = await site.person(), await site.connect(version=version)
    await subscribe(person)
    for dup in (False, True, True):
        device.send(Publish("readings", b"1", 2, dup=dup, identifier=5))
        assert await device.receive(PubRec) == PubRec(5)
    device.send(PubRel(5))
    assert await device.receive(PubComp) == PubComp(5)
    device.send(Publish("readings", b"2", 2, identifier=5))
    assert await device.receive(PubRec) == PubRec(5)
    assert [payload for _, _, payload in await site.kept()] == [b"1", b"2"]
    assert [(await person.receive(Publish)).payload for _ in range(2)] == [b"1", b"2"]
    assert await person.is_silent()


async def test_what_is_released_twice_or_never_was_sent_is_not_found(site: Site) -> None:
    """MQTT 5, 3.6.2.1 and 3.7.2.1: reason 0x92. 3.1.1 has no such word."""
    device, old = await site.connect(), await site.connect("d-1", V3)
    for wire, reason in ((device, NOT_FOUND), (old, 0)):
        wire.send(PubRel(9))
        assert await wire.receive(PubComp) == PubComp(9, reason)
    person = await site.person()
    person.send(PubRec(3), PubComp(4), PubAck(5))
    assert await person.receive(PubRel) == PubRel(3, NOT_FOUND)
    assert await person.is_silent()


async def test_nothing_is_received_before_it_is_on_disk(site: Site) -> None:
    device = await site.connect()
    async with site.frozen_log():
        device.send(Publish("readings", b"1", 2, identifier=1), Publish("readings", b"1", 2, dup=True, identifier=1))
        assert await device.is_silent()
    assert await device.receive(PubRec) == PubRec(1)
    assert await device.receive(PubRec) == PubRec(1)
    assert len(await site.kept()) == 1


async def test_answers_of_all_kinds_keep_the_order_of_their_messages(site: Site) -> None:
    """MQTT-4.6.0-2, MQTT-4.6.0-3."""
    device = await site.connect()
    await publish(device, b"0", 9)
    device.send(
        Publish("readings", b"1", 2, identifier=1),
        Publish("readings", b"2", 1, identifier=2),
        Publish("devices/d-0/status", b"3", 2, retain=True, identifier=3),
        Publish("devices/other", b"4", 2, identifier=4),
        Publish("readings", b"5", 1, identifier=5),
    )
    assert await device.receive(PubRec) == PubRec(1)
    assert await device.receive(PubAck) == PubAck(2)
    assert await device.receive(PubRec) == PubRec(3)
    assert await device.receive(PubRec) == PubRec(4, Reason.NOT_AUTHORIZED)
    assert await device.receive(PubAck) == PubAck(5)


async def test_a_forbidden_message_is_refused_each_time(site: Site) -> None:
    """MQTT-4.3.3-9: after a PUBREC that refuses, the identifier is free."""
    device = await site.connect()
    for _ in range(2):
        device.send(Publish("devices/other", b"", 2, identifier=4))
        assert await device.receive(PubRec) == PubRec(4, Reason.NOT_AUTHORIZED)
    device.send(PubRel(4))
    assert await device.receive(PubComp) == PubComp(4, NOT_FOUND)


async def test_a_full_log_refuses_a_message_and_frees_its_identifier(site: Site) -> None:
    await site.services.log.ensure_streams(StreamLimits(raw_bytes=1_000_000))
    device = await site.connect()
    reasons = []
    for n in range(1, 4):
        device.send(Publish("readings", b"x" * 600_000, 2, identifier=n))
        reasons.append((await device.receive(PubRec)).reason)
    assert reasons == [0, Reason.QUOTA_EXCEEDED, Reason.QUOTA_EXCEEDED]
    device.send(PubRel(3))
    assert await device.receive(PubComp) == PubComp(3, NOT_FOUND)


async def test_messages_that_are_not_released_count(site: Site) -> None:
    """MQTT-3.3.4-7, MQTT-3.3.4-8: the receive maximum is of both kinds together, until PUBCOMP."""
    site.gateway.crowd.limits = Limits(in_flight=2)
    device = await site.connect()
    for n in (1, 2):
        device.send(Publish("readings", b"", 2, identifier=n))
        assert await device.receive(PubRec) == PubRec(n)
    device.send(Publish("readings", b"", 2, identifier=3))
    assert (await device.receive(Disconnect)).reason == Reason.RECEIVE_MAXIMUM_EXCEEDED


async def test_the_clients_receive_maximum_lasts_until_pubcomp(site: Site) -> None:
    """MQTT-4.9.0-2, MQTT-4.9.0-3."""
    person, device = await site.person(properties=Properties(receive_maximum=1)), await site.connect()
    await subscribe(person)
    await publish(device, b"1")
    await publish(device, b"2")
    first = await person.receive(Publish)
    person.send(PubRec(first.identifier))
    await person.receive(PubRel)
    assert await person.is_silent()
    person.send(PubComp(first.identifier))
    assert (await person.receive(Publish)).payload == b"2"


async def test_a_client_that_refuses_is_sent_no_more_of_it(site: Site) -> None:
    """MQTT 5, 4.3.3: a PUBREC of 0x80 or more ends the message; no PUBREL follows."""
    person, device = await site.person(properties=Properties(receive_maximum=1)), await site.connect()
    await subscribe(person)
    await publish(device, b"1")
    await publish(device, b"2")
    first = await person.receive(Publish)
    person.send(PubRec(first.identifier, Reason.QUOTA_EXCEEDED))
    second = await person.receive(Publish)
    assert second.payload == b"2"
    person.send(PubAck(second.identifier))
    assert await person.is_silent(), "a PUBACK says nothing of a QoS 2 message"
