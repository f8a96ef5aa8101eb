"""The clients people have: paho-mqtt, aiomqtt and the mosquitto tools, in both versions, against a real gateway."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.model.errors import NotSignedIn
from broadstreet.mqtt import Publish, Subscription, Version
from broadstreet.mqtt.client import Client
from tests.absence import absent
from tests.contract.mqtt_site import ANSWER_S, POLL_S, POLLS, SECRET, V3, V5, Site, open_gateway, open_site

VERSIONS = pytest.mark.parametrize("version", [V3, V5], ids=["3.1.1", "5"])
MOSQUITTO_VERSION = {V3: "mqttv311", V5: "mqttv5"}
NEEDS_MOSQUITTO = pytest.mark.skipif(
    shutil.which("mosquitto_pub") is None or shutil.which("mosquitto_sub") is None,
    reason=absent("mosquitto_pub and mosquitto_sub are not installed: Debian has them in mosquitto-clients"),
)


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


async def token(site: Site) -> str:
    """A viewer's token."""
    access = site.services.access
    await access.accounts.create("ada", "Ada", tenant="city", roles=["dispatcher"], by="test")
    return (await access.tokens.issue("ada", "api", "test", 3600, by="test")).secret


@VERSIONS
async def test_paho(site: Site, version: Version) -> None:
    secret = await token(site)
    protocol = MQTTProtocolVersion.MQTTv5 if version == V5 else MQTTProtocolVersion.MQTTv311
    count = 200

    def converse() -> tuple[list[bytes], list[bytes]]:
        heard: list[bytes] = []
        subscribed, all_heard = threading.Event(), threading.Event()

        def on_message(_: Any, __: Any, message: paho.MQTTMessage) -> None:
            heard.append(bytes(message.payload))
            if len(heard) == count:
                all_heard.set()

        reader = paho.Client(CallbackAPIVersion.VERSION2, "reader", protocol=protocol)
        reader.username_pw_set("ada", secret)
        reader.on_message = on_message
        reader.on_subscribe = lambda *_: subscribed.set()
        reader.on_connect = lambda client, *_: client.subscribe("devices/+/readings", 1)
        reader.connect("127.0.0.1", site.port)
        reader.loop_start()
        assert subscribed.wait(ANSWER_S)
        writer = paho.Client(CallbackAPIVersion.VERSION2, "writer", protocol=protocol)
        writer.username_pw_set("plant:7", SECRET + "plant:7")
        writer.connect("127.0.0.1", site.port)
        writer.loop_start()
        sent = [b'{"no2":%d}' % n for n in range(count)]
        for one in [writer.publish("readings", payload, 1) for payload in sent]:
            one.wait_for_publish(ANSWER_S)
            assert one.is_published()
        assert all_heard.wait(ANSWER_S)
        for client in (writer, reader):
            client.disconnect()
            client.loop_stop()
        return sent, heard

    sent, heard = await asyncio.to_thread(converse)
    assert heard == sent
    assert [payload for _, _, payload in await site.kept("plant:7")] == sent


@VERSIONS
async def test_aiomqtt(site: Site, version: Version) -> None:
    secret = await token(site)
    protocol = aiomqtt.ProtocolVersion.V5 if version == V5 else aiomqtt.ProtocolVersion.V311
    where: dict[str, Any] = {"hostname": "127.0.0.1", "port": site.port, "protocol": protocol}
    will = aiomqtt.Will("devices/d-0/status", b"lost", 1, True)
    async with (
        aiomqtt.Client(**where, username="ada", password=secret) as reader,
        aiomqtt.Client(**where, username="d-0", password=SECRET + "d-0", will=will) as writer,
    ):
        await reader.subscribe("devices/#", 1)
        await writer.publish("devices/d-0/status", b"on", 1, retain=True)
        await writer.publish("readings", b'{"no2":1}', 1)
        async with asyncio.timeout(ANSWER_S):
            messages = aiter(reader.messages)
            found = [await anext(messages) for _ in range(2)]
    assert [(str(m.topic), m.payload) for m in found] == [
        ("devices/d-0/status", b"on"),
        ("devices/d-0/readings", b'{"no2":1}'),
    ]


