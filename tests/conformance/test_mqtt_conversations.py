"""Whole conversations of the clients people have, over TCP and over TLS: what is sent is heard, as it was sent."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from broadstreet.access import Access
from broadstreet.apis import Services
from broadstreet.app.mqtt_tls import MqttTls
from broadstreet.devices import Registry
from broadstreet.engines import Engines
from broadstreet.log import Log, StreamLimits
from broadstreet.mqtt import Version, Will
from broadstreet.store import Store
from tests.absence import absent
from tests.conftest import Databases
from tests.contract.certificates import write_certificate
from tests.contract.mqtt_site import ANSWER_S, SECRET, V3, V5, Site, now_us, open_site

VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
TRANSPORTS = pytest.mark.parametrize("over", ["tcp", "tls"])
PAIRS = pytest.mark.parametrize(("over", "version"), [("tcp", V3), ("tls", V5)], ids=["3.1.1 over tcp", "5 over tls"])
NEEDS_MOSQUITTO = pytest.mark.skipif(
    shutil.which("mosquitto_pub") is None or shutil.which("mosquitto_sub") is None,
    reason=absent("mosquitto_pub and mosquitto_sub are not installed: Debian has them in mosquitto-clients"),
)
ROOMS = "devices/d-0"


@dataclass
class Place:
    """A gateway with both ports, and a token of somebody who may hear all devices."""

    site: Site
    token: str
    authority: Path

    def address(self, over: str) -> dict[str, Any]:
        """Where aiomqtt finds it."""
        if over == "tcp":
            return {"hostname": "localhost", "port": self.site.port}
        context = ssl.create_default_context(cafile=self.authority)
        return {"hostname": "localhost", "port": self.site.gateway.secure_listener.port, "tls_context": context}

    def device(self, over: str, version: Version, **more: Any) -> aiomqtt.Client:
        """The device d-0, as its own client."""
        return self.client(over, version, username="d-0", password=SECRET + "d-0", **more)

    def person(self, over: str, version: Version, **more: Any) -> aiomqtt.Client:
        """Who hears."""
        return self.client(over, version, username="ada", password=self.token, **more)

    def client(self, over: str, version: Version, **more: Any) -> aiomqtt.Client:
        protocol = aiomqtt.ProtocolVersion.V5 if version == V5 else aiomqtt.ProtocolVersion.V311
        return aiomqtt.Client(**self.address(over), protocol=protocol, timeout=ANSWER_S, **more)


@pytest.fixture
async def place(databases: Databases, engines: Engines, nats_url: str, data_dir: Path) -> AsyncIterator[Place]:
    async with (
        databases.with_tenants("city") as dsn,
        await Store.connect(dsn) as store,
        await Log.connect(nats_url) as log,
    ):
        await log.ensure_streams(StreamLimits())
        services = Services(store, log, Access(store.control, now_us), Registry(store), now_us, data_path=data_dir)
        await services.access.accounts.create("ada", "Ada", tenant="city", roles=["dispatcher"], by="test")
        issued = await services.access.tokens.issue("ada", "api", "test", 3600, by="test")
        async with open_site(services, engines, data_dir) as site:
            files = write_certificate(data_dir, 1)
            await site.gateway.listen_securely("127.0.0.1", 0, MqttTls(files).context)
            yield Place(site, issued.secret, files.certificate)


async def heard(client: aiomqtt.Client, count: int) -> list[aiomqtt.Message]:
    """The next messages."""
    messages = aiter(client.messages)
    async with asyncio.timeout(ANSWER_S):
        return [await anext(messages) for _ in range(count)]


def properties(kind: int, **given: Any) -> Any:
    made: Any = Properties  # which has no types of its own
    filled = made(kind)
    for name, value in given.items():
        setattr(filled, name, value)
    return filled


@TRANSPORTS
@VERSIONS
async def test_each_quality_both_ways(place: Place, over: str, version: Version) -> None:
    async with place.person(over, version) as reader, place.device(over, version) as device:
        for qos in (0, 1, 2):
            await reader.subscribe(f"{ROOMS}/q{qos}", qos)
        for qos in (0, 1, 2):
            for n in range(5):
                await device.publish(f"{ROOMS}/q{qos}", b"%d" % n, qos)
            found = await heard(reader, 5)
            assert [(str(m.topic), m.payload, m.qos) for m in found] == [
                (f"{ROOMS}/q{qos}", b"%d" % n, qos) for n in range(5)
            ]
        await reader.unsubscribe(f"{ROOMS}/q1")
        await device.publish(f"{ROOMS}/q1", b"unheard", 1)
        await device.publish(f"{ROOMS}/q2", b"last", 2)
        assert [m.payload for m in await heard(reader, 1)] == [b"last"]
        await device.publish("readings", b'{"no2": 1}', 2)
    assert [payload for _, topic, payload in await place.site.kept() if topic == "readings"] == [b'{"no2": 1}']


@PAIRS
async def test_what_is_retained_waits_and_goes(place: Place, over: str, version: Version) -> None:
    async with place.device(over, version) as device:
        await device.publish(f"{ROOMS}/state", b"on", 1, retain=True)
        async with place.person(over, version) as late:
            await late.subscribe(f"{ROOMS}/state", 1)
            (message,) = await heard(late, 1)
            assert (message.payload, message.retain) == (b"on", True)
        await device.publish(f"{ROOMS}/state", b"", 1, retain=True)
        async with place.person(over, version) as later:
            await later.subscribe(f"{ROOMS}/#", 1)
            await device.publish(f"{ROOMS}/other", b"live", 1)
            assert [(m.payload, m.retain) for m in await heard(later, 1)] == [(b"live", False)]


@PAIRS
async def test_a_will_is_spoken_when_the_connection_is_lost(place: Place, over: str, version: Version) -> None:
    will = aiomqtt.Will(f"{ROOMS}/alive", b"no", 1, False)
    async with place.person(over, version) as reader:
        await reader.subscribe(f"{ROOMS}/alive", 1)
        async with place.device(over, version, will=will):
            pass  # which says goodbye: no will
        async with place.device(over, version) as device:
            await device.publish(f"{ROOMS}/alive", b"yes", 1)
        assert [m.payload for m in await heard(reader, 1)] == [b"yes"]
        tls = place.address(over).get("tls_context")
        wire = await place.site.connect(version=version, tls=tls, will=Will(f"{ROOMS}/alive", b"no", 1))
        await wire.close()  # without a word
        assert [m.payload for m in await heard(reader, 1)] == [b"no"]


@PAIRS
async def test_a_lasting_session_is_found_again(place: Place, over: str, version: Version) -> None:
    lasting: dict[str, Any] = {"clean_session": False, "identifier": "desk"}
    if version == V5:
        stays = properties(PacketTypes.CONNECT, SessionExpiryInterval=600)
        lasting = {"clean_start": False, "identifier": "desk", "properties": stays}
    async with place.person(over, version, **lasting) as reader:
        await reader.subscribe(f"{ROOMS}/#", 2)
    async with place.device(over, version) as device:
        for n in range(6):
            await device.publish(f"{ROOMS}/n", b"%d" % n, 1 + n % 2)
    async with place.person(over, version, **lasting) as reader:
        found = await heard(reader, 6)
    for qos in (1, 2):  # each in its order; a client hands on a QoS 2 message once it is released
        assert [m.payload for m in found if m.qos == qos] == [b"%d" % n for n in range(6) if 1 + n % 2 == qos]


@TRANSPORTS
async def test_those_who_share_a_subscription_take_turns(place: Place, over: str) -> None:
    async with place.person(over, V5) as one, place.person(over, V5) as other, place.device(over, V5) as device:
        for client in (one, other):
            await client.subscribe(f"$share/desk/{ROOMS}/#", 1)
        for n in range(8):
            await device.publish(f"{ROOMS}/n", b"%d" % n, 1)
        first, second = await heard(one, 4), await heard(other, 4)
    assert sorted(m.payload for m in (*first, *second)) == [b"%d" % n for n in range(8)]


@TRANSPORTS
async def test_version_5_says_more(place: Place, over: str) -> None:
    """Properties go through unaltered; no-local, retain as published, a subscription's identifier, an expiry."""
    said = properties(
        PacketTypes.PUBLISH,
        ContentType="application/json",
        ResponseTopic=f"{ROOMS}/answer",
        CorrelationData=b"17",
        PayloadFormatIndicator=1,
        MessageExpiryInterval=60,
        UserProperty=[("a", "1"), ("a", "2")],
    )
    named = properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=9)
    options: Any = SubscribeOptions
    async with place.person(over, V5) as reader, place.device(over, V5) as device:
        await reader.subscribe(f"{ROOMS}/#", options=options(qos=1, retainAsPublished=True), properties=named)
        await device.subscribe(f"{ROOMS}/#", options=options(qos=1, noLocal=True))
        await device.publish(f"{ROOMS}/x", b"{}", 1, retain=True, properties=said)
        (message,) = await heard(reader, 1)
        got: Any = message.properties
        assert (got.ContentType, got.ResponseTopic, got.CorrelationData) == (
            "application/json",
            f"{ROOMS}/answer",
            b"17",
        )
        assert (got.PayloadFormatIndicator, got.UserProperty) == (1, [("a", "1"), ("a", "2")])
        assert got.MessageExpiryInterval <= 60
        assert got.SubscriptionIdentifier == [9]
        assert message.retain
        await device.publish("readings", b"{}", 0)
        assert [str(m.topic) for m in await heard(reader, 1)] == [f"{ROOMS}/readings"]


@NEEDS_MOSQUITTO
@PAIRS
async def test_mosquittos_tools(place: Place, over: str, version: Version) -> None:
    where = place.address(over)
    common = ["-h", where["hostname"], "-p", str(where["port"]), "-V", "mqttv5" if version == V5 else "mqttv311"]
    if over == "tls":
        common += ["--cafile", str(place.authority)]

    async def run(*command: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(ANSWER_S):
            out, _ = await process.communicate()
        return process.returncode or 0, out.decode()

    device = ["mosquitto_pub", *common, "-u", "d-0", "-P", SECRET + "d-0"]
    person = ["mosquitto_sub", *common, "-u", "ada", "-P", place.token, "-v", "-i", "desk", "-c"]
    if version == V5:
        person += ["-x", "600"]
    assert await run(*person, "-q", "2", "-t", f"{ROOMS}/#", "-E") == (0, "")  # it subscribes, and goes
    for qos in ("1", "2"):
        assert (await run(*device, "-q", qos, "-t", f"{ROOMS}/q{qos}", "-m", qos))[0] == 0
    assert await run(*person, "-q", "2", "-t", f"{ROOMS}/#", "-C", "2") == (0, f"{ROOMS}/q1 1\n{ROOMS}/q2 2\n")
