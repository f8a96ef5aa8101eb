"""Sessions that outlive their connection: what waits for a client, what is sent again, when session and will end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.log import StreamLimits
from broadstreet.mqtt import (
    ConnAck,
    Connect,
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
    Will,
)
from tests.contract.mqtt_site import POLL_S, POLLS, SECRET, V3, V5, Site, Wire, open_site

VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
LONG = Properties(session_expiry_s=3600)
STATUS = "devices/d-0/status"


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


async def come(
    site: Site,
    version: Version = V5,
    *,
    clean: bool = False,
    properties: Properties | None = None,
    will: Will | None = None,
    device: str = "d-0",
) -> tuple[Wire, ConnAck]:
    """A device comes with the client id `c`, to stay."""
    wire = await site.wire(version)
    asked = properties or (LONG if version == V5 else Properties())
    wire.send(Connect("c", version, clean, 0, device, (SECRET + device).encode(), will, asked))
    answer = await wire.receive(ConnAck)
    assert answer.reason == 0
    return wire, answer


async def go(wire: Wire, packet: Disconnect | None = None) -> None:
    wire.send(packet or Disconnect())
    assert await wire.ended()


async def subscribe(wire: Wire, *wanted: Subscription, **properties: Any) -> None:
    wire.send(Subscribe(7, wanted, Properties(**properties)))
    assert all(reason < 0x80 for reason in (await wire.receive(SubAck)).reasons)


async def publish(wire: Wire, topic: str, payload: bytes, qos: int = 1, **properties: Any) -> None:
    wire.send(Publish(topic, payload, qos, identifier=1 if qos else 0, properties=Properties(**properties)))
    if qos == 1:
        await wire.receive(PubAck)
    elif qos == 2:
        await wire.receive(PubRec)
        wire.send(PubRel(1))
        await wire.receive(PubComp)


@VERSIONS
async def test_what_is_sent_while_a_client_is_away_waits_for_it(site: Site, version: Version) -> None:
    """MQTT-3.1.2-4, MQTT-3.1.2-5, MQTT-3.2.2-2; 3.1.1: MQTT-3.1.2-4, MQTT-3.1.2-5."""
    wire, answer = await come(site, version)
    assert not answer.session_present
    await subscribe(wire, Subscription("devices/d-0/#", 2))
    await go(wire)
    other = await site.connect(client_id="other")
    for qos in (0, 1, 2):
        await publish(other, STATUS, b"%d" % qos, qos)
    wire, answer = await come(site, version)
    assert answer.session_present
    messages = [await wire.receive(Publish) for _ in range(2)]
    assert [(message.payload, message.qos, message.dup) for message in messages] == [(b"1", 1, False), (b"2", 2, False)]
    wire.send(PubAck(messages[0].identifier), PubRec(messages[1].identifier))
    await wire.receive(PubRel)
    wire.send(PubComp(messages[1].identifier))
    await go(wire)
    wire, answer = await come(site, version)
    assert answer.session_present
    assert await wire.is_silent()


@VERSIONS
async def test_what_is_not_acknowledged_is_sent_again_as_it_was(site: Site, version: Version) -> None:
    """MQTT-4.4.0-1: PUBLISH with its identifier and DUP, PUBREL where PUBREC came."""
    wire, _ = await come(site, version)
    await subscribe(wire, Subscription("devices/d-0/#", 2))
    other = await site.connect(client_id="other")
    for qos, payload in ((1, b"one"), (2, b"two"), (2, b"three")):
        await publish(other, STATUS, payload, qos)
    first = [await wire.receive(Publish) for _ in range(3)]
    wire.send(PubRec(first[2].identifier))
    assert await wire.receive(PubRel) == PubRel(first[2].identifier)
    await wire.close()
    wire, _ = await come(site, version)
    assert await wire.receive(PubRel) == PubRel(first[2].identifier)
    again = [await wire.receive(Publish) for _ in range(2)]
    assert [(m.identifier, m.payload, m.dup) for m in again] == [(m.identifier, m.payload, True) for m in first[:2]]
    wire.send(PubComp(first[2].identifier), PubAck(first[0].identifier), PubRec(first[1].identifier))
    assert await wire.receive(PubRel) == PubRel(first[1].identifier)


@VERSIONS
async def test_a_qos_2_message_is_taken_once_over_two_connections(site: Site, version: Version) -> None:
    wire, _ = await come(site, version)
    wire.send(Publish("readings", b"1", 2, identifier=6))
    assert await wire.receive(PubRec) == PubRec(6)
    await wire.close()
    wire, _ = await come(site, version)
    wire.send(Publish("readings", b"1", 2, dup=True, identifier=6))
    assert await wire.receive(PubRec) == PubRec(6)
    wire.send(PubRel(6))
    assert await wire.receive(PubComp) == PubComp(6)
    assert len(await site.kept()) == 1


@VERSIONS
async def test_a_clean_start_forgets(site: Site, version: Version) -> None:
    """MQTT-3.1.2-4 (5), MQTT-3.1.2-6 (3.1.1)."""
    wire, _ = await come(site, version)
    await subscribe(wire, Subscription("devices/d-0/#", 1))
    await go(wire)
    wire, answer = await come(site, version, clean=True, properties=Properties())
    assert not answer.session_present
    await publish(wire, STATUS, b"x")
    assert await wire.is_silent()
    await go(wire)
    wire, answer = await come(site, version)
    assert not answer.session_present


async def test_a_session_ends_with_its_expiry(site: Site) -> None:
    """MQTT 5, 3.1.2.11.2 and 3.14.2.2.2: DISCONNECT may say another time; 0 ends it at once."""
    wire, _ = await come(site)
    await go(wire, Disconnect(properties=Properties(session_expiry_s=0)))
    wire, answer = await come(site, properties=Properties(session_expiry_s=1))
    assert not answer.session_present
    await go(wire)
    wire, answer = await come(site, properties=Properties(session_expiry_s=1))
    assert answer.session_present
    await go(wire)
    for _ in range(POLLS):
        if not len(site.gateway.broker.directory):
            break
        await asyncio.sleep(POLL_S)
    _, answer = await come(site)
    assert not answer.session_present


async def test_the_longest_session_is_said(site: Site) -> None:
    """MQTT 5, 3.2.2.3.2."""
    _, answer = await come(site, properties=Properties(session_expiry_s=0xFFFFFFFF))
    assert answer.properties.session_expiry_s == 7 * 86_400
    _, answer = await come(site)
    assert answer.properties.session_expiry_s is None


async def test_a_session_is_its_peers_alone(site: Site) -> None:
    wire, _ = await come(site)
    await subscribe(wire, Subscription("devices/d-0/#", 1))
    await go(wire)
    _, answer = await come(site, device="d-1")
    assert not answer.session_present


@VERSIONS
async def test_a_second_connection_takes_the_session_over(site: Site, version: Version) -> None:
    """MQTT-3.1.4-3 (5), MQTT-3.1.4-2 (3.1.1)."""
    first, _ = await come(site, version)
    await subscribe(first, Subscription("devices/d-0/#", 1))
    second, answer = await come(site, version)
    assert answer.session_present
    if version == V5:
        assert (await first.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert await first.ended()
    await publish(await site.connect(client_id="other"), STATUS, b"x")
    assert (await second.receive(Publish)).payload == b"x"


async def test_messages_that_expire_while_a_client_is_away_are_not_sent(site: Site) -> None:
    """MQTT-3.3.2-5, MQTT-3.3.2-6."""
    wire, _ = await come(site)
    await subscribe(wire, Subscription("devices/d-0/#", 1))
    await go(wire)
    other = await site.connect(client_id="other")
    await publish(other, STATUS, b"late", message_expiry_s=0)
    await publish(other, STATUS, b"kept", message_expiry_s=60)
    wire, _ = await come(site)
    message = await wire.receive(Publish)
    assert message.payload == b"kept"
    assert message.properties.message_expiry_s is not None
    assert message.properties.message_expiry_s <= 60


async def test_who_is_away_misses_what_its_queue_has_no_room_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody else: the sender is acknowledged, and another session has its own queue."""
    monkeypatch.setattr("broadstreet.log.streams.MAX_QUEUE_MESSAGES", 2)
    await site.services.log.ensure_streams(StreamLimits())
    wires = [(await come(site, device=device))[0] for device in ("d-0", "d-1")]
    await subscribe(wires[0], Subscription("devices/d-0/#", 1))
    await subscribe(wires[1], Subscription("devices/d-1/#", 1))
    for wire in wires:
        await go(wire)
    for device in ("d-0", "d-1"):
        other = await site.connect(device, client_id="other")
        for payload in (b"1", b"2", b"3")[: 3 if device == "d-0" else 1]:
            await publish(other, f"devices/{device}/status", payload)
    for device, expected in (("d-0", [b"1", b"2"]), ("d-1", [b"1"])):
        wire, _ = await come(site, device=device)
        assert [(await wire.receive(Publish)).payload for _ in expected] == expected
        assert await wire.is_silent()
    assert site.gateway.counters.dropped == 1


