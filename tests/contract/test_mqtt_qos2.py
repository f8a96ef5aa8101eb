"""QoS 2, both ways: each message once, however often its packets come (MQTT 3.1.1 and 5, section 4.3.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.gateway import Gateway
from broadstreet.gateway.limits import Limits
from broadstreet.gateway.mailbox import Place
from broadstreet.gateway.packer import RawLog
from broadstreet.gateway.peer import Peer
from broadstreet.log import RELEASED, Pack, Position, StreamLimits
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
)
from broadstreet.recorder import Recorder
from tests.contract.mqtt_site import (
    PARTITIONS,
    POLL_S,
    POLLS,
    SECRET,
    V3,
    V5,
    Site,
    Wire,
    now_us,
    open_gateway,
    open_site,
)

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


# Beyond one connection: a session that outlives it, and gateways that come and go. One that is left standing while
# another takes its place is, for the log, one that was killed.


@pytest.fixture
async def second(site: Site, data_dir: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(site.services, data_dir, name="gateway-2") as gateway:
        yield gateway
        for wire in site.wires:
            await wire.close()


async def come(site: Site, gateway: Gateway, version: Version = V5, *, lasting: bool = True) -> Wire:
    """The device `d-0` with a session that outlives its connection, or one that does not."""
    wire = Wire(*await asyncio.open_connection("127.0.0.1", gateway.listener.port), version)
    site.wires.append(wire)
    asked = Properties(session_expiry_s=3600) if lasting and version == V5 else Properties()
    wire.send(Connect("c", version, not lasting, 0, "d-0", f"{SECRET}d-0".encode(), None, asked))
    assert (await wire.receive(ConnAck)).reason == 0
    return wire


async def recorded(site: Site) -> list[float]:
    """What the recorder makes of the log: the device's values, in the order of their times."""
    packs = await site.packs()
    task = asyncio.create_task(Recorder(site.services.log, site.services.store, range(PARTITIONS), clock=now_us).run())
    city = await site.services.store.tenant("city")
    try:
        for _ in range(POLLS):
            if await city.fetchval("SELECT count(*) FROM origin WHERE kind = 'pack'") == len(packs):
                break
            await asyncio.sleep(POLL_S)
        rows = await city.fetch("SELECT number FROM observation WHERE number IS NOT NULL ORDER BY observed_at")
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return [row["number"] for row in rows]


def reading(value: int, identifier: int = 5, *, dup: bool = False) -> Publish:
    return Publish("readings", b'{"no2":%d}' % value, 2, dup=dup, identifier=identifier)


async def released(wire: Wire, identifier: int = 5) -> None:
    wire.send(PubRel(identifier))
    assert await wire.receive(PubComp) == PubComp(identifier)


@VERSIONS
async def test_what_a_second_gateway_is_sent_again_counts_once(site: Site, second: Gateway, version: Version) -> None:
    first = await come(site, site.gateway, version)
    first.send(reading(1))
    assert await first.receive(PubRec) == PubRec(5)
    wire = await come(site, second, version)
    wire.send(reading(1, dup=True))
    assert await wire.receive(PubRec) == PubRec(5)
    await released(wire)
    wire.send(reading(2))
    assert await wire.receive(PubRec) == PubRec(5)
    wire = await come(site, site.gateway, version)
    await released(wire)
    wire.send(reading(3))
    assert await wire.receive(PubRec) == PubRec(5)
    await released(wire)
    assert await recorded(site) == [1, 2, 3]


async def test_what_is_released_is_on_disk_before_it_is_complete(site: Site) -> None:
    device = await come(site, site.gateway)
    device.send(reading(1))
    assert await device.receive(PubRec) == PubRec(5)
    async with site.frozen_log():
        device.send(PubRel(5))
        assert await device.is_silent()
    assert await device.receive(PubComp) == PubComp(5)
    [message, release] = [once for pack in await site.packs() for once in pack.once]
    assert (message.session, message.life) == (release.session, release.life)
    assert (message.entries, release.entries) == ([0], [RELEASED])


async def test_a_session_that_ends_with_its_connection_needs_no_mark(site: Site) -> None:
    device = await come(site, site.gateway, lasting=False)
    device.send(reading(1))
    assert await device.receive(PubRec) == PubRec(5)
    await released(device)
    [pack] = await site.packs()
    assert (len(pack), pack.once) == (1, [])


@pytest.mark.parametrize("is_put_away", [False, True], ids=["taken over", "put away before"])
async def test_what_a_gateway_without_log_brings_late_does_not_count_again(
    site: Site, second: Gateway, is_put_away: bool
) -> None:
    """It was cut off with a message it had not acknowledged; the client has sent that to another one, and gone on."""
    packer = site.gateway.broker.packer
    device = await come(site, site.gateway)
    held = asyncio.Event()
    append = packer._log.append_raw

    async def append_late(pack: Pack) -> Position:
        await held.wait()
        return await append(pack)

    packer._log = cast(RawLog, SimpleNamespace(append_raw=append_late))
    device.send(reading(1))
    assert await device.is_silent()
    if is_put_away:  # as it does with the sessions of one that is not heard of any more
        directory = second.broker.directory
        kept = await directory.find(Peer("city", "device", "d-0"), "c")
        assert kept is not None
        await directory.update(kept, away_us=now_us())
    wire = await come(site, second)
    wire.send(reading(1, dup=True))
    assert await wire.receive(PubRec) == PubRec(5)
    await released(wire)
    held.set()
    for _ in range(POLLS):
        if len(await site.packs()) == 3:
            break
        await asyncio.sleep(POLL_S)
    assert await recorded(site) == [1]


async def test_what_a_former_gateway_had_not_brought_to_disk_is_not_taken_for_received(
    site: Site, second: Gateway
) -> None:
    """The session comes back to a gateway that still holds its message: it is not acknowledged for that."""
    packer = site.gateway.broker.packer
    device = await come(site, site.gateway)
    held = asyncio.Event()
    append = packer._log.append_raw

    async def append_late(pack: Pack) -> Position:
        if not held.is_set():
            await held.wait()
        return await append(pack)

    packer._log = cast(RawLog, SimpleNamespace(append_raw=append_late))
    device.send(reading(1))
    assert await device.is_silent()
    elsewhere = await come(site, second)
    elsewhere.send(reading(2, 6))
    assert await elsewhere.receive(PubRec) == PubRec(6)
    back = await come(site, site.gateway)
    back.send(reading(1, dup=True))
    held.set()
    assert await back.receive(PubRec) == PubRec(5)
    await released(back)
    assert sorted(await recorded(site)) == [1, 2]


async def test_a_place_that_was_written_does_not_swallow_what_comes_under_a_released_identifier(
    site: Site, second: Gateway
) -> None:
    device = await come(site, site.gateway)
    device.send(reading(1))
    assert await device.receive(PubRec) == PubRec(5)
    await place_says(site, [5])
    await released(device)
    await place_says(site, [])
    wire = await come(site, second)
    wire.send(reading(2))
    assert await wire.receive(PubRec) == PubRec(5)
    await released(wire)
    assert await recorded(site) == [1, 2]


async def place_says(site: Site, received: list[int]) -> None:
    """Wait until it is written which identifiers the device's session has open."""
    [session] = [session for session in site.gateway.broker.sessions() if session.kept is not None]
    assert session.kept is not None
    directory = site.gateway.broker.directory
    for _ in range(POLLS):
        _, data = await directory.log.place(session.kept.record.tenant, session.kept.record.key)
        if data and msgspec.msgpack.decode(data, type=Place).received == received:
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"the session's place never says {received}")
