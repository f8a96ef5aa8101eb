"""Posting to receivers that are odd, slow or hostile: a message is taken or it is not, within its time and bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from broadstreet.delivery import LOOPBACK, DeliveryFailed, HttpPost, HttpRoute, Receivers, post

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def heard(reader: asyncio.StreamReader) -> bytes:
    """One request with its body of two bytes."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(2)


async def say(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send more. Raises ConnectionError where nobody takes it any more."""
    if writer.is_closing():
        raise ConnectionError
    writer.write(data)
    await writer.drain()


class Server:
    """A receiver that follows a script for each connection, the last one from then on."""

    def __init__(self, *scripts: Script) -> None:
        self.port = 0
        self.connections = 0
        self.open = 0
        self.requests: list[bytes] = []
        self._scripts = scripts

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        self.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(reader, writer)
            writer.close()
        finally:
            self.open -= 1

    def route(self, path: str = "/") -> HttpRoute:
        return HttpRoute.of(f"http://127.0.0.1:{self.port}{path}", {})

    async def all_closed(self) -> None:
        """Until nobody is connected any more."""
        for _ in range(1_000):
            if self.open == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{self.open} connections are left")


@asynccontextmanager
async def serving(*scripts: Script) -> AsyncIterator[tuple[Server, HttpPost]]:
    server = Server(*scripts)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        async with HttpPost(Receivers(LOOPBACK)) as http:
            yield server, http
        await server.all_closed()


def answering(*answers: bytes, stays: bool = True) -> Script:
    """Answers requests one by one, the last one from then on; closes after each unless it stays."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = list(answers)
        while True:
            await heard(reader)
            await say(writer, left.pop(0) if len(left) > 1 else left[0])
            if not stays:
                return

    return script


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 201 \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK,
    ],
)
async def test_a_connection_is_used_again(answer: bytes) -> None:
    async with serving(answering(answer)) as (server, http):
        for _ in range(3):
            await http.send(server.route(), b"{}", 5)
        assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n\r\nall that there is",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall that there is",
        b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\ncut short",
        OK + b"HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_a_connection_that_ends_with_its_answer_is_not(answer: bytes) -> None:
    async with serving(answering(answer, stays=False)) as (server, http):
        for _ in range(2):
            await http.send(server.route(), b"{}", 5)
        assert server.connections == 2


async def test_a_server_that_forgets_a_kept_connection_is_asked_over_another() -> None:
    async def forgets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        writer.write(OK)
        await heard(reader)  # and closes without a word

    async with serving(forgets, answering(OK)) as (server, http):
        for _ in range(2):
            await http.send(server.route(), b"{}", 5)
        assert server.connections == 2


async def test_a_server_that_closes_a_new_connection_without_a_word_has_failed() -> None:
    async with serving(answering(b"", stays=False)) as (server, http):
        with pytest.raises(DeliveryFailed, match="closes the connection without an answer"):
            await http.send(server.route(), b"{}", 5)
        assert server.connections == 1


async def test_an_answer_without_end_counts_once_its_head_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "REST_S", 0.05)

    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await say(writer, b".")
            await asyncio.sleep(0.01)

    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        writer.write(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await say(writer, b"1000\r\n" + b"." * 4096 + b"\r\n")

    async with serving(drips, pours) as (server, http):
        await http.send(server.route(), b"{}", 30)
        with pytest.raises(DeliveryFailed, match="status 503"):
            await http.send(server.route(), b"{}", 30)
        assert server.connections == 2


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nX: ", b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_head_without_end_is_no_answer(begin: bytes) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        writer.write(begin)
        while True:
            await say(writer, b"x" * 4096 if begin.endswith(b": ") else begin * 200)

    async with serving(endless) as (server, http):
        with pytest.raises(DeliveryFailed, match="no end of its head"):
            await http.send(server.route(), b"{}", 30)


async def test_who_does_not_answer_in_time_has_failed() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def slow_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        while True:
            await say(writer, b"H")
            await reader.read()

    async with serving(silent, slow_head) as (server, http):
        for _ in range(2):
            with pytest.raises(DeliveryFailed, match=r"no answer within 0\.1 s"):
                await http.send(server.route(), b"{}", 0.1)


async def test_a_server_that_does_not_read_has_failed() -> None:
    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's server gives one that can
        await asyncio.sleep(0.3)
        writer.transport.abort()

    async with serving(deaf) as (server, http):
        with pytest.raises(DeliveryFailed, match="no answer within"):
            await http.send(server.route(), b"x" * 20_000_000, 0.1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "is no HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "another protocol"),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "status 301"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "is no HTTP"),
        (b"HTTP/1.1 600 What\r\nContent-Length: 0\r\n\r\n", "status 600"),
    ],
)
async def test_what_is_no_success_has_failed(answer: bytes, words: str) -> None:
    async with serving(answering(answer)) as (server, http):
        with pytest.raises(DeliveryFailed, match=words) as failed:
            await http.send(server.route(), b"{}", 5)
        assert not failed.value.is_final