async def test_a_will_waits_for_its_delay_and_a_client_that_comes_back_takes_it_back(site: Site) -> None:
    """MQTT-3.1.2-8, MQTT-3.1.3-9."""
    person = await site.person()
    await subscribe(person, Subscription(STATUS, 1))
    will = Will(STATUS, b"gone", 2, properties=Properties(will_delay_s=60))
    wire, _ = await come(site, will=will)
    await wire.close()
    wire, answer = await come(site, will=will)
    assert answer.session_present
    assert await person.is_silent()
    await wire.close()
    wire, _ = await come(site, clean=True)
    message = await person.receive(Publish)
    assert (message.payload, message.qos) == (b"gone", 1), "the session has ended, and with it the delay"
    person.send(PubAck(message.identifier))
    short = Will(STATUS, b"soon", properties=Properties(will_delay_s=1))
    wire, _ = await come(site, will=short)
    await wire.close()
    assert (await person.receive(Publish)).payload == b"soon"


async def test_a_shared_subscription_gives_each_message_to_one(site: Site) -> None:
    """MQTT 5, 4.8.2: in turn, beside what others get, and to nobody twice."""
    device = await site.connect(client_id="other")
    members = [await site.person(name) for name in ("ada", "bob")]
    outside = await site.person("eve")
    for wire in members:
        await subscribe(wire, Subscription("$share/desk/devices/+/status", 1))
    await subscribe(outside, Subscription("devices/#", 1))
    for n in range(6):
        await publish(device, STATUS, b"%d" % n)
    heard = []
    for wire in members:
        messages = [await wire.receive(Publish) for _ in range(3)]
        heard += [message.payload for message in messages]
        assert await wire.is_silent()
    assert sorted(heard) == [b"%d" % n for n in range(6)]
    assert [(await outside.receive(Publish)).payload for _ in range(6)] == [b"%d" % n for n in range(6)]
    await go(members[0])
    await publish(device, STATUS, b"last")
    assert (await members[1].receive(Publish)).payload == b"last"


