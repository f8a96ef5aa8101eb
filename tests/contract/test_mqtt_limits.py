"""What one client, address or device may take: each limit refuses or slows whoever goes over it, and nobody else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from broadstreet.apis import Services
from broadstreet.app.mqtt_tls import MqttTls
from broadstreet.app.settings import MqttLimits, Settings
from broadstreet.engines import Engines
from broadstreet.gateway.bounds import MAX_PLACES, SPARE_S
from broadstreet.gateway.counters import Counters, report
from broadstreet.gateway.crowd import FIRST_PAUSE_S, Crowd
from broadstreet.gateway.limits import DEFAULT_LIMITS, Limits
from broadstreet.gateway.pace import Pace
from broadstreet.gateway.peer import Peer
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Disconnect,
    PingReq,
    PingResp,
    PubAck,
    PubAckRun,
    Publish,
    Reason,
    SubAck,
    Subscribe,
    Subscription,
)
from broadstreet.portal.vitals import Vitals
from tests.contract.certificates import write_certificate
from tests.contract.mqtt_site import POLL_S, POLLS, SECRET, V3, V5, Site, Wire, identifiers_of, open_site


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


def limit(site: Site, **limits: float) -> None:
    """From now on."""
    site.gateway.crowd.limits = msgspec.structs.replace(DEFAULT_LIMITS, **limits)


def counted(site: Site) -> dict[str, int]:
    return site.gateway.counters.limited


async def open_connections(site: Site, count: int) -> None:
    """Wait until so many connections are open."""
    for _ in range(POLLS):
        if len(site.gateway.listener.connections) == count:
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("it never becomes so many")


async def acknowledged(wire: Wire) -> list[int]:
    """What the next acknowledgement is of, one or many."""
    answer = await wire.receive(object)
    assert isinstance(answer, PubAck | PubAckRun), answer
    return identifiers_of(answer)


def test_the_settings_are_the_gateways() -> None:
    assert msgspec.to_builtins(MqttLimits()) == msgspec.to_builtins(Limits())
    assert msgspec.convert(Settings().mqtt_limits, Limits, from_attributes=True) == DEFAULT_LIMITS


async def test_connections_in_all_and_of_an_address(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("connections", "connections_per_address"):
        limit(site, **{name: 1})
        first = await site.connect()
        assert await (await site.wire()).ended()
        assert counted(site)[name] == 1
        assert f"over the limit {name}: " in caplog.text
        first.send(Disconnect())
        assert await first.ended()
        await open_connections(site, 0)


async def test_connections_of_an_address_over_tls(site: Site, data_dir: Path) -> None:
    shown = MqttTls(write_certificate(data_dir, 1))
    await site.gateway.listen_securely("127.0.0.1", 0, shown.context)
    limit(site, connections_per_address=1)
    await site.connect()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.gateway.secure_listener.port)
    assert await reader.read() == b"", "before anything is said"
    writer.close()
    assert counted(site) == {"connections_per_address": 1}
    assert not site.gateway.counters.handshakes_failed


@pytest.mark.parametrize(("version", "said"), [(V5, Reason.QUOTA_EXCEEDED), (V3, 3)])
async def test_connections_of_a_device(site: Site, version: int, said: int) -> None:
    limit(site, connections_per_device=1)
    first = await site.connect(client_id="one")
    wire, answer = await site.greet(client_id="two", version=V5 if version == V5 else V3)
    assert answer.reason == said
    assert await wire.ended()
    assert counted(site) == {"connections_per_device": 1}
    await site.connect("d-1")
    again = await site.connect(client_id="one")  # in the place of the first
    assert (await first.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    again.send(Disconnect())
    assert await again.ended()
    await site.connect(client_id="two")


async def test_subscriptions_of_a_session(site: Site) -> None:
    limit(site, subscriptions=2)
    for version, said in ((V5, Reason.QUOTA_EXCEEDED), (V3, 0x80)):
        wire = await site.connect(version=version)
        wire.send(Subscribe(1, tuple(Subscription(f"devices/d-0/{name}", 0) for name in "abac")))
        assert (await wire.receive(SubAck)).reasons == (0, 0, 0, said)
    assert counted(site) == {"subscriptions": 2}


async def test_the_size_of_a_packet(site: Site) -> None:
    limit(site, packet_bytes=1_000)
    wire, answer = await site.greet()
    assert answer.properties.maximum_packet_bytes == 1_000
    wire.send(Publish("readings", b"x" * 980, 1, identifier=1))
    await wire.receive(PubAck)
    wire.send(Publish("readings", b"x" * 1_000, 1, identifier=2))
    assert (await wire.receive(Disconnect)).reason == Reason.PACKET_TOO_LARGE
    assert counted(site) == {"packet_bytes": 1}


async def test_messages_in_flight(site: Site) -> None:
    limit(site, in_flight=3)
    wire, answer = await site.greet()
    assert answer.properties.receive_maximum == 3
    old = await site.connect("d-1", V3)
    async with site.frozen_log():
        for one in (wire, old):
            one.send(*(Publish("readings", b"{}", 1, identifier=n) for n in range(1, 6)))
        assert (await wire.receive(Disconnect)).reason == Reason.RECEIVE_MAXIMUM_EXCEEDED
        assert await old.is_silent()
    identifiers: list[int] = []
    while len(identifiers) < 5:
        identifiers += await acknowledged(old)
    assert identifiers == [1, 2, 3, 4, 5]
    assert counted(site)["in_flight"] >= 2


@pytest.mark.parametrize("limited", [{"messages_per_s": 50.0}, {"bytes_per_s": 1_000.0}], ids=["messages", "bytes"])
async def test_who_sends_too_fast_waits_and_loses_nothing(site: Site, limited: dict[str, float]) -> None:
    """More than a second's worth at once: all is acknowledged, in its time, and the others notice nothing."""
    limit(site, **limited)
    first, second, other = (
        await site.connect(client_id="a"),
        await site.connect(client_id="b"),
        await site.connect("d-1"),
    )
    for wire in (first, second):
        wire.send(*(Publish("readings", b"%08d" % n, 1, identifier=n) for n in range(1, 61)))
    other.send(PingReq())
    await other.receive(PingResp)
    for wire in (first, second):
        identifiers: list[int] = []
        while len(identifiers) < 60:
            identifiers += await acknowledged(wire)
        assert identifiers == list(range(1, 61))
    assert set(counted(site)) == {"rate"}
    assert len(await site.kept()) == 120


