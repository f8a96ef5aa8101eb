"""The gateway under strangers and crowds: every limit of time and number holds, and one client never harms another."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.gateway import CountersReport
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    Properties,
    PubAck,
    Publish,
    Reason,
    SubAck,
    Subscribe,
    Subscription,
    Will,
    encode,
)
from tests.contract.mqtt_site import ANSWER_S, SECRET, V3, V5, Site, open_site

CONNECTION = "broadstreet.gateway.connection."
STREAMS = 300


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


def _some_stream(chance: random.Random) -> bytes:
    """A conversation as a client might have it, with a few bytes changed, or bytes from nowhere."""
    if chance.random() < 0.2:
        return chance.randbytes(chance.randrange(200))
    version = chance.choice([V3, V5])
    will = Will("devices/d-0/status", b"gone", 1, retain=True) if chance.random() < 0.5 else None
    packets: list[Packet] = [
        Connect("d-0", version, True, 10, "d-0", f"{SECRET}d-0".encode(), will),
        Publish("readings", b'{"no2":1}', 1, identifier=1),
        Subscribe(2, (Subscription("devices/d-0/#", 1),)),
        Publish("devices/d-0/status", b"on", 1, retain=True, identifier=3),
        PingReq(),
    ]
    raw = bytearray(b"".join(encode(packet, version) for packet in packets))
    for _ in range(chance.randrange(4)):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw[: chance.randrange(len(raw) + 1)] if chance.random() < 0.3 else raw)


async def test_any_bytes_end_at_most_their_own_connection(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    good = await site.connect("d-1")
    chance = random.Random(1854)
    caplog.set_level(logging.ERROR)
    for _ in range(STREAMS // 20):
        wires = [await site.wire() for _ in range(20)]
        for wire in wires:
            wire.write(_some_stream(chance))
        good.send(Publish("readings", b'{"no2":1}', 1, identifier=1))
        assert await good.receive(PubAck) == PubAck(1)
        for wire in wires:
            await wire.close()
    good.send(PingReq())
    await good.receive(PingResp)
    assert [record.getMessage() for record in caplog.records] == []


async def test_five_hundred_devices_connect_at_once(site: Site) -> None:
    names = [f"many-{n}" for n in range(500)]
    await site.add_devices(*names)
    wires = await asyncio.gather(*(site.connect(name) for name in names))
    for wire in wires:
        wire.send(Publish("readings", b'{"no2":1}', 1, identifier=1))
    for wire in wires:
        assert await wire.receive(PubAck) == PubAck(1)
    assert site.gateway.counters.connections == 500
    assert len({key for pack in await site.packs() for key in pack.device}) == 500
    for wire in wires:
        wire.send(Disconnect())
        assert await wire.ended()
    assert site.gateway.counters.connections == 0


async def test_whoever_says_nothing_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CONNECTION + "CONNECT_WITHIN_S", 0.1)
    idle, half = await site.wire(), await site.wire()
    half.write(encode(Connect("d-0"), V5)[:5])
    assert await idle.ended()
    assert await half.ended()


async def test_a_subscriber_that_reads_nothing_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CONNECTION + "SLOW_FOR_S", 0.1)
    slow, device = await site.person(), await site.connect()
    slow.send(Subscribe(1, (Subscription("devices/#", 0),)))
    async with asyncio.timeout(ANSWER_S):
        while not site.gateway.counters.dropped:
            device.send(Publish("readings", b"x" * 200_000, 1, identifier=1))
            await device.receive(PubAck)
    assert await site.counts("slow") == 1
    await site.comes_to("connections", 1)


async def test_a_client_that_reads_nothing_is_read_no_further(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its requests asks for a large retained message: what it is owed does not pile up without end."""
    monkeypatch.setattr(CONNECTION + "SLOW_FOR_S", 0.1)
    device, greedy = await site.connect(), await site.person()
    device.send(Publish("devices/d-0/manual", b"x" * 900_000, 1, retain=True, identifier=1))
    await device.receive(PubAck)
    greedy.send(*(Subscribe(n, (Subscription("devices/#", 0),)) for n in range(1, 2000)))
    assert await site.counts("slow") == 1
    assert site.gateway.counters.delivered < 100