@pytest.mark.parametrize("status", [400, 405, 411, 413, 414, 415, 422, 501])
async def test_what_refuses_the_message_itself_is_final(status: int) -> None:
    async with serving(answering(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())) as (server, http):
        with pytest.raises(DeliveryFailed) as failed:
            await http.send(server.route(), b"{}", 5)
        assert failed.value.is_final


async def test_a_server_that_speaks_unasked_is_not_listened_to() -> None:
    spoken = asyncio.Event()

    async def talks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        writer.write(OK)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n")
        assert await reader.read() == b""  # closed by who was spoken to
        spoken.set()

    async with serving(talks, answering(OK)) as (server, http):
        await http.send(server.route(), b"{}", 5)
        await spoken.wait()
        await http.send(server.route(), b"{}", 5)
        assert server.connections == 2


async def test_a_kept_connection_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "KEEP_S", 0.05)
    async with serving(answering(OK)) as (server, http):
        await http.send(server.route(), b"{}", 5)
        await server.all_closed()
        assert not http._all
        assert not http._kept


async def test_who_is_called_off_leaves_no_connection() -> None:
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await heard(reader)
        arrived.set()
        await reader.read()

    async with serving(silent) as (server, http):
        sending = asyncio.create_task(http.send(server.route(), b"{}", 30))
        await arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.all_closed()
        assert not http._all


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.1/", "no address as it is written"),
        ("http://[::ffff:127.0.0.1]/", "stands inside"),
        ("http://10.0.0.1:1/", "stands inside"),
        (f"http://{'a' * 64}.example/", "no name of a host"),
        ("http://.example/", "no name of a host"),
        ("https://.example/", "no name of a host"),
        ("http://nowhere.invalid/", "leads to no address"),
        ("http://localhost:1/", "nobody listens there"),
    ],
)
async def test_an_address_that_is_none_or_inside_has_failed(url: str, words: str) -> None:
    receivers = Receivers(LOOPBACK) if "localhost" in url else Receivers()
    async with HttpPost(receivers) as http:
        with pytest.raises(DeliveryFailed, match=words):
            await http.send(HttpRoute.of(url, {}), b"{}", 10)


@pytest.mark.parametrize(
    ("url", "lines"),
    [
        ("http://h.example", [b"POST / HTTP/1.1", b"Host: h.example"]),
        ("HTTP://H.example:81/a%20b?c=d#e", [b"POST /a%20b?c=d HTTP/1.1", b"Host: H.example:81"]),
        ("http://u:p%3Aq@h.example/", [b"POST / HTTP/1.1", b"Host: h.example", b"Authorization: Basic dTpwOnE="]),
        ("http://u@[::1]:0/", [b"POST / HTTP/1.1", b"Host: [::1]:0", b"Authorization: Basic dTo="]),
        ("http://h/%0d%0aX:1/\\", [b"POST /%0d%0aX:1/%5C HTTP/1.1", b"Host: h"]),
    ],
)
def test_a_head_is_what_the_address_says_and_no_more(url: str, lines: list[bytes]) -> None:
    *head, last = HttpRoute.of(url, {}).head.split(b"\r\n")
    assert (head, last) == (lines, b"Content-Length: ")


def test_who_names_credentials_is_not_signed_in_by_the_address() -> None:
    route = HttpRoute.of("http://u:p@h.example/", {"authorization": "Bearer t"})
    assert route.head.lower().count(b"authorization") == 1
