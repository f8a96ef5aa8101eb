"""Conversations that public interoperability suites hold with a server, on the listener for them: anyone, any topic.

Each is held in the words of packets, in both versions where both have it; the clauses are the standard's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.access import Access
from broadstreet.apis import Services
from broadstreet.devices import Registry
from broadstreet.engines import Engines
from broadstreet.log import Log, StreamLimits
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
    UnsubAck,
    Unsubscribe,
    Version,
    Will,
)
from broadstreet.store import Store
from tests.conftest import Databases
from tests.contract.mqtt_site import V3, V5, Wire, now_us, open_gateway

VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])


class Hall:
    """Where anyone may come in."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._wires: list[Wire] = []

    async def wire(self, version: Version) -> Wire:
        """A connection without CONNECT."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self._port), version)
        self._wires.append(wire)
        return wire

    async def come(
        self, client_id: str, version: Version, *, stays: bool = False, clean: bool = True, will: Will | None = None
    ) -> tuple[Wire, ConnAck]:
        """A client that has come in. stays: whether its session is to outlive the connection."""
        wire = await self.wire(version)
        lasting = Properties(session_expiry_s=600) if stays and version == V5 else Properties()
        clean_start = clean and not (stays and version == V3)
        wire.send(Connect(client_id, version, clean_start, will=will, properties=lasting))  # fields of Connect
        return wire, await wire.receive(ConnAck)

    async def leave(self) -> None:
        """Everybody hangs up."""
        for wire in self._wires:
            await wire.close()


@pytest.fixture
async def hall(databases: Databases, engines: Engines, nats_url: str, data_dir: Path) -> AsyncIterator[Hall]:
    async with (
        databases.with_tenants("city") as dsn,
        await Store.connect(dsn) as store,
        await Log.connect(nats_url) as log,
    ):
        await log.ensure_streams(StreamLimits())
        services = Services(store, log, Access(store.control, now_us), Registry(store), now_us, data_path=data_dir)
        async with open_gateway(services, data_dir) as gateway:
            await gateway.open_to_anyone("127.0.0.1", 0)
            opened = Hall(gateway.open_listener.port)
            yield opened
            await opened.leave()


async def subscribed(wire: Wire, *filters: str, qos: int = 2) -> None:
    wire.send(Subscribe(7, tuple(Subscription(one, qos) for one in filters)))
    assert (await wire.receive(SubAck)).reasons == (qos,) * len(filters)


async def published(wire: Wire, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> None:
    """Send, and see it through."""
    wire.send(Publish(topic, payload, qos, retain, identifier=5 if qos else 0))
    if qos == 1:
        assert (await wire.receive(PubAck)).identifier == 5
    if qos == 2:
        assert (await wire.receive(PubRec)).identifier == 5
        wire.send(PubRel(5))
        assert (await wire.receive(PubComp)).identifier == 5


async def taken(wire: Wire) -> Publish:
    """The next message, acknowledged as its quality asks."""
    message = await wire.receive(Publish)
    if message.qos == 1:
        wire.send(PubAck(message.identifier))
    if message.qos == 2:
        wire.send(PubRec(message.identifier))
        assert await wire.receive(PubRel) == PubRel(message.identifier)
        wire.send(PubComp(message.identifier))
    return message


@VERSIONS
async def test_a_message_of_each_quality_comes_back(hall: Hall, version: Version) -> None:
    wire, _ = await hall.come("a", version)
    await subscribed(wire, "Topic/A")
    other, _ = await hall.come("b", version)
    for qos in (0, 1, 2):
        await published(other, "Topic/A", b"%d" % qos, qos)
        message = await taken(wire)
        assert (message.topic, message.payload, message.qos) == ("Topic/A", b"%d" % qos, qos)


@VERSIONS
async def test_what_is_retained_comes_to_each_who_subscribes_until_it_is_cleared(hall: Hall, version: Version) -> None:
    """MQTT-3.3.1-5 to -10."""
    sender, _ = await hall.come("a", version)
    for qos, topic in enumerate(("room", "room/b", "room/c")):
        await published(sender, topic, b"%d" % qos, qos, retain=True)
    for _ in range(2):
        reader, _ = await hall.come("b", version)
        await subscribed(reader, "room/#")
        found = [await taken(reader) for _ in range(3)]
        assert {(m.topic, m.payload, m.qos, m.retain) for m in found} == {
            ("room", b"0", 0, True),
            ("room/b", b"1", 1, True),
            ("room/c", b"2", 2, True),
        }
    for topic in ("room", "room/b", "room/c"):
        await published(sender, topic, b"", 1, retain=True)
    late, _ = await hall.come("c", version)
    await subscribed(late, "#")
    await published(sender, "end", b"", 1)
    assert (await taken(late)).topic == "end"


@VERSIONS
async def test_a_client_that_is_away_finds_what_came(hall: Hall, version: Version) -> None:
    """MQTT-3.1.2-4 to -6, MQTT-4.5: its subscriptions and messages of QoS 1 and 2 wait for it."""
    wire, answer = await hall.come("away", version, stays=True)
    assert not answer.session_present
    await subscribed(wire, "waits/#")
    wire.send(Disconnect())
    assert await wire.ended()
    sender, _ = await hall.come("b", version)
    for qos in (1, 2):
        await published(sender, f"waits/{qos}", b"x", qos)
    again, answer = await hall.come("away", version, stays=True, clean=False)
    assert answer.session_present
    assert [(await taken(again)).topic for _ in range(2)] == ["waits/1", "waits/2"]
    again.send(Disconnect())
    assert await again.ended()
    anew, answer = await hall.come("away", version)
    assert not answer.session_present
    await published(sender, "waits/3", b"x", 1)
    assert await anew.is_silent()


@VERSIONS
async def test_what_was_not_acknowledged_is_sent_again(hall: Hall, version: Version) -> None:
    """MQTT-4.4.0-1: with its identifier, and marked; a released one is released again."""
    wire, _ = await hall.come("again", version, stays=True)
    await subscribed(wire, "n")
    sender, _ = await hall.come("b", version)
    await published(sender, "n", b"one", 1)
    await published(sender, "n", b"two", 2)
    first, second = await wire.receive(Publish), await wire.receive(Publish)
    wire.send(PubRec(second.identifier))
    assert await wire.receive(PubRel) == PubRel(second.identifier)
    await wire.close()
    again, _ = await hall.come("again", version, stays=True, clean=False)
    seen: list[object] = [await again.receive(object) for _ in range(2)]
    assert PubRel(second.identifier) in seen
    assert Publish("n", b"one", 1, dup=True, identifier=first.identifier) in seen


@VERSIONS
async def test_a_will_follows_a_loss_and_no_goodbye(hall: Hall, version: Version) -> None:
    """MQTT-3.1.2-8 to -10, MQTT-3.14.4-3."""
    reader, _ = await hall.come("r", version)
    await subscribed(reader, "will/#")
    polite, _ = await hall.come("p", version, will=Will("will/polite", b"", 1))
    polite.send(Disconnect())
    assert await polite.ended()
    rude, _ = await hall.come("q", version, will=Will("will/rude", b"gone", 1, retain=True))
    await rude.close()
    message = await taken(reader)
    assert (message.topic, message.payload) == ("will/rude", b"gone")


@VERSIONS
async def test_overlapping_subscriptions_bring_one_message(hall: Hall, version: Version) -> None:
    """Of the highest quality (MQTT-3.3.5-1 in 3.1.1; 3.3.4 in 5)."""
    wire, _ = await hall.come("a", version)
    wire.send(Subscribe(1, (Subscription("o/#", 2), Subscription("o/+", 1))))
    assert (await wire.receive(SubAck)).reasons == (2, 1)
    sender, _ = await hall.come("b", version)
    await published(sender, "o/x", b"", 2)
    assert (await taken(wire)).qos == 2
    assert await wire.is_silent()


@VERSIONS
async def test_unsubscribing_ends_what_it_names(hall: Hall, version: Version) -> None:
    wire, _ = await hall.come("a", version)
    await subscribed(wire, "u/a", "u/b", "u/c")
    wire.send(Unsubscribe(3, ("u/b", "u/x")))
    answer = await wire.receive(UnsubAck)
    assert answer.reasons == ((0, Reason.NO_SUBSCRIPTION_EXISTED) if version == V5 else ())
    sender, _ = await hall.come("b", version)
    for name in "abc":
        await published(sender, f"u/{name}", b"", 1)
    assert [(await taken(wire)).topic for _ in range(2)] == ["u/a", "u/c"]


@VERSIONS
async def test_wildcards_do_not_reach_what_begins_with_a_dollar(hall: Hall, version: Version) -> None:
    """MQTT-4.7.2-1."""
    wire, _ = await hall.come("a", version)
    await subscribed(wire, "#", "+/x")
    sender, _ = await hall.come("b", version)
    await published(sender, "$own/x", b"", 1)
    await published(sender, "own/x", b"", 1)
    assert (await taken(wire)).topic == "own/x"


@VERSIONS
async def test_a_second_connection_of_an_id_ends_the_first(hall: Hall, version: Version) -> None:
    """MQTT-3.1.4-2 in 3.1.1, MQTT-3.1.4-3 in 5."""
    first, _ = await hall.come("same", version)
    await hall.come("same", version)
    if version == V5:
        assert (await first.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert await first.ended()


@VERSIONS
async def test_an_empty_client_id_is_given_one(hall: Hall, version: Version) -> None:
    """MQTT-3.1.3-6 to -8."""
    _, answer = await hall.come("", version)
    assert answer.reason == 0
    assert bool(answer.properties.assigned_client_id) == (version == V5)


async def test_version_5_keeps_to_what_was_agreed(hall: Hall) -> None:
    """Receive maximum, largest packet and topic aliases of the client (MQTT 5, 3.1.2.11)."""
    agreed = Properties(receive_maximum=2, maximum_packet_bytes=100, topic_alias_maximum=1)
    wire = await hall.wire(V5)
    wire.send(Connect("narrow", V5, True, properties=agreed))
    assert (await wire.receive(ConnAck)).reason == 0
    await subscribed(wire, "n/#", qos=1)
    sender, _ = await hall.come("b", V5)
    await published(sender, "n/large", b"x" * 200, 1)
    for n in range(3):
        await published(sender, "n/small", b"%d" % n, 1)
    got = [await wire.receive(Publish) for _ in range(2)]
    assert [(m.topic, m.payload, m.properties.topic_alias) for m in got] == [("n/small", b"0", 1), ("", b"1", 1)]
    assert await wire.is_silent(), "two are in flight"
    wire.send(PubAck(got[0].identifier))
    assert (await wire.receive(Publish)).payload == b"2"


async def test_a_shared_subscription_gives_each_message_to_one(hall: Hall) -> None:
    """MQTT 5, 4.8.2."""
    members = [(await hall.come(name, V5))[0] for name in ("one", "two")]
    for member in members:
        await subscribed(member, "$share/g/s/#", qos=1)
    sender, _ = await hall.come("b", V5)
    for n in range(6):
        await published(sender, "s/x", b"%d" % n, 1)
    found = [(await taken(member)).payload for _ in range(3) for member in members]
    assert sorted(found) == [b"%d" % n for n in range(6)]
