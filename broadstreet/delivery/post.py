"""Handing a message to an HTTP receiver: one POST over a connection that is kept, no redirects followed.

A notification is small and there are thousands of them a second: what stands before a body is put together once for
each receiver, and of an answer no more is looked at than its status and where it ends. TLS is asyncio's, the parser
httptools'.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Self, cast
from urllib.parse import quote, unquote, urlsplit

import httptools

from broadstreet.delivery.receivers import PORTS, Receivers
from broadstreet.model.errors import BroadstreetError, Unavailable

MAX_ANSWER_BYTES: Final = 65_536
"""What is read of an answer, so that its connection can be used again; a longer one costs the connection."""
CONNECT_S: Final = 8.0
"""How long connecting may take, all addresses of a name together."""
REST_S: Final = 1.0
"""How long what follows an answer's head is waited for, so that its connection can be used again."""
KEEP_S: Final = 15.0
"""How long a connection is kept that nothing is sent over: less than most servers keep one."""
_REFUSING: Final = frozenset({400, 405, 411, 413, 414, 415, 422, 501})
"""Answers that say that the same message would never be taken."""
_IN_A_TARGET: Final = "/?%:@!$&'()*+,;=-._~[]"


class DeliveryFailed(Unavailable):
    """A message was not taken. is_final: whether it would not be taken another time either."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class HttpPlace:
    """A server."""

    host: str
    port: int
    has_tls: bool


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """A receiver, with everything of a request that stands before its length."""

    place: HttpPlace
    head: bytes

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str]) -> Self:
        """headers: names and values of one line each. A user in the address signs in by them (RFC 7617)."""
        parts = urlsplit(url)
        place = HttpPlace(parts.hostname or "", parts.port or PORTS[parts.scheme], parts.scheme == "https")
        target = quote(parts.path or "/", _IN_A_TARGET)
        if parts.query:
            target += f"?{quote(parts.query, _IN_A_TARGET)}"
        host = parts.netloc.rpartition("@")[2]
        lines = {"Host": host if host.isascii() else host.encode("idna").decode(), **headers}
        if parts.username is not None and not any(name.lower() == "authorization" for name in headers):
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            lines["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return cls(place, f"POST {target} HTTP/1.1\r\n{text}Content-Length: ".encode())


class HttpPost:
    """Posts to receivers, keeping connections. Use it within `async with`."""

    def __init__(self, receivers: Receivers, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        """tls: how servers are checked."""
        self._receivers = receivers
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._kept: dict[HttpPlace, list[_Connection]] = {}
        self._all: set[_Connection] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in list(self._all):
            connection.close()
        self._kept.clear()

    async def send(self, route: HttpRoute, body: bytes, timeout_s: float) -> None:
        """One message. timeout_s: how long the receiver may take for everything. Raises DeliveryFailed."""
        raw = b"%b%d\r\n\r\n%b" % (route.head, len(body), body)
        try:
            async with asyncio.timeout(timeout_s):
                status = await self._exchange(route.place, raw)
        except BroadstreetError as error:
            raise error if isinstance(error, DeliveryFailed) else DeliveryFailed(error.message) from None
        except TimeoutError:
            raise DeliveryFailed(f"no answer within {timeout_s:g} s") from None
        except (OSError, ValueError) as error:  # TLS's errors among them, and of names that it cannot check
            raise DeliveryFailed(_words(error)) from None
        if not 200 <= status < 300:
            raise DeliveryFailed(f"it answers with status {status}", is_final=status in _REFUSING)

    async def _exchange(self, place: HttpPlace, raw: bytes) -> int:
        """The status of a receiver's answer."""
        while (connection := self._again(place)) is not None:
            if not connection.is_over:
                try:
                    return await self._ask(connection, raw)
                except _Forgotten:
                    continue  # it was closed while the request was on its way, before anything was read of it
        return await self._ask(await self._connect(place), raw)

    def _again(self, place: HttpPlace) -> _Connection | None:
        """A connection that was kept, the one that was used last."""
        kept = self._kept.get(place)
        if kept is None:
            return None
        connection = kept.pop()
        if not kept:
            del self._kept[place]
        return connection

    async def _ask(self, connection: _Connection, raw: bytes) -> int:
        is_done = False
        try:
            status = await connection.ask(raw)
            is_done = True
        finally:
            if is_done and connection.may_stay and not connection.is_over:
                self._kept.setdefault(connection.place, []).append(connection)
                connection.keep(KEEP_S)
            else:
                connection.close()
        return status

    async def _connect(self, place: HttpPlace) -> _Connection:
        """Raises NotAllowed, NoSuchHost, OSError."""
        self._receivers.check_literal(place.host, place.port)
        if place.has_tls and self._context is None:
            self._context = await asyncio.to_thread(self._tls)
        failure: Exception = DeliveryFailed("it cannot be reached")
        addresses = await self._receivers.addresses(place.host, place.port)
        each_s = CONNECT_S / len(addresses)  # one that swallows everything leaves the next one some time
        for address, _ in addresses:
            connection = _Connection(place, self._forget)
            try:
                async with asyncio.timeout(each_s):
                    await asyncio.get_running_loop().create_connection(
                        partial(_itself, connection),
                        address,
                        place.port,
                        ssl=self._context if place.has_tls else None,
                        server_hostname=place.host if place.has_tls else None,
                    )
            except TimeoutError:
                failure = DeliveryFailed(f"no connection within {each_s:g} s")
            except OSError as error:
                failure = error
            else:
                self._all.add(connection)
                return connection
        raise failure

    def _forget(self, connection: _Connection) -> None:
        self._all.discard(connection)
        kept = self._kept.get(connection.place)
        if kept is not None and connection in kept:
            kept.remove(connection)
            if not kept:
                del self._kept[connection.place]