async def test_a_shared_subscription_brings_nothing_retained(site: Site) -> None:
    """MQTT 5, 4.8.2."""
    device = await site.connect()
    device.send(Publish(STATUS, b"on", 1, True, identifier=1))
    await device.receive(PubAck)
    person = await site.person()
    await subscribe(person, Subscription("$share/desk/devices/#", 1))
    assert await person.is_silent()


async def test_the_server_uses_topic_aliases_where_the_client_takes_them(site: Site) -> None:
    """MQTT-3.1.2-26, MQTT-3.1.2-27, MQTT-3.3.2-8."""
    person = await site.person(properties=Properties(topic_alias_maximum=1))
    await subscribe(person, Subscription("devices/#", 0))
    device = await site.connect()
    for topic in (STATUS, STATUS, "devices/d-0/other", STATUS):
        await publish(device, topic, b"x")
    found = [await person.receive(Publish) for _ in range(4)]
    assert [(message.topic, message.properties.topic_alias) for message in found] == [
        (STATUS, 1),
        ("", 1),
        ("devices/d-0/other", None),
        ("", 1),
    ]


async def test_a_request_is_handed_on_with_where_to_answer(site: Site) -> None:
    """MQTT-3.3.2-15, MQTT-3.3.2-16."""
    person, device = await site.person(), await site.connect()
    await subscribe(person, Subscription("devices/#", 1))
    await publish(device, STATUS, b"?", response_topic="devices/d-0/answer", correlation_data=b"7")
    message = await person.receive(Publish)
    assert message.properties.response_topic == "devices/d-0/answer"
    assert message.properties.correlation_data == b"7"