async def test_a_client_that_sends_without_pause_does_not_keep_others_waiting(site: Site) -> None:
    loud, quiet = await site.connect(), await site.connect("d-1")
    loud.write(encode(PingReq(), V5) * 50_000 + encode(Publish("readings", b"", 1, identifier=1), V5))
    quiet.send(PingReq())
    await quiet.receive(PingResp)
    assert site.gateway.counters.messages == 0, "the loud one's last packet is still to come"
    assert await site.counts("messages") == 1


async def test_the_counters_are_announced(site: Site) -> None:
    wire = await site.connect()
    wire.send(Publish("readings", b"12345", 1, identifier=1))
    await wire.receive(PubAck)
    async with asyncio.timeout(ANSWER_S), site.services.log.listen("metrics.gateway.gateway-t") as messages:
        report = msgspec.json.decode((await anext(messages)).data, type=CountersReport)
    assert report.name == "gateway-t"
    counters = report.counters
    assert (counters.messages, counters.bytes, counters.kept, counters.packs) == (1, 5, 1, 1)
    assert (counters.connections, counters.held_bytes) == (1, 0)
    assert counters.pack_latency_us_sum > 0


async def test_what_concerns_one_packet_does_not_concern_the_next(site: Site) -> None:
    """Properties, flags and runs of plain messages in one piece come out as each was sent."""
    person, device = await site.person(), await site.connect()
    person.send(Subscribe(1, (Subscription("devices/d-0/#", 0, retain_as_published=True),)))
    sent = [
        Publish("readings", b"1", 1, identifier=1),
        Publish("readings", b"2", 1, identifier=2),
        Publish("readings", b"3", 1, identifier=3, properties=Properties(content_type="a")),
        Publish("readings", b"4", 1, dup=True, identifier=4),
        Publish("devices/d-0/status", b"5", 1, retain=True, identifier=5),
        Publish("readings", b"6", 1, identifier=6),
    ]
    await person.receive(SubAck)
    device.send(*sent)
    for packet in sent:
        assert await device.receive(PubAck) == PubAck(packet.identifier)
    found = [await person.receive(Publish) for _ in sent]
    assert [message.payload for message in found] == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert [message.properties.content_type for message in found] == [None, None, "a", None, None, None]
    assert [message.retain for message in found] == [False, False, False, False, True, False]
    assert not any(message.dup for message in found)


async def test_while_the_packer_holds_too_much_nobody_is_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """And then everything is acknowledged, whoever connected meanwhile included."""
    monkeypatch.setattr("broadstreet.gateway.packer.HELD_BYTES_HIGH", 100_000)
    monkeypatch.setattr("broadstreet.gateway.packer.HELD_BYTES_LOW", 50_000)
    wires = [await site.connect("d-0"), await site.connect("d-1")]
    async with site.frozen_log():
        wires[0].send(*(Publish("readings", b"x" * 1000, 1, identifier=n) for n in range(1, 1001)))
        await site.counts("held_bytes")
        assert await wires[0].is_silent()
        late = await site.wire()
        late.send(Connect("plant:7", username="plant:7", password=f"{SECRET}plant:7".encode()))
        wires[1].send(PingReq())
        assert await wires[1].is_silent()
        assert site.gateway.counters.messages < 1000
    for n in range(1, 1001):
        assert (await wires[0].receive(PubAck)).identifier == n
    await wires[1].receive(PingResp)
    assert (await late.receive(ConnAck)).reason == 0
    assert len(await site.kept()) == 1000
    assert site.gateway.counters.held_bytes == 0


async def test_a_store_that_is_away_refuses_sign_ins_and_keeps_connections(site: Site) -> None:
    wire = await site.connect()
    await site.sees(lambda row: row["connected_at"] is not None)
    await site.services.store.control.close()
    for version, code in ((V3, 3), (V5, Reason.SERVER_UNAVAILABLE)):
        _, answer = await site.greet("d-1", version)
        assert answer.reason == code
    wire.send(Publish("readings", b"{}", 1, identifier=1))
    assert await wire.receive(PubAck) == PubAck(1)
