"""Deliveries over MQTT and HTTPS to real servers of this machine: every QoS in both versions, lost and refused."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest

from broadstreet.delivery import (
    LOOPBACK,
    DeliveryFailed,
    Hosts,
    HttpPost,
    HttpRoute,
    MqttPlace,
    MqttPublish,
    Receivers,
    publish,
)
from broadstreet.model.errors import BadPacket
from broadstreet.mqtt.decoder import Decoder
from broadstreet.mqtt.encoding import encode
from broadstreet.mqtt.packets import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PubAck,
    PubAckRun,
    PubComp,
    Publish,
    PublishRun,
    PubRec,
    PubRel,
    Version,
)
from broadstreet.mqtt.properties import Properties
from broadstreet.notifier import Carriers
from broadstreet.notifier.subscribed import Receiver
from tests.contract.certificates import write_certificate

Answer = Callable[[Packet], list[Packet] | None]
"""What a server says to a packet; None: it hangs up."""


def obliging(packet: Packet) -> list[Packet] | None:
    """Takes everything."""
    if isinstance(packet, Connect):
        return [ConnAck()]
    if isinstance(packet, Publish):
        said: list[list[Packet]] = [[], [PubAck(packet.identifier)], [PubRec(packet.identifier)]]
        return said[packet.qos]
    if isinstance(packet, PubRel):
        return [PubComp(packet.identifier)]
    return None if isinstance(packet, Disconnect) else []


class Server:
    """An MQTT server as small as one can be. answers: for each connection, the last one from then on."""

    def __init__(self, *answers: Answer) -> None:
        self.port = 0
        self.connections = 0
        self.open = 0
        self.heard: list[Packet] = []
        self._answers = answers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = self._answers[min(self.connections, len(self._answers) - 1)]
        self.connections += 1
        self.open += 1
        decoder = Decoder()
        with suppress(ConnectionError, BadPacket):
            while data := await reader.read(65_536):
                decoder.feed(data)
                if not self._take(decoder, answer, writer):
                    break
        writer.close()
        self.open -= 1

    def _take(self, decoder: Decoder, answer: Answer, writer: asyncio.StreamWriter) -> bool:
        while (packet := decoder.next()) is not None:
            assert not isinstance(packet, PublishRun | PubAckRun)  # which were not asked for
            self.heard.append(packet)
            said = answer(packet)
            if said is None:
                return False
            assert decoder.version is not None
            for one in said:
                writer.write(encode(one, decoder.version))
        return True

    @property
    def published(self) -> list[Publish]:
        return [packet for packet in self.heard if isinstance(packet, Publish)]

    def place(self, user: str = "", version: Version = Version.V5) -> MqttPlace:
        return MqttPlace.of(f"mqtt://{user}127.0.0.1:{self.port}/t", version)

    async def all_closed(self) -> None:
        for _ in range(1_000):
            if self.open == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{self.open} connections are left")


@asynccontextmanager
async def serving(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(*answers)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server
        await server.all_closed()


@pytest.mark.parametrize("version", ["mqtt3.1.1", "mqtt5.0"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
async def test_a_notification_is_published_with_its_headers_within(version: str, qos: str) -> None:
    async with serving(obliging) as server, Carriers(Receivers(LOOPBACK)) as carriers:
        url = f"MQTT://ann:s%2Fcret@127.0.0.1:{server.port}/city/air%20quality"
        receiver = Receiver(url, 5, 0, {"MQTT-Version": version, "MQTT-QoS": qos})
        route = carriers.route(receiver, {"Content-Type": "application/json", "X": "y"})
        for number in range(3):
            await route(b'{"data":[%d]}' % number)
    connect, *_, bye = server.heard
    assert isinstance(connect, Connect)
    assert (connect.username, connect.password) == ("ann", b"s/cret")
    assert (connect.clean_start, connect.version) == (True, Version.V5 if version == "mqtt5.0" else Version.V3_1_1)
    assert isinstance(bye, Disconnect)
    assert server.connections == 1
    assert [(one.topic, one.qos, one.retain, one.dup) for one in server.published] == [
        ("city/air quality", int(qos), False, False)
    ] * 3
    assert [msgspec.json.decode(one.payload) for one in server.published] == [
        {"metadata": {"Content-Type": "application/json", "X": "y"}, "body": {"data": [number]}} for number in range(3)
    ]
    assert sum(isinstance(one, PubRel) for one in server.heard) == (3 if qos == "2" else 0)


@pytest.mark.parametrize("version", list(Version))
async def test_a_server_that_refuses_who_comes_says_why(version: Version) -> None:
    reasons = {Version.V3_1_1: 5, Version.V5: 0x87}

    def refusing(packet: Packet) -> list[Packet] | None:
        said = Properties(reason_string="not you") if version is Version.V5 else Properties()
        return [ConnAck(reason=reasons[version], properties=said)] if isinstance(packet, Connect) else None

    async with serving(refusing, obliging) as server, MqttPublish(Receivers(LOOPBACK)) as mqtt:
        with pytest.raises(DeliveryFailed, match="not you" if version is Version.V5 else "code 5"):
            await mqtt.send(server.place(version=version), "t", b"{}", 1, 5)
        await mqtt.send(server.place(version=version), "t", b"{}", 1, 5)
        assert len(server.published) == 1


@pytest.mark.parametrize("qos", [1, 2])
async def test_a_message_that_is_refused_has_failed(qos: int) -> None:
    def refusing(packet: Packet) -> list[Packet] | None:
        if isinstance(packet, Publish):
            return [PubAck(packet.identifier, 0x87) if qos == 1 else PubRec(packet.identifier, 0x97)]
        return obliging(packet)

    async with serving(refusing) as server, MqttPublish(Receivers(LOOPBACK)) as mqtt:
        with pytest.raises(DeliveryFailed):
            await mqtt.send(server.place(), "t", b"{}", qos, 5)


@pytest.mark.parametrize(("qos", "last"), [(1, Connect), (1, Publish), (2, Publish), (2, PubRel)], ids=str)
async def test_a_connection_that_is_lost_in_the_middle_fails_and_is_made_anew(qos: int, last: type[Packet]) -> None:
    def hangs_up(packet: Packet) -> list[Packet] | None:
        return None if isinstance(packet, last) else obliging(packet)

    async with serving(hangs_up, obliging) as server, MqttPublish(Receivers(LOOPBACK)) as mqtt:
        with pytest.raises(DeliveryFailed):
            await mqtt.send(server.place(), "t", b"{}", qos, 5)
        await mqtt.send(server.place(), "t", b"{}", qos, 5)
        assert server.connections == 2


async def test_a_server_that_says_nothing_leaves_no_connection() -> None:
    def silent(_: Packet) -> list[Packet]:
        return []

    async with serving(silent) as server, MqttPublish(Receivers(LOOPBACK)) as mqtt:
        for _ in range(3):
            with pytest.raises(DeliveryFailed, match=r"no answer within 0\.1 s"):
                await mqtt.send(server.place(), "t", b"{}", 1, 0.1)
        await server.all_closed()


async def test_who_waits_for_a_turn_ends_nobody_elses() -> None:
    publishes = asyncio.Event()
    held: list[Publish] = []

    def slow(packet: Packet) -> list[Packet] | None:
        if isinstance(packet, Publish) and not held:
            held.append(packet)
            publishes.set()
            return []
        if isinstance(packet, Publish):
            return [PubAck(packet.identifier)]
        return obliging(packet)

    class Slow(Server):
        """Answers the first message when it is told to."""

        writer: asyncio.StreamWriter

        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.writer = writer
            await super().serve(reader, writer)

    server = Slow(slow)
    async with (
        await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening,
        MqttPublish(Receivers(LOOPBACK)) as mqtt,
    ):
        server.port = listening.sockets[0].getsockname()[1]
        first = asyncio.create_task(mqtt.send(server.place(), "first", b"{}", 1, 30))
        await publishes.wait()
        with pytest.raises(DeliveryFailed, match="no answer within"):
            await mqtt.send(server.place(), "second", b"{}", 1, 0.1)
        server.writer.write(encode(PubAck(held[0].identifier), Version.V5))
        await first
        await mqtt.send(server.place(), "third", b"{}", 1, 5)
        assert [one.topic for one in server.published] == ["first", "third"]
        assert server.connections == 1


async def test_a_server_that_does_not_read_is_not_written_to_for_ever() -> None:
    let_go = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(encode(ConnAck(), Version.V5))
        await let_go.wait()
        writer.transport.abort()

    async with (
        await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1_024) as listening,
        MqttPublish(Receivers(LOOPBACK)) as mqtt,
    ):
        place = MqttPlace.of(f"mqtt://127.0.0.1:{listening.sockets[0].getsockname()[1]}/t", Version.V5)
        with pytest.raises(DeliveryFailed, match="no answer within"):
            for _ in range(100):
                await mqtt.send(place, "t", b"x" * 1_000_000, 0, 0.2)
        let_go.set()


@pytest.mark.parametrize("said", [Publish("a", b"unasked"), ConnAck(), PubAck(9)])
async def test_a_server_that_speaks_out_of_turn_does_not_disturb(said: Packet) -> None:
    def talking(packet: Packet) -> list[Packet] | None:
        found = obliging(packet)
        return [said, *found] if found and isinstance(packet, Publish) else found

    async with serving(talking, obliging) as server, MqttPublish(Receivers(LOOPBACK)) as mqtt:
        with suppress(DeliveryFailed):
            await mqtt.send(server.place(), "t", b"{}", 1, 5)
        await mqtt.send(server.place(), "t", b"{}", 1, 5)
        assert len(server.published) == 2


async def test_a_line_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "IDLE_S", 0.05)
    async with serving(obliging) as server, MqttPublish(Receivers(LOOPBACK)) as mqtt:
        await mqtt.send(server.place(), "t", b"{}", 1, 5)
        await server.all_closed()
        await mqtt.send(server.place(), "t", b"{}", 1, 5)
        assert server.connections == 2


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.1", "no address as"),
        ("10.0.0.1", "stands inside"),
        (".example", "no name of"),
        ("x.invalid", "leads to no"),
    ],
)
async def test_mqtt_goes_no_further_inside_than_http(host: str, words: str) -> None:
    async with MqttPublish(Receivers()) as mqtt:
        with pytest.raises(DeliveryFailed, match=words):
            await mqtt.send(MqttPlace.of(f"mqtt://{host}/t", Version.V5), "t", b"{}", 0, 5)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Signed by itself, for this machine, with its key beside it."""
    return write_certificate(tmp_path, 1).certificate


