"""Handing a message to an MQTT server: at QoS 0, 1 or 2, one at a time, over a connection that is kept for a while.

A message whose acknowledgement does not come was perhaps taken. It is sent again over a new connection, where the
server knows nothing of the first: at QoS 2, too, it may then come twice.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from broadstreet.delivery.post import DeliveryFailed
from broadstreet.delivery.receivers import PORTS, Receivers
from broadstreet.model.errors import BroadstreetError
from broadstreet.mqtt.encoding import encode, publish_head
from broadstreet.mqtt.link import Link
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
    Run,
    Version,
)
from broadstreet.mqtt.reasons import FIRST_FAILURE, Reason
from broadstreet.mqtt.wire import MAX_IDENTIFIER, write_string

IDLE_S: Final = 60.0
"""How long a connection is kept that nothing is sent over."""
KEEP_ALIVE_S: Final = 60
MAX_LINES: Final = 1_000
MAX_ANSWER_BYTES: Final = 65_536
"""The largest packet that a server may send: acknowledgements are all that it has to say."""
_NO_PROPERTIES: Final = {Version.V3_1_1: b"", Version.V5: b"\0"}


@dataclass(frozen=True, slots=True)
class MqttPlace:
    """A server, who comes to it, and which version is spoken."""

    host: str
    port: int
    user: str | None
    password: str | None
    has_tls: bool
    version: Version

    @classmethod
    def of(cls, url: str, version: Version) -> Self:
        """From an address such as mqtts://user:password@host:8883/topic."""
        parts = urlsplit(url)
        return cls(
            parts.hostname or "",
            parts.port or PORTS[parts.scheme],
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
            parts.scheme == "mqtts",
            version,
        )