def _itself(connection: _Connection) -> _Connection:
    return connection


class _Forgotten(OSError):
    """The other side closed the connection before it read what was sent."""


class _NoAnswer(OSError):
    """What came is no answer."""


class _Connection(asyncio.Protocol):
    """One request at a time; httptools calls its `on_…`."""

    def __init__(self, place: HttpPlace, over: Callable[[_Connection], None]) -> None:
        """over: told when the connection has ended."""
        self.place = place
        self.may_stay = False
        self._over = over
        self._transport = cast(asyncio.Transport, None)
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None
        self._answer_bytes = 0
        self._has_head = False
        self._has_answered_before = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _waits(self) -> bool:
        """Whether an answer is waited for."""
        return self._answer is not None and not self._answer.done()

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be sent."""
        return self._transport.is_closing()

    async def ask(self, raw: bytes) -> int:
        """The status of the answer to a request. Raises _Forgotten, OSError."""
        self._set_timer(None, self.close)
        self.may_stay, self._has_head, self._answer_bytes = False, False, 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        try:
            return await self._answer
        finally:
            self._answer = None

    def keep(self, for_s: float) -> None:
        """Close after a while, unless something is asked before."""
        self._set_timer(for_s, self.close)

    def close(self) -> None:
        """End it."""
        self._set_timer(None, self.close)
        self._transport.abort()

    def _set_timer(self, for_s: float | None, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if for_s is None else asyncio.get_running_loop().call_later(for_s, then)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._waits:
            self.close()  # nothing was asked
            return
        self._answer_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(_NoAnswer("it answers in another protocol"))
        except httptools.HttpParserError as error:
            self._fail(_NoAnswer(f"its answer is no HTTP: {error}"))
        else:
            if self._answer_bytes > MAX_ANSWER_BYTES:
                self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._has_head:
            self._end()  # an answer that ends with its connection
        elif self._has_answered_before and not self._answer_bytes:
            self._fail(_Forgotten("the connection was closed"))
        else:
            self._fail(exc or ConnectionError("it closes the connection without an answer"))
        self._over(self)

    def on_message_begin(self) -> None:
        """What follows an answer that has ended was not asked for."""
        if not self._waits:
            self.may_stay = False

    def on_headers_complete(self) -> None:
        """The status of an answer is known."""
        self._has_head = self._parser.get_status_code() >= 200
        if self._has_head:
            self._set_timer(REST_S, self._end)

    def on_message_complete(self) -> None:
        """An answer has ended; one of 1xx comes before the answer itself."""
        status = self._parser.get_status_code()
        if status >= 200 and self._answer is not None and not self._answer.done():
            self._set_timer(None, self.close)
            self.may_stay = self._parser.should_keep_alive() and not self._transport.is_closing()
            self._has_answered_before = True
            self._answer.set_result(status)

    def _end(self) -> None:
        """The rest of an answer is not waited for."""
        if not self._has_head:
            self._fail(_NoAnswer("its answer has no end of its head"))
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.may_stay = False


def _words(error: OSError | ValueError) -> str:
    """What went wrong, for people."""
    if isinstance(error, _NoAnswer):
        return str(error)
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return f"it cannot be reached: {error}"