def tls_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


async def test_https_and_mqtts_are_checked_against_authorities(certificate: Path) -> None:
    trusting = partial(ssl.create_default_context, cafile=str(certificate))
    receivers = Receivers(Hosts.parse("localhost 127.0.0.1", "here"))
    taken = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                taken.append(await reader.readuntil(b"\r\n\r\n{}"))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with (
        await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls_of(certificate)) as listening,
        serving(obliging, tls=tls_of(certificate)) as server,
        HttpPost(receivers, trusting) as http,
        MqttPublish(receivers, trusting) as mqtt,
        HttpPost(receivers) as wary_http,
        MqttPublish(receivers) as wary_mqtt,
    ):
        port = listening.sockets[0].getsockname()[1]
        for host in ("localhost", "127.0.0.1"):
            place = MqttPlace.of(f"mqtts://{host}:{server.port}/t", Version.V5)
            route = HttpRoute.of(f"https://{host}:{port}/", {})
            for _ in range(2):
                await http.send(route, b"{}", 10)
                await mqtt.send(place, "t", b"{}", 1, 10)
            with pytest.raises(DeliveryFailed, match="certificate verify failed"):
                await wary_http.send(route, b"{}", 10)
            with pytest.raises(DeliveryFailed, match="certificate verify failed"):
                await wary_mqtt.send(place, "t", b"{}", 1, 10)
        with pytest.raises(DeliveryFailed):
            await http.send(HttpRoute.of(f"https://127.0.0.1:{server.port}/", {}), b"{}", 1)  # it speaks MQTT
    assert (len(taken), len(server.published)) == (4, 4)
