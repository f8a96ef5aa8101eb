"""Publishing: what is acknowledged is on disk, in order, and what cannot be kept or allowed is said or cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.log import StreamLimits
from broadstreet.mqtt import Disconnect, Properties, PubAck, Publish, Reason, Version, encode
from tests.contract.mqtt_site import V3, V5, Site, Wire, open_gateway, open_site

VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


def reading(n: int, topic: str = "readings") -> Publish:
    return Publish(topic, b'{"no2":%d}' % n, 1, identifier=n % 65_535 + 1)


async def acknowledged(wire: Wire, count: int) -> list[int]:
    return [(await wire.receive(PubAck)).identifier for _ in range(count)]


@VERSIONS
async def test_readings_are_kept_as_they_came_and_acknowledged_in_order(site: Site, version: Version) -> None:
    wire = await site.connect(version=version)
    sent = [reading(n) for n in range(4000)]
    wire.send(*sent)
    assert await acknowledged(wire, 4000) == [packet.identifier for packet in sent]
    kept = await site.kept()
    assert [payload for _, _, payload in kept] == [packet.payload for packet in sent]
    assert {topic for _, topic, _ in kept} == {"readings"}
    times = [at_us for at_us, _, _ in kept]
    assert all(before < after for before, after in pairwise(times))


@VERSIONS
async def test_nothing_is_acknowledged_before_it_is_on_disk(site: Site, version: Version) -> None:
    wire = await site.connect(version=version)
    async with site.frozen_log():
        wire.send(reading(1), reading(2))
        assert await wire.is_silent()
    assert await acknowledged(wire, 2) == [2, 3]
    assert len(await site.kept()) == 2


async def test_a_pack_that_is_tried_again_is_kept_once(site: Site) -> None:
    """NATS stands still for longer than a publish waits, so that the pack is sent twice under one id."""
    wire = await site.connect()
    async with site.frozen_log():
        wire.send(reading(1))
        await site.counts("pack_retries")
    assert await acknowledged(wire, 1) == [2]
    assert len(await site.kept()) == 1


async def test_acknowledgements_keep_the_order_of_mixed_messages(site: Site) -> None:
    """Kept, retained and forbidden ones settle at different moments; the client sees them in its own order."""
    wire = await site.connect()
    sent = [
        reading(0),
        Publish("devices/d-0/status", b"on", 1, retain=True, identifier=10),
        Publish("devices/d-1/readings", b"{}", 1, identifier=11),
        reading(3),
        Publish("devices/d-0/readings", b"{}", 1, identifier=13),
    ]
    wire.send(*sent)
    answers = [await wire.receive(PubAck) for _ in sent]
    assert [answer.identifier for answer in answers] == [packet.identifier for packet in sent]
    assert [answer.reason for answer in answers] == [0, 0, Reason.NOT_AUTHORIZED, 0, 0]
    assert [topic for _, topic, _ in await site.kept()] == ["readings", "status", "readings", "readings"]
    assert await site.kept("d-1") == []


async def test_two_partitions_do_not_wait_for_each_other(site: Site) -> None:
    wires = [await site.connect(device) for device in ("d-0", "d-1", "plant:7")]
    for wire in wires:
        wire.send(*(reading(n) for n in range(300)))
    for wire in wires:
        assert await acknowledged(wire, 300) == list(range(1, 301))
    assert {pack.partition for pack in await site.packs()} == {0, 1}
    assert len(await site.kept("plant:7")) == 300


async def test_a_message_at_qos_0_is_kept_too(site: Site) -> None:
    wire = await site.connect()
    wire.send(Publish("readings", b"0"), Publish("devices/d-0/readings", b"1"), reading(2))
    await acknowledged(wire, 1)
    assert [payload for _, _, payload in await site.kept()] == [b"0", b"1", b'{"no2":2}']


@pytest.mark.parametrize("topic", ["devices/d-1/readings", "readings/x", "devices", "devices/d-0", "$SYS/x", "other"])
async def test_another_topic_is_refused(site: Site, topic: str) -> None:
    wire = await site.connect()
    wire.send(Publish(topic, b"{}", 1, identifier=5))
    assert await wire.receive(PubAck) == PubAck(5, Reason.NOT_AUTHORIZED)
    wire.send(Publish(topic, b"{}"))
    assert (await wire.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED
    old = await site.connect(version=V3)
    old.send(Publish(topic, b"{}", 1, identifier=5))
    assert await old.ended()
    row = await site.sees(lambda r: r["disconnected_at"] is not None)
    assert topic in row["reason"]
    assert await site.packs() == []


async def test_a_person_publishes_nothing(site: Site) -> None:
    wire = await site.person()
    wire.send(Publish("devices/d-0/readings", b"{}", 1, identifier=1))
    assert (await wire.receive(PubAck)).reason == Reason.NOT_AUTHORIZED


async def test_topic_aliases(site: Site) -> None:
    wire = await site.connect()
    wire.send(
        Publish("readings", b"1", 1, identifier=1, properties=Properties(topic_alias=3)),
        Publish("", b"2", 1, identifier=2, properties=Properties(topic_alias=3)),
        Publish("devices/d-0/log", b"3", 1, identifier=3, properties=Properties(topic_alias=3)),
        Publish("", b"4", 1, identifier=4, properties=Properties(topic_alias=3)),
    )
    assert await acknowledged(wire, 4) == [1, 2, 3, 4]
    assert [topic for _, topic, _ in await site.kept()] == ["readings", "readings", "log", "log"]
    wire.send(Publish("", b"5", 1, identifier=5, properties=Properties(topic_alias=4)))
    assert (await wire.receive(Disconnect)).reason == Reason.TOPIC_ALIAS_INVALID
    wire = await site.connect()
    wire.send(Publish("readings", b"", 1, identifier=1, properties=Properties(topic_alias=60_000)))
    assert (await wire.receive(Disconnect)).reason == Reason.TOPIC_ALIAS_INVALID


async def test_more_than_the_receive_maximum_is_a_fault(site: Site) -> None:
    wire = await site.connect()
    async with site.frozen_log():
        wire.send(*(reading(n) for n in range(5000)))
        assert (await wire.receive(Disconnect)).reason == Reason.RECEIVE_MAXIMUM_EXCEEDED


async def test_version_3_1_1_is_read_no_further_while_too_much_waits(site: Site) -> None:
    wire = await site.connect(version=V3)
    async with site.frozen_log():
        wire.send(*(Publish("readings", b"x" * 500, 1, identifier=n % 65_535 + 1) for n in range(60_000)))
        assert await wire.is_silent()
        assert site.gateway.counters.messages < 30_000
    assert len(await acknowledged(wire, 60_000)) == 60_000


async def test_a_packet_over_the_bound_ends_its_connection(site: Site) -> None:
    wire = await site.connect()
    wire.send(Publish("readings", b"x" * 1_000_000, 1, identifier=1))
    assert await acknowledged(wire, 1) == [1]
    wire.write(encode(Publish("readings", b"x" * 1_100_000, 1, identifier=2), V5)[:1000])
    assert (await wire.receive(Disconnect)).reason == Reason.PACKET_TOO_LARGE


async def test_a_full_log_refuses_and_says_so(site: Site) -> None:
    await site.services.log.ensure_streams(StreamLimits(raw_bytes=1_000_000))
    wire = await site.connect()
    answers: list[PubAck] = []
    for n in range(1, 40):
        wire.send(Publish("readings", b"x" * 50_000, 1, identifier=n))
        answers.append(await wire.receive(PubAck))
    reasons = [answer.reason for answer in answers]
    assert [answer.identifier for answer in answers] == list(range(1, 40))
    assert set(reasons) == {0, Reason.QUOTA_EXCEEDED}
    assert len(await site.kept()) == reasons.count(0)
    assert site.gateway.counters.refused == reasons.count(Reason.QUOTA_EXCEEDED)


async def test_a_full_log_leaves_version_3_1_1_without_an_answer(site: Site) -> None:
    await site.services.log.ensure_streams(StreamLimits(raw_bytes=1_000_000))
    wire = await site.connect(version=V3)
    wire.send(Publish("readings", b"x" * 900_000, 1, identifier=1))
    assert await acknowledged(wire, 1) == [1]
    wire.send(*(Publish("readings", b"x" * 900_000, 1, identifier=n) for n in (2, 3)))
    assert await wire.ended()
    assert len(await site.kept()) == 1
    row = await site.sees(lambda r: r["disconnected_at"] is not None)
    assert "refused" in row["reason"]


async def test_a_disk_below_its_watermark_refuses(services: Services, engines: Engines, data_dir: Path) -> None:
    async with open_gateway(services, data_dir, watermark_bytes=2**60) as gateway:
        site = Site(services, gateway, engines)
        await site.add_devices("d-0")
        wire = await site.connect()
        wire.send(reading(1))
        assert await wire.receive(PubAck) == PubAck(2, Reason.QUOTA_EXCEEDED)
        assert await site.packs() == []
        await wire.close()
