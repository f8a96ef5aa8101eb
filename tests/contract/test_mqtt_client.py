"""Our own client where things go wrong: a server that says no, falls silent, speaks nonsense, or hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broadstreet.model.errors import NotAllowed, NotSignedIn, TooLarge, Unavailable
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Decoder,
    Disconnect,
    Packet,
    PingReq,
    Properties,
    PubAck,
    Publish,
    Reason,
    SubAck,
    Subscribe,
    Subscription,
    Version,
    encode,
)
from broadstreet.mqtt.client import Client

ANSWER_S = 20.0
Answer = Callable[[Packet], list[Packet] | None]
"""What the server says to a packet; None: it hangs up."""


class Server:
    """A server that answers as it is told, and keeps what it heard."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.heard: list[Packet] = []
        self.port = 0
        self.nonsense = b""
        """Said after every answer but the first."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = Decoder()
        while data := await reader.read(65_536):
            decoder.feed(data)
            while (packet := decoder.next()) is not None:
                assert not hasattr(packet, "payloads")
                self.heard.append(packet)  # type: ignore[arg-type]  # this decoder gives no runs
                answers = self._answer(self.heard[-1])
                if answers is None:
                    writer.transport.abort()
                    return
                writer.write(b"".join(encode(one, Version.V5) for one in answers))
                if not isinstance(packet, Connect):
                    writer.write(self.nonsense)
                if any(isinstance(one, Disconnect) for one in answers):
                    writer.close()
                    return
        writer.close()


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def welcome(packet: Packet, **properties: Any) -> list[Packet]:
    """A server that lets everyone in and takes everything."""
    if isinstance(packet, Connect):
        return [ConnAck(properties=Properties(**properties))]
    if isinstance(packet, Publish) and packet.qos:
        return [PubAck(packet.identifier)]
    if isinstance(packet, Subscribe):
        return [SubAck(packet.identifier, tuple(0 for _ in packet.subscriptions))]
    return []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.BAD_USER_NAME_OR_PASSWORD, NotSignedIn),
        (Reason.NOT_AUTHORIZED, NotAllowed),
        (Reason.SERVER_BUSY, Unavailable),
    ],
)
async def test_a_refusal_is_told_by_its_kind(reason: Reason, kind: type[Exception]) -> None:
    async with serving(lambda _: [ConnAck(False, reason, Properties(reason_string="not today"))]) as server:
        with pytest.raises(kind, match="not today"):
            await Client("127.0.0.1", server.port).connect()


async def test_nobody_there_and_a_server_that_hangs_up(free_port: Callable[[], int]) -> None:
    with pytest.raises(Unavailable):
        await Client("127.0.0.1", free_port()).connect()
    async with serving(lambda _: None) as server:
        with pytest.raises(Unavailable):
            await Client("127.0.0.1", server.port).connect()


async def test_a_lost_connection_answers_what_is_on_its_way() -> None:
    lost: list[str] = []
    async with serving(lambda p: welcome(p) if isinstance(p, Connect) else None) as server:
        client = Client("127.0.0.1", server.port, on_lost=lost.append, in_flight_maximum=1)
        await client.connect()
        assert client.is_connected
        assert await client.publish("readings", b"{}") == Reason.UNSPECIFIED_ERROR
        assert not client.is_connected
        assert lost == ["the connection was lost"]
        with pytest.raises(Unavailable):
            client.send("readings", b"{}", qos=0)
        with pytest.raises(Unavailable):
            await client.subscribe(Subscription("a"))


async def test_what_the_server_says_at_the_end_is_passed_on() -> None:
    lost: asyncio.Queue[str] = asyncio.Queue()

    def dismiss(packet: Packet) -> list[Packet]:
        return welcome(packet) if isinstance(packet, Connect) else [Disconnect(Reason.SESSION_TAKEN_OVER)]

    async with serving(dismiss) as server:
        client = Client("127.0.0.1", server.port, on_lost=lost.put_nowait)
        await client.connect()
        client.send("readings", b"{}", qos=0)
        assert await asyncio.wait_for(lost.get(), ANSWER_S) == "session taken over"


async def test_a_welcome_that_is_taken_back_at_once() -> None:
    async with serving(lambda _: [ConnAck(), Disconnect(Reason.SERVER_BUSY)]) as server:
        with pytest.raises(Unavailable, match="server busy"):
            await Client("127.0.0.1", server.port).connect()


async def test_whoever_leaves_has_lost_nothing() -> None:
    lost: list[str] = []
    async with serving(welcome) as server:
        client = Client("127.0.0.1", server.port, on_lost=lost.append, reconnect=True)
        await client.connect()
        assert await client.publish("readings", b"{}") == 0
        client.abort()
        await asyncio.sleep(0.1)
        assert not client.is_connected
    assert lost == []


async def test_the_servers_bounds_are_kept() -> None:
    sent: list[Packet] = []

    def take(packet: Packet) -> list[Packet]:
        sent.append(packet)
        return welcome(packet, receive_maximum=2, maximum_packet_bytes=100) if isinstance(packet, Connect) else []

    async with serving(take) as server:
        client = Client("127.0.0.1", server.port)
        await client.connect()
        with pytest.raises(TooLarge):
            client.send("readings", b"x" * 200)
        for _ in range(2):
            await client.room()
            client.send("readings", b"{}")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.room(), 0.1)
        assert client.unacknowledged == 2
        client.abort()
        assert client.unacknowledged == 0


async def test_the_keep_alive_is_spoken_and_a_silent_server_is_left() -> None:
    lost: asyncio.Queue[str] = asyncio.Queue()

    def fall_silent(packet: Packet) -> list[Packet]:
        return welcome(packet, server_keep_alive_s=1) if isinstance(packet, Connect) else []

    async with serving(fall_silent) as server:
        client = Client("127.0.0.1", server.port, keep_alive_s=60, on_lost=lost.put_nowait)
        await client.connect()
        assert await asyncio.wait_for(lost.get(), ANSWER_S) == "the server fell silent"
        assert PingReq() in server.heard
        assert not client.is_connected


async def test_nonsense_from_the_server_ends_the_connection() -> None:
    """A wildcard in a topic name, which no server of this codec's can say."""
    lost: asyncio.Queue[str] = asyncio.Queue()
    async with serving(welcome) as server:
        server.nonsense = b"\x30\x04\x00\x01#\x00"
        client = Client("127.0.0.1", server.port, on_lost=lost.put_nowait)
        await client.connect()
        client.send("readings", b"{}", qos=0)
        assert "breaks the standard" in await asyncio.wait_for(lost.get(), ANSWER_S)


async def test_it_comes_back_subscribes_anew_and_sends_again() -> None:
    """The server hangs up at the first two publications; what was not answered comes again, in order."""
    hang_ups = iter([True, True])

    def moody(packet: Packet) -> list[Packet] | None:
        if isinstance(packet, Publish) and next(hang_ups, False):
            return None
        return welcome(packet)

    async with serving(moody) as server:
        client = Client("127.0.0.1", server.port, reconnect=True, chance=lambda: 0.0)
        await client.connect()
        assert await client.subscribe(Subscription("devices/#")) == (0,)
        reasons: list[int] = []
        for n in range(5):
            client.send("readings", b"%d" % n, reasons.append)
        async with asyncio.timeout(ANSWER_S):
            assert await client.publish("readings", b"last") == Reason.SUCCESS
        assert reasons == [0] * 5
        await client.disconnect()
    assert sum(isinstance(packet, Subscribe) for packet in server.heard) == 3
    payloads = [packet.payload for packet in server.heard if isinstance(packet, Publish)]
    assert payloads[-6:] == [b"0", b"1", b"2", b"3", b"4", b"last"]