@VERSIONS
async def test_aiomqtt_finds_its_session_again_at_qos_2(site: Site, version: Version) -> None:
    secret = await token(site)
    protocol = aiomqtt.ProtocolVersion.V5 if version == V5 else aiomqtt.ProtocolVersion.V311
    where: dict[str, Any] = {"hostname": "127.0.0.1", "port": site.port, "protocol": protocol}
    kept: dict[str, Any] = {"clean_session": False}
    if version == V5:
        made: Any = Properties  # which has no types of its own
        stay = made(PacketTypes.CONNECT)
        stay.SessionExpiryInterval = 3600
        kept = {"clean_start": False, "properties": stay}
    reader: dict[str, Any] = {**where, **kept, "identifier": "reader", "username": "ada", "password": secret}
    async with aiomqtt.Client(**reader) as client:
        await client.subscribe("devices/#", 2)
    async with aiomqtt.Client(**where, username="d-0", password=SECRET + "d-0") as writer:
        for n in range(20):
            await writer.publish("readings", b'{"no2":%d}' % n, 2)
    async with aiomqtt.Client(**reader) as client, asyncio.timeout(ANSWER_S):
        messages = aiter(client.messages)
        found = [await anext(messages) for _ in range(20)]
    assert [message.payload for message in found] == [b'{"no2":%d}' % n for n in range(20)]
    assert {message.qos for message in found} == {2}
    assert len(await site.kept()) == 20


@NEEDS_MOSQUITTO
@VERSIONS
async def test_mosquitto(site: Site, version: Version) -> None:
    common = ["-h", "127.0.0.1", "-p", str(site.port), "-V", MOSQUITTO_VERSION[version]]
    publish = ["mosquitto_pub", *common, "-u", "d-0", "-P", SECRET + "d-0", "-q", "1"]

    async def run(*command: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(ANSWER_S):
            out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    assert await run(*publish, "-t", "devices/d-0/status", "-r", "-m", "on") == (0, "", "")
    secret = await token(site)
    subscribe = ["mosquitto_sub", *common, "-u", "ada", "-P", secret, "-q", "1", "-v", "-t", "devices/#", "-C", "1"]
    assert await run(*subscribe) == (0, "devices/d-0/status on\n", "")
    assert (await run(*publish, "-t", "readings", "-m", '{"no2":1}'))[0] == 0
    assert [topic for _, topic, _ in await site.kept()] == ["status", "readings"]
    code, _, words = await run(*[part.replace(SECRET, "wrong-") for part in publish], "-t", "readings", "-m", "1")
    assert code != 0
    assert "ot authorized" in words or "ad user name" in words.lower() or "refused" in words.lower()


@VERSIONS
async def test_our_own_client(site: Site, version: Version) -> None:
    secret = await token(site)
    heard: asyncio.Queue[Publish] = asyncio.Queue()
    where: dict[str, Any] = {"host": "127.0.0.1", "port": site.port, "version": version}
    async with (
        Client(**where, client_id="r", username="ada", password=secret, on_message=heard.put_nowait) as reader,
        Client(**where, client_id="w", username="d-0", password=SECRET + "d-0", in_flight_maximum=10) as writer,
    ):
        assert await reader.subscribe(Subscription("devices/+/readings", 1), Subscription("#")) == (
            1,
            0x87 if version == V5 else 0x80,
        )
        assert await writer.publish("readings", b"first") == 0
        reasons: list[int] = []
        for n in range(500):
            await writer.room()
            assert writer.unacknowledged < 10
            writer.send("readings", b"%d" % n, reasons.append)
        assert await writer.publish("readings", b"last", qos=0) == 0
        assert await writer.publish("readings", b"end") == 0
        async with asyncio.timeout(ANSWER_S):
            payloads = [(await heard.get()).payload for _ in range(503)]
        assert reasons == [0] * 500
        assert payloads == [b"first", *(b"%d" % n for n in range(500)), b"last", b"end"]
        await reader.unsubscribe("devices/+/readings")
    with pytest.raises(NotSignedIn):
        await Client(**where, username="d-0", password="wrong").connect()


@VERSIONS
async def test_our_own_client_comes_back(
    services: Services, engines: Engines, data_dir: Path, version: Version
) -> None:
    """What was not acknowledged when the gateway went is sent again to the next one, in its order."""
    reasons: list[int] = []
    lost: list[str] = []
    async with open_gateway(services, data_dir) as first:
        site = Site(services, first, engines)
        await site.add_devices("d-0")
        client = Client(
            "127.0.0.1",
            site.port,
            username="d-0",
            password=SECRET + "d-0",
            version=version,
            reconnect=True,
            on_lost=lost.append,
            chance=lambda: 0.0,
        )
        await client.connect()
        async with site.frozen_log():
            for n in range(100):
                client.send("readings", b"%d" % n, reasons.append)
            await site.counts("messages")
            for connection in tuple(first.listener.connections):
                connection.abort("the cable was cut")
            for _ in range(POLLS):
                if lost:
                    break
                await asyncio.sleep(POLL_S)
        assert await client.publish("readings", b"after") == 0
        await client.disconnect()
    assert lost == ["the connection was lost"]
    assert reasons == [0] * 100
    kept = [payload for _, _, payload in await site.kept()]
    assert kept[-101:] == [*(b"%d" % n for n in range(100)), b"after"]
