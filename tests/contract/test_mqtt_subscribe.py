"""Subscribing: who gets what, retained messages, wills, messages of the house, and subscribers that do not keep up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.mqtt import (
    Disconnect,
    Properties,
    PubAck,
    Publish,
    Reason,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
    Version,
    Will,
)
from tests.contract.mqtt_site import ANSWER_S, V3, V5, Site, Wire, open_gateway, open_site

VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


async def subscribe(wire: Wire, *wanted: Subscription, properties: Properties | None = None) -> tuple[int, ...]:
    wire.send(Subscribe(7, wanted, properties or Properties()))
    answer = await wire.receive(SubAck)
    assert answer.identifier == 7
    return answer.reasons


async def publish(wire: Wire, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
    wire.send(Publish(topic, payload, qos, retain, identifier=qos))
    if qos:
        assert (await wire.receive(PubAck)).reason == 0


@VERSIONS
async def test_a_person_sees_what_devices_send(site: Site, version: Version) -> None:
    person, device = await site.person(version=version), await site.connect()
    assert await subscribe(person, Subscription("devices/+/readings", 1)) == (1,)
    await publish(device, "readings", b'{"no2":1}')
    await publish(device, "readings", b'{"no2":2}', qos=0)
    message = await person.receive(Publish)
    assert (message.topic, message.payload, message.qos) == ("devices/d-0/readings", b'{"no2":1}', 1)
    person.send(PubAck(message.identifier))
    message = await person.receive(Publish)
    assert (message.payload, message.qos) == (b'{"no2":2}', 0)
    person.send(Unsubscribe(8, ("devices/+/readings", "devices/none")))
    answer = await person.receive(UnsubAck)
    assert answer.reasons == ((0, Reason.NO_SUBSCRIPTION_EXISTED) if version == V5 else ())
    await publish(device, "readings", b'{"no2":3}')
    assert await person.is_silent()


async def test_rights_to_subscribe(site: Site) -> None:
    device, person, old = await site.connect(), await site.person(), await site.connect("d-1", V3)
    no = Reason.NOT_AUTHORIZED
    wanted = [
        Subscription(f) for f in ("devices/d-0/#", "devices/d-0/a/+", "devices/d-1/#", "#", "devices/+/x", "$SYS/#")
    ]
    assert await subscribe(device, *wanted) == (0, 0, no, no, no, no)
    wanted = [
        Subscription(f)
        for f in ("devices/#", "devices/+/readings", "#", "+/d-0/readings", "$share/g/devices/#", "$share/devices/#")
    ]
    assert await subscribe(person, *wanted) == (0, 0, no, no, 0, no)
    assert await subscribe(old, Subscription("devices/d-0/#"), Subscription("devices/d-1/#", 1)) == (0x80, 1)


async def test_tenants_do_not_hear_each_other(site: Site) -> None:
    access = site.services.access
    await access.accounts.create("eve", "Eve", tenant="harbour", roles=["administrator"], by="test")
    issued = await access.tokens.issue("eve", "api", "test", 3600, by="test")
    stranger = await site.connect("eve", password=issued.secret)
    assert await subscribe(stranger, Subscription("devices/#", 1)) == (1,)
    device = await site.connect()
    await publish(device, "devices/d-0/status", b"on", retain=True)
    assert await stranger.is_silent()


async def test_version_5_options_and_identifiers(site: Site) -> None:
    device = await site.connect()
    mine = Properties(subscription_identifiers=(5,))
    assert await subscribe(device, Subscription("devices/d-0/#", 1, no_local=True), properties=mine) == (1,)
    person = await site.person()
    await subscribe(person, Subscription("devices/d-0/+", 0), properties=Properties(subscription_identifiers=(1,)))
    both = Subscription("devices/#", 1, retain_as_published=True)
    await subscribe(person, both, properties=Properties(subscription_identifiers=(2,)))
    sent = Properties(content_type="text/plain", message_expiry_s=60, user_properties=(("a", "1"), ("a", "2")))
    device.send(Publish("devices/d-0/note", b"x", 1, True, identifier=1, properties=sent))
    message = await person.receive(Publish)
    assert sorted(message.properties.subscription_identifiers) == [1, 2]
    assert message.qos == 1
    assert message.retain
    assert message.properties.content_type == "text/plain"
    assert message.properties.user_properties == sent.user_properties
    assert message.properties.message_expiry_s in (59, 60)
    await device.receive(PubAck)
    assert await device.is_silent(), "no local: its own message does not come back"
    assert await person.is_silent(), "overlapping subscriptions get one copy"


@VERSIONS
async def test_retained_messages(site: Site, version: Version) -> None:
    device = await site.connect()
    await publish(device, "devices/d-0/status", b"old", retain=True)
    await publish(device, "devices/d-0/status", b"on", retain=True)
    await publish(device, "devices/d-0/place/floor", b"3", qos=0, retain=True)
    await publish(device, "devices/d-0/plain", b"not kept")
    person = await site.person(version=version)
    await subscribe(person, Subscription("devices/#", 1))
    messages = sorted([await person.receive(Publish), await person.receive(Publish)], key=lambda m: m.topic)
    assert [(m.topic, m.payload, m.retain, m.qos) for m in messages] == [
        ("devices/d-0/place/floor", b"3", True, 0),
        ("devices/d-0/status", b"on", True, 1),
    ]
    await publish(device, "devices/d-0/status", b"live", retain=True)
    assert not (await person.receive(Publish)).retain
    await publish(device, "devices/d-0/status", b"", retain=True)
    assert (await person.receive(Publish)).payload == b""
    late = await site.person("bob", version)
    await subscribe(late, Subscription("devices/+/status", 1))
    assert await late.is_silent()


async def test_retain_handling(site: Site) -> None:
    device, person = await site.connect(), await site.person()
    await publish(device, "devices/d-0/status", b"on", retain=True)
    await subscribe(person, Subscription("devices/d-0/#", 0, retain_handling=2))
    assert await person.is_silent()
    await subscribe(person, Subscription("devices/d-0/#", 0, retain_handling=1))
    assert await person.is_silent()
    await subscribe(person, Subscription("devices/d-0/+", 0, retain_handling=1))
    assert (await person.receive(Publish)).payload == b"on"
    await subscribe(person, Subscription("devices/d-0/+", 0, retain_handling=0))
    assert (await person.receive(Publish)).payload == b"on"


async def test_retained_messages_outlive_the_gateway(services: Services, engines: Engines, data_dir: Path) -> None:
    sent = Properties(content_type="text/plain", message_expiry_s=3600)
    async with open_site(services, engines, data_dir) as site:
        device = await site.connect()
        device.send(Publish("devices/d-0/status", b"on", 1, True, identifier=1, properties=sent))
        assert (await device.receive(PubAck)).reason == 0
        await publish(device, "devices/d-0/gone", b"x", retain=True)
        await publish(device, "devices/d-0/gone", b"", retain=True)
    async with open_gateway(services, data_dir) as gateway:
        site = Site(services, gateway, engines)
        person = await site.person()
        await subscribe(person, Subscription("devices/#", 1))
        message = await person.receive(Publish)
        assert (message.topic, message.payload, message.qos) == ("devices/d-0/status", b"on", 1)
        assert message.properties.content_type == "text/plain"
        assert (message.properties.message_expiry_s or 0) > 3500
        assert await person.is_silent()
        await person.close()


async def test_a_retained_message_is_acknowledged_once_it_is_kept(site: Site) -> None:
    device = await site.connect()
    async with site.frozen_log():
        device.send(Publish("devices/d-0/status", b"on", 1, True, identifier=1))
        assert await device.is_silent()
    assert (await device.receive(PubAck)).identifier == 1
    assert list(await site.services.log.retained("city")) == ["devices/d-0/status"]


@VERSIONS
async def test_a_will_is_spoken_for_whoever_went_without_a_word(site: Site, version: Version) -> None:
    person = await site.person()
    await subscribe(person, Subscription("devices/+/status", 1))
    will = Will("devices/d-0/status", b"lost", 1, retain=True)
    await (await site.connect(version=version, will=will)).close()
    message = await person.receive(Publish)
    assert (message.topic, message.payload) == ("devices/d-0/status", b"lost")
    person.send(PubAck(message.identifier))
    polite = await site.connect("d-1", version, will=Will("devices/d-1/status", b"lost", 1))
    polite.send(Disconnect())
    assert await polite.ended()
    assert await person.is_silent()
    late = await site.person("bob")
    await subscribe(late, Subscription("devices/#", 0))
    assert (await late.receive(Publish)).payload == b"lost"
    assert [payload for _, _, payload in await site.kept()] == [b"lost"]


async def test_a_will_is_spoken_when_version_5_asks_for_it(site: Site) -> None:
    person = await site.person()
    await subscribe(person, Subscription("devices/+/status"))
    wire = await site.connect(will=Will("devices/d-0/status", b"asleep"))
    wire.send(Disconnect(Reason.DISCONNECT_WITH_WILL))
    assert (await person.receive(Publish)).payload == b"asleep"


async def test_messages_of_the_house_reach_their_device(site: Site) -> None:
    device, other = await site.connect(), await site.connect("d-1", V3)
    await subscribe(device, Subscription("devices/d-0/commands/#", 1))
    await subscribe(other, Subscription("devices/d-1/commands/#", 1))
    await site.services.log.publish_out("city", "d-0", "devices/d-0/commands/light", b"on")
    message = await device.receive(Publish)
    assert (message.topic, message.payload, message.qos) == ("devices/d-0/commands/light", b"on", 1)
    assert await other.is_silent()


async def test_the_clients_receive_maximum_is_kept(site: Site) -> None:
    person, device = await site.person(properties=Properties(receive_maximum=2)), await site.connect()
    await subscribe(person, Subscription("devices/#", 1))
    for n in range(5):
        await publish(device, "readings", b"%d" % n)
    first = [await person.receive(Publish) for _ in range(2)]
    assert await person.is_silent()
    person.send(*(PubAck(message.identifier) for message in first))
    rest = [await person.receive(Publish) for _ in range(2)]
    person.send(PubAck(rest[0].identifier))
    rest.append(await person.receive(Publish))
    assert [message.payload for message in (*first, *rest)] == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_message_over_the_clients_maximum_is_left_out(site: Site) -> None:
    person, device = await site.person(properties=Properties(maximum_packet_bytes=200)), await site.connect()
    await subscribe(person, Subscription("devices/#", 1))
    await publish(device, "readings", b"x" * 300)
    await publish(device, "readings", b"y")
    assert (await person.receive(Publish)).payload == b"y"


async def test_a_slow_subscriber_at_qos_0_loses_messages_and_harms_nobody(site: Site) -> None:
    slow, good, device = await site.person("ada"), await site.person("bob"), await site.connect()
    await subscribe(slow, Subscription("devices/#", 0))
    await subscribe(good, Subscription("devices/#", 0))
    payload = b"x" * 100_000
    async with asyncio.timeout(ANSWER_S):
        while not site.gateway.counters.dropped:
            await publish(device, "readings", payload)
            assert (await good.receive(Publish)).payload == payload
    assert site.gateway.counters.slow == 0


async def test_a_subscriber_that_never_acknowledges_is_given_up(site: Site) -> None:
    slow, device = await site.person(), await site.connect()
    await subscribe(slow, Subscription("devices/#", 1))
    async with asyncio.timeout(ANSWER_S):
        while not site.gateway.counters.slow:
            device.send(*(Publish("readings", b"x", 1, identifier=n + 1) for n in range(500)))
            for _ in range(500):
                await device.receive(PubAck)
    assert await slow.ended()


async def test_a_session_has_so_many_subscriptions_and_no_more(site: Site) -> None:
    device = await site.connect()
    wanted = tuple(Subscription(f"devices/d-0/{n}", 1) for n in range(101))
    assert await subscribe(device, *wanted) == (*([1] * 100), Reason.QUOTA_EXCEEDED)
    assert await subscribe(device, wanted[0]) == (1,)
