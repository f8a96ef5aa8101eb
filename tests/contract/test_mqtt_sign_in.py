"""Connecting to the gateway: who is let in and who is not, what CONNACK promises, and how connections end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.access.token import TokenScope
from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Disconnect,
    PingReq,
    PingResp,
    Properties,
    PubAck,
    Publish,
    Reason,
    Version,
    Will,
    encode,
)
from tests.contract.mqtt_site import V3, V5, Site, open_gateway, open_site

VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


@VERSIONS
async def test_a_device_signs_in_and_stays(site: Site, version: Version) -> None:
    wire = await site.connect("plant:7", version)
    wire.send(PingReq())
    await wire.receive(PingResp)
    row = await site.sees(lambda r: r["connected_at"] is not None, "plant:7")
    assert row["gateway"] == "gateway-t"
    assert row["disconnected_at"] is None
    wire.send(Disconnect())
    row = await site.sees(lambda r: r["disconnected_at"] is not None, "plant:7")
    assert row["reason"] == "closed by the device"


@pytest.mark.parametrize(("version", "code"), [(V3, 4), (V5, 0x86)], ids=["3.1.1", "5"])
async def test_a_wrong_secret_is_refused_and_written_down(site: Site, version: Version, code: int) -> None:
    wire, answer = await site.greet("d-0", version, password="not-the-secret-of-this-device")
    assert answer.reason == code
    assert await wire.ended()
    row = await site.sees(lambda r: r["refused_at"] is not None)
    assert row["refused_reason"] == "its secret is wrong"
    assert row["connected_at"] is None
    assert site.gateway.counters.sign_ins_refused == 1


async def test_a_stranger_and_nobody_are_refused(site: Site) -> None:
    _, answer = await site.greet("d-99")
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD
    wire = await site.wire()
    wire.send(Connect("x"))
    assert (await wire.receive(ConnAck)).reason == Reason.BAD_USER_NAME_OR_PASSWORD


async def test_a_disabled_device_is_refused(site: Site) -> None:
    city = await site.services.store.tenant("city")
    await site.services.registry.disable(city, "d-1", 1)
    _, answer = await site.greet("d-1")
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD
    row = await site.sees(lambda r: r["refused_at"] is not None, "d-1")
    assert row["refused_reason"] == "it is disabled here"


async def test_a_secret_that_was_replaced_is_refused_at_once(site: Site) -> None:
    wire = await site.connect("d-1")
    city = await site.services.store.tenant("city")
    fresh = await site.services.registry.rotate_secret(city, "d-1")
    _, answer = await site.greet("d-1")
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD
    wire.send(PingReq())
    await wire.receive(PingResp)  # whoever is in stays
    _, answer = await site.greet("d-1", password=fresh)
    assert answer.reason == 0


async def test_a_device_that_is_disabled_does_not_stay(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadstreet.gateway.gateway.SHUT_OUT_EVERY_S", 0.05)
    async with open_gateway(site.services, site.engines.data_dir, name="gateway-u") as gateway:
        before, site.gateway = site.gateway, gateway
        wire, other = await site.connect("d-1"), await site.connect("d-0")
        city = await site.services.store.tenant("city")
        await site.services.registry.disable(city, "d-1", 1)
        goodbye = await wire.receive(Disconnect)
        assert goodbye.reason == Reason.NOT_AUTHORIZED
        assert str(goodbye.properties.reason_string).startswith("the device was disabled")
        _, answer = await site.greet("d-1")
        assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD
        other.send(PingReq())
        await other.receive(PingResp)
        site.gateway = before


async def test_a_token_lets_its_own_account_in_and_no_other(site: Site) -> None:
    await site.person("ada")
    issued = await site.services.access.tokens.issue("ada", "api", "test", 3600, by="test")
    _, answer = await site.greet("bob", password=issued.secret)
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD
    _, answer = await site.greet("ada", password="bst_" + "x" * 43)
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD


async def test_a_token_that_sees_a_part_of_the_city_hears_no_topics(site: Site) -> None:
    await site.person("ada")
    scope = TokenScope.checked(["AirQualityObserved"], None)
    issued = await site.services.access.tokens.issue("ada", "api", "test", 3600, by="test", scope=scope)
    _, answer = await site.greet("ada", password=issued.secret)
    assert answer.reason == Reason.NOT_AUTHORIZED


async def test_connack_says_what_is_offered(site: Site) -> None:
    _, answer = await site.greet(client_id="", properties=Properties(session_expiry_s=100, receive_maximum=7))
    given = answer.properties
    assert given.maximum_qos is None, "both"
    assert given.session_expiry_s is None, "as asked"
    assert given.shared_available is None, "yes"
    assert given.receive_maximum is not None
    assert given.maximum_packet_bytes == 1024 * 1024
    assert given.topic_alias_maximum is not None
    assert given.topic_alias_maximum > 0
    assert given.assigned_client_id
    assert given.server_keep_alive_s
    _, other = await site.greet(client_id="")
    assert other.properties.assigned_client_id not in ("", given.assigned_client_id)
    _, other = await site.greet("d-1", keep_alive_s=60)
    assert other.properties.server_keep_alive_s is None
    assert not other.session_present


async def test_a_client_without_an_id_or_a_clean_session_is_refused(site: Site) -> None:
    wire = await site.wire(V3)
    wire.send(Connect("", V3, clean_start=False))
    assert (await wire.receive(ConnAck)).reason == 2
    assert await wire.ended()


@pytest.mark.parametrize(
    ("connect", "reason"),
    [
        (Connect("x", properties=Properties(authentication_method="m")), Reason.BAD_AUTHENTICATION_METHOD),
        (Connect("x" * 300), Reason.CLIENT_IDENTIFIER_NOT_VALID),
    ],
)
async def test_what_is_not_offered_is_said(site: Site, connect: Connect, reason: Reason) -> None:
    wire = await site.wire()
    wire.send(connect)
    answer = await wire.receive(ConnAck)
    assert answer.reason == reason
    assert answer.properties.reason_string
    assert await wire.ended()


async def test_words_are_left_out_where_the_client_takes_no_long_packet(site: Site) -> None:
    small = Properties(maximum_packet_bytes=20)
    wire, answer = await site.greet("d-9", properties=small)
    assert answer == ConnAck(False, Reason.BAD_USER_NAME_OR_PASSWORD)
    wire = await site.connect("d-1", properties=Properties(maximum_packet_bytes=60))
    wire.send(ConnAck())
    assert await wire.receive(Disconnect) == Disconnect(Reason.PROTOCOL_ERROR)


async def test_a_will_on_another_devices_topic_is_refused(site: Site) -> None:
    _, answer = await site.greet(will=Will("devices/d-1/status", b"gone"))
    assert answer.reason == Reason.NOT_AUTHORIZED
    row = await site.sees(lambda r: r["refused_at"] is not None)
    assert "devices/d-1/status" in row["refused_reason"]


async def test_an_unknown_version_is_answered_as_all_versions_understand(site: Site) -> None:
    wire = await site.wire(V3)
    wire.write(bytes.fromhex("100C00044D5154540602000000 00"))
    assert (await wire.receive(ConnAck)).reason == 1
    assert await wire.ended()


async def test_the_same_client_id_takes_over(site: Site) -> None:
    first = await site.connect()
    second = await site.connect()
    goodbye = await first.receive(Disconnect)
    assert goodbye.reason == Reason.SESSION_TAKEN_OVER
    assert await first.ended()
    second.send(Publish("readings", b"{}", 1, identifier=1))
    await second.receive(PubAck)
    row = await site.sees(lambda r: r["connected_at"] is not None)
    assert row["disconnected_at"] is None


async def test_a_client_id_is_its_peers_own(site: Site) -> None:
    first = await site.connect("d-0", client_id="same")
    await site.connect("d-1", client_id="same")
    first.send(PingReq())
    await first.receive(PingResp)


@VERSIONS
async def test_silence_beyond_the_keep_alive_ends_a_connection(site: Site, version: Version) -> None:
    wire = await site.connect(version=version, keep_alive_s=1)
    talker = await site.connect("d-1", version, keep_alive_s=1)
    for _ in range(6):
        await asyncio.sleep(0.5)
        talker.send(PingReq())
        await talker.receive(PingResp)
    if version == V5:
        assert (await wire.receive(Disconnect)).reason == Reason.KEEP_ALIVE_TIMEOUT
    assert await wire.ended()
    row = await site.sees(lambda r: r["disconnected_at"] is not None)
    assert row["reason"] == "keep-alive ran out"


@VERSIONS
async def test_a_malformed_packet_ends_its_connection_alone(site: Site, version: Version) -> None:
    good = await site.connect("d-1", version)
    bad = await site.connect("d-0", version)
    bad.write(b"\x36\x05\x00\x01a\x00\x01")
    if version == V5:
        goodbye = await bad.receive(Disconnect)
        assert goodbye.reason == Reason.MALFORMED_PACKET
        assert "MQTT-3.3.1-4" in str(goodbye.properties.reason_string)
    assert await bad.ended()
    good.send(Publish("readings", b"{}", 1, identifier=9))
    assert (await good.receive(PubAck)).identifier == 9
    row = await site.sees(lambda r: r["disconnected_at"] is not None)
    assert "breaks the standard" in row["reason"]


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 100,
        encode(Publish("readings", b"{}"), V5),
        b"\x10\xff\xff\xff\x7f",
    ],
    ids=["http", "zeros", "publish first", "a huge CONNECT"],
)
async def test_whoever_does_not_begin_with_connect_is_cut_off(site: Site, raw: bytes) -> None:
    wire = await site.wire()
    wire.write(raw)
    assert await wire.ended()


async def test_a_second_connect_and_a_servers_packet_are_protocol_errors(site: Site) -> None:
    wire = await site.connect()
    wire.send(Connect("d-0"))
    assert (await wire.receive(Disconnect)).reason == Reason.PROTOCOL_ERROR
    wire = await site.connect()
    wire.send(ConnAck())
    assert (await wire.receive(Disconnect)).reason == Reason.PROTOCOL_ERROR


async def test_a_goodbye_that_asks_for_what_connect_did_not(site: Site) -> None:
    wire = await site.connect()
    wire.send(Disconnect(properties=Properties(session_expiry_s=10)))
    assert (await wire.receive(Disconnect)).reason == Reason.PROTOCOL_ERROR


async def test_what_follows_connect_in_the_same_bytes_is_not_lost(site: Site) -> None:
    wire = await site.wire()
    wire.send(
        Connect("d-0", username="d-0", password=b"a-secret-that-is-long-enough-d-0"),
        Publish("readings", b'{"no2":1}', 1, identifier=1),
        Publish("readings", b'{"no2":2}', 1, identifier=2),
    )
    assert (await wire.receive(ConnAck)).reason == 0
    assert [(await wire.receive(PubAck)).identifier for _ in range(2)] == [1, 2]
    assert [payload for _, _, payload in await site.kept()] == [b'{"no2":1}', b'{"no2":2}']


async def test_a_gateway_that_was_killed_closes_what_it_left_open(
    site: Site, services: Services, data_dir: Path
) -> None:
    city = await services.store.tenant("city")
    await city.execute(
        "INSERT INTO connection (device_key, gateway, connected_at) VALUES ($1, 'gateway-u', $2)", site.keys["d-1"], 5
    )
    async with open_gateway(services, data_dir, name="gateway-u"):
        row = await site.seen("d-1")
    assert row["disconnected_at"] is not None
    assert row["reason"] == "the gateway was started again"


async def test_a_stopped_gateway_says_goodbye(site: Site, services: Services, data_dir: Path) -> None:
    async with open_gateway(services, data_dir, name="gateway-u") as other:
        before, site.gateway = site.gateway, other
        wire = await site.connect("d-1")
        site.gateway = before
    assert (await wire.receive(Disconnect)).reason == Reason.SERVER_SHUTTING_DOWN
    row = await site.seen("d-1")
    assert row["reason"] == "the gateway was stopped"