class MqttPublish:
    """Publishes to servers, keeping connections. Use it within `async with`."""

    def __init__(self, receivers: Receivers, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        """tls: how servers are checked."""
        self._receivers = receivers
        self._tls = tls
        self._lines: dict[MqttPlace, _Line] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            line.close()

    async def send(self, place: MqttPlace, topic: str, payload: bytes, qos: int, timeout_s: float) -> None:
        """One message. timeout_s: how long the server may take for everything. Raises DeliveryFailed."""
        line = self._lines.get(place)
        if line is None:
            if len(self._lines) >= MAX_LINES:
                for one in [one for one in self._lines.values() if not one.is_busy]:
                    one.close()
                    del self._lines[one.place]
            line = self._lines[place] = _Line(place, self._receivers, self._tls)
        try:
            async with asyncio.timeout(timeout_s):
                await line.publish(write_string(topic), payload, qos)
        except BroadstreetError as error:
            raise error if isinstance(error, DeliveryFailed) else DeliveryFailed(error.message) from None
        except TimeoutError:
            raise DeliveryFailed(f"no answer within {timeout_s:g} s") from None
        except (OSError, ValueError) as error:  # TLS's errors among them, and of names that it cannot check
            raise DeliveryFailed(f"it cannot be reached: {error}") from None


class _Line:
    """The connection to one server, made when it is needed."""

    def __init__(self, place: MqttPlace, receivers: Receivers, tls: Callable[[], ssl.SSLContext]) -> None:
        self.place = place
        self._receivers = receivers
        self._tls = tls
        self._link: Link | None = None
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[PubAck | PubRec | PubComp] | None = None
        self._wanted: tuple[type[Packet], int] | None = None
        self._has_room = asyncio.Event()
        self._next_identifier = 1
        self._idle: asyncio.TimerHandle | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a message is on its way."""
        return self._turn.locked()

    async def publish(self, topic: bytes, payload: bytes, qos: int) -> None:
        """One message, when those before it are through. Raises DeliveryFailed, OSError, NotAllowed."""
        async with self._turn:
            if self._idle is not None:
                self._idle.cancel()
            is_done = False
            try:
                await self._exchange(await self._connected(), topic, payload, qos)
                is_done = True
            finally:
                # A message that was not taken, or not waited for, ends the connection: its answer is nobody else's.
                if is_done:
                    self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.close)
                else:
                    self.close()

    async def _exchange(self, link: Link, topic: bytes, payload: bytes, qos: int) -> None:
        identifier = self._next_identifier
        self._next_identifier = identifier % MAX_IDENTIFIER + 1
        properties = _NO_PROPERTIES[self.place.version]
        link.write(publish_head(topic, qos, False, False, identifier, properties, len(payload)) + payload)
        if qos == 0:
            await self._sent(link)
        elif qos == 1:
            _check(await self._answered(PubAck, identifier))
        elif qos == 2:
            _check(await self._answered(PubRec, identifier))
            link.write(encode(PubRel(identifier), self.place.version))
            _check(await self._answered(PubComp, identifier))

    async def _sent(self, link: Link) -> None:
        """Wait until a server that does not read has done so: nothing else ends a message at QoS 0."""
        while link.is_full:
            self._has_room.clear()
            await self._has_room.wait()
        if link.is_over:
            raise DeliveryFailed(link.words)

    def close(self) -> None:
        """Say goodbye; the next message makes a new connection."""
        link, self._link = self._link, None
        if self._idle is not None:
            self._idle.cancel()
        if link is not None and not link.is_over:
            link.write(encode(Disconnect(), self.place.version))
            if link.is_full:
                link.abort()  # it does not read what there was before either
            else:
                link.close()

    async def _connected(self) -> Link:
        if self._link is not None and not self._link.is_over:
            return self._link
        place, loop = self.place, asyncio.get_running_loop()
        self._receivers.check_literal(place.host, place.port)
        context = await asyncio.to_thread(self._tls) if place.has_tls else None
        failure: Exception = DeliveryFailed("it cannot be reached")
        for address, _ in await self._receivers.addresses(place.host, place.port):
            link = Link(place.version, self._received, self._has_room.set, self._lost, MAX_ANSWER_BYTES)
            try:
                await loop.create_connection(
                    partial(_itself, link),
                    address,
                    place.port,
                    ssl=context,
                    server_hostname=place.host if context else None,
                )
            except OSError as error:
                failure = error
            else:
                self._link = link  # from now on `close` ends it
                await self._greet(link)
                return link
        raise failure

    async def _greet(self, link: Link) -> None:
        """Sign in. Raises DeliveryFailed, OSError."""
        place = self.place
        password = None if place.password is None else place.password.encode()
        link.write(encode(Connect("", place.version, True, KEEP_ALIVE_S, place.user, password), place.version))
        answer: ConnAck = await link.welcome
        if answer.reason:
            raise DeliveryFailed(
                answer.properties.reason_string or f"the server refuses the connection with code {answer.reason}"
            )
        link.begin()
        link.keep_alive(KEEP_ALIVE_S)

    async def _answered(self, kind: type[Packet], identifier: int) -> PubAck | PubRec | PubComp:
        """The server's answer of a kind to a message."""
        self._wanted = (kind, identifier)
        self._answer = asyncio.get_running_loop().create_future()
        return await self._answer

    def _received(self, packet: Packet | Run) -> None:
        if isinstance(packet, Publish | PublishRun):
            if self._link is not None:
                self._link.abort()  # nobody subscribed
        elif isinstance(packet, PubAckRun):
            for identifier in packet.identifiers:
                self._take(PubAck(identifier))
        elif isinstance(packet, PubAck | PubRec | PubComp):
            self._take(packet)

    def _take(self, answer: PubAck | PubRec | PubComp) -> None:
        is_wanted = (type(answer), answer.identifier) == self._wanted
        if is_wanted and self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _lost(self, link: Link) -> None:
        if self._link is not None and link is not self._link:
            return  # another has taken its place
        self._has_room.set()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(DeliveryFailed(link.words))


def _check(answer: PubAck | PubRec | PubComp) -> None:
    if answer.reason >= FIRST_FAILURE:
        raise DeliveryFailed(answer.properties.reason_string or Reason(answer.reason).words)


def _itself(link: Link) -> Link:
    return link