async def test_who_is_far_ahead_is_sent_away(site: Site) -> None:
    limit(site, messages_per_s=1.0)
    wire = await site.connect()
    wire.send(*(Publish("readings", b"{}", 0) for _ in range(100)))
    assert (await wire.receive(Disconnect)).reason == Reason.MESSAGE_RATE_TOO_HIGH


async def test_refused_sign_ins_are_answered_ever_later(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(site, sign_in_failures=2)
    pauses: list[float] = []
    failed = site.gateway.crowd.failed

    def soon(place: str) -> float:
        pauses.append(failed(place))
        return pauses[-1] / 100

    monkeypatch.setattr(site.gateway.crowd, "failed", soon)
    for _ in range(4):
        _, answer = await site.greet(password=SECRET + "wrong")
        assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD
    _, answer = await site.greet()
    assert answer.reason == 0
    assert pauses == [0.0, 0.0, FIRST_PAUSE_S, 2 * FIRST_PAUSE_S]
    assert counted(site) == {"sign_in_failures": 2}


def test_the_pause_has_an_end_and_what_is_known_of_addresses_a_bound() -> None:
    now_s = 0.0
    crowd = Crowd(Limits(sign_in_failures=1), Counters(), lambda: now_s)
    pauses = [crowd.failed("a") for _ in range(12)]
    assert pauses[:3] == [0.0, FIRST_PAUSE_S, 2 * FIRST_PAUSE_S]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 20.0
    assert crowd.failed("b") == 0.0
    now_s = 1_000.0
    assert crowd.failed("a") == 0.0, "a quarter of an hour is over"
    for n in range(MAX_PLACES + 5):
        crowd.failed(str(n))
    assert len(crowd._failures) == MAX_PLACES


def test_a_limit_is_logged_now_and_then_and_counted_each_time(caplog: pytest.LogCaptureFixture) -> None:
    now_s, counters = 0.0, Counters()
    crowd = Crowd(Limits(connections=0), counters, lambda: now_s)
    for _ in range(5):
        assert crowd.fault_of("10.0.0.7") == "there are 0 connections; 10.0.0.7 is refused"
    now_s = 100.0
    crowd.fault_of("10.0.0.8")
    assert [record.getMessage() for record in caplog.records] == [
        "over the limit connections: there are 0 connections; 10.0.0.7 is refused",
        "over the limit connections: there are 0 connections; 10.0.0.8 is refused (and 4 times before)",
    ]
    assert counters.limited == {"connections": 6}


def test_a_place_that_is_gone_is_forgotten() -> None:
    crowd, peer = Crowd(DEFAULT_LIMITS, Counters(), lambda: 0.0), Peer("city", "device", "d-0", 1)
    crowd.came("a")
    crowd.joined(peer)
    assert crowd.may_shake("a")
    crowd.shook("a")
    crowd.left(peer)
    crowd.went("a")
    assert not crowd._places
    assert not crowd._peers
    assert not crowd._shaking
    pace = crowd.pace(peer)
    assert crowd.pace(peer) is pace
    assert crowd.pace(Peer("city", "guest", "")) is None


def test_a_pace_leaves_a_second_to_spare() -> None:
    pace = Pace(Limits(messages_per_s=10.0, bytes_per_s=0.0))
    for count, now_s, ahead_s in ((10, 100.0, 0.0), (5, 100.0, 0.5), (5, 100.5, 0.5), (0, 200.0, -SPARE_S)):
        pace.messages += count
        assert pace.look_at_messages(now_s) == pytest.approx(ahead_s)
        assert pace.messages == 0
    assert (pace.messages_at_once, pace.bytes_at_once) == (1, sys.maxsize)
    assert Pace(Limits(bytes_per_s=5_000.0)).bytes_at_once == 50


async def test_the_metrics_show_them() -> None:
    counters = Counters(limited={"rate": 7})
    vitals = Vitals(None, lambda: 0)  # type: ignore[arg-type]  # it does not listen
    vitals.take("metrics.gateway.g", msgspec.json.encode(report("g", counters, 0)))
    counters.limited["rate"] += 1
    found = {sample.name: (sample.labels, sample.value) for sample in vitals.samples()}
    assert found["broadstreet_gateway_limited_total"] == ((("gateway", "g"), ("limit", "rate")), 7)


async def test_a_connection_without_connect_counts_too(site: Site) -> None:
    limit(site, connections_per_address=1)
    silent = await site.wire()
    await open_connections(site, 1)
    assert await (await site.wire()).ended()
    silent.send(Connect("d-0", username="d-0", password=(SECRET + "d-0").encode()))
    assert (await silent.receive(ConnAck)).reason == 0
