"""A lean MQTT client on asyncio: publish at QoS 0 and 1 with many messages on their way, subscribe, reconnect.

    async with Client("127.0.0.1", 1883, username=device, password=secret) as client:
        await client.publish("readings", payload)               # returns once it is acknowledged
        await client.room()                                     # waits until one more may be on its way
        client.send("readings", payload, done)                  # returns at once; `done` is called with a reason code

With `reconnect`, a lost connection comes back by itself: it subscribes anew and sends again, in their order, what was
not acknowledged. A message may then arrive twice, which is what QoS 1 means; none is lost while the client lives.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, Self, cast

from broadstreet.model.errors import NotAllowed, NotSignedIn, TooLarge, Unavailable
from broadstreet.mqtt.encoding import encode, publish_head
from broadstreet.mqtt.link import Link
from broadstreet.mqtt.packets import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PubAck,
    PubAckRun,
    Publish,
    PublishRun,
    Run,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
    Version,
    Will,
)
from broadstreet.mqtt.properties import NO_PROPERTIES, Properties
from broadstreet.mqtt.reasons import FIRST_FAILURE, Reason
from broadstreet.mqtt.wire import MAX_IDENTIFIER, write_string

ANSWER_WITHIN_S: Final = 10.0
"""How long CONNECT, SUBSCRIBE and UNSUBSCRIBE wait for their answer."""
IN_FLIGHT_MAXIMUM: Final = 256
WAIT_FIRST_S: Final = 0.2
WAIT_LONGEST_S: Final = 10.0
_NO_PROPERTIES = {Version.V3_1_1: b"", Version.V5: b"\0"}
_BAD_CREDENTIAL = {Version.V3_1_1: 4, Version.V5: Reason.BAD_USER_NAME_OR_PASSWORD}
_NOT_ALLOWED = {Version.V3_1_1: 5, Version.V5: Reason.NOT_AUTHORIZED}
logger = logging.getLogger(__name__)

Done = Callable[[int], None]


class _Sent(NamedTuple):
    """A QoS 1 message that is not yet acknowledged."""

    topic: bytes
    payload: bytes
    retain: bool
    done: Done | None


class Client:
    """
    client_id:         empty: the server gives one (version 5), or needs none.
    keep_alive_s:      0 for none.
    on_message:        called with each message of a subscription.
    on_lost:           called with words when the connection is lost.
    in_flight_maximum: QoS 1 messages on their way at once; the server may ask for fewer.
    reconnect:         whether a lost connection comes back by itself.
    chance:            gives numbers from 0 to 1, so that many clients do not come back at the same moment.
    session_s:         how long the session outlives a connection; 0: it ends with it, and each one begins anew.
    tls:               how the server is checked and spoken to; None: in the clear.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str = "",
        username: str | None = None,
        password: str | bytes | None = None,
        version: Version = Version.V5,
        keep_alive_s: int = 60,
        will: Will | None = None,
        on_message: Callable[[Publish], None] | None = None,
        on_lost: Callable[[str], None] | None = None,
        in_flight_maximum: int = IN_FLIGHT_MAXIMUM,
        reconnect: bool = False,
        chance: Callable[[], float] = random.random,
        session_s: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._tls = tls
        self._connect = Connect(
            client_id,
            version,
            not session_s,
            keep_alive_s,
            username,
            password.encode() if isinstance(password, str) else password,
            will,
            # 3.1.1 names no time: its sessions last as long as the server likes.
            Properties(session_expiry_s=session_s) if session_s and version == Version.V5 else NO_PROPERTIES,
        )
        self._version = version
        self._on_message = on_message
        self._on_lost = on_lost
        self._wanted_in_flight = self._in_flight_maximum = in_flight_maximum
        self._reconnect = reconnect
        self._chance = chance
        self._link: Link | None = None
        self._sent: dict[int, _Sent] = {}
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._next_identifier = 1
        self._max_packet_bytes: int | None = None
        self._has_room = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def is_connected(self) -> bool:
        """Whether the server has said yes and the connection stands."""
        return self._link is not None

    @property
    def unacknowledged(self) -> int:
        """How many QoS 1 messages are on their way."""
        return len(self._sent)

    async def connect(self) -> ConnAck:
        """Connect. Raises NotSignedIn, NotAllowed, or Unavailable where nobody answers or the server says no."""
        self._is_closed = False
        link = Link(self._version, self._received, self._see_room, self._lost)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await loop.create_connection(lambda: link, self.host, self.port, ssl=self._tls)
            link.write(encode(self._connect, self._version))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await link.welcome
        except (OSError, TimeoutError) as error:
            link.close()
            raise Unavailable(f"no MQTT server answers at {self.host}:{self.port}: {error}") from error
        if answer.reason:
            link.close()
            raise _refusal(answer, self._version)
        properties = answer.properties
        self._in_flight_maximum = min(self._wanted_in_flight, properties.receive_maximum or self._wanted_in_flight)
        self._max_packet_bytes = properties.maximum_packet_bytes
        keep_alive_s = properties.server_keep_alive_s
        self._link = link
        link.begin()
        if link.is_over:
            self._link = None
            raise Unavailable(link.words)
        link.keep_alive(self._connect.keep_alive_s if keep_alive_s is None else keep_alive_s)
        if self._subscriptions:
            try:
                await self._subscribe(tuple(self._subscriptions.values()))
            except Unavailable:
                self._link = None
                link.abort()
                raise
        self._send_again()
        self._see_room()
        return answer

    async def disconnect(self) -> None:
        """Say goodbye; what is not acknowledged by then is told `Reason.UNSPECIFIED_ERROR`."""
        self._is_closed = True
        link, self._link = self._link, None
        for task in self._tasks:
            task.cancel()
        if link is not None:
            link.write(encode(Disconnect(), self._version))
            link.close()
            await link.closed.wait()
        self._give_up()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    def abort(self) -> None:
        """Cut the connection without a word, as a device does that loses its power."""
        self._is_closed = True
        link, self._link = self._link, None
        for task in self._tasks:
            task.cancel()
        if link is not None:
            link.abort()
        self._give_up()

    async def room(self) -> None:
        """Wait until one more message may be sent. Raises Unavailable when the connection is gone for good."""
        while not self._has_room.is_set():
            if self._link is None and not self._reconnect:
                raise Unavailable("the MQTT connection is lost")
            await self._has_room.wait()

    def send(self, topic: str, payload: bytes, done: Done | None = None, *, qos: int = 1, retain: bool = False) -> None:
        """
        Send a message and return at once. At QoS 1, call `room` before.

        done: called with the server's reason code (QoS 1): below 0x80 the message is taken. With `reconnect` a message
        is sent again until it is answered; without, a lost connection answers UNSPECIFIED_ERROR.
        Raises Unavailable at QoS 0 when there is no connection, TooLarge for what the server would not take.
        """
        raw_topic = write_string(topic)
        limit = self._max_packet_bytes
        if limit is not None and len(raw_topic) + len(payload) + 8 > limit:
            raise TooLarge(f"a message of {len(payload)} bytes is over the server's bound of {limit}")
        link = self._link
        if qos == 0:
            if link is None:
                raise Unavailable("the MQTT connection is lost")
            head = publish_head(raw_topic, 0, retain, False, 0, _NO_PROPERTIES[self._version], len(payload))
            link.write(head + payload)
            return
        identifier = self._identifier()
        self._sent[identifier] = sent = _Sent(raw_topic, payload, retain, done)
        if link is not None:
            link.write(self._encode(identifier, sent))
        self._see_room()

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int:
        """Send a message; at QoS 1, return its reason code once the server has answered. Raises as `send`."""
        if qos == 0:
            self.send(topic, payload, qos=0, retain=retain)
            return Reason.SUCCESS
        await self.room()
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.send(topic, payload, partial(_answer, answered), retain=retain)
        return await answered

    async def subscribe(self, *subscriptions: Subscription) -> tuple[int, ...]:
        """Subscribe, and again after each reconnection; answers the reason codes. Raises Unavailable."""
        reasons = await self._subscribe(subscriptions)
        for subscription, reason in zip(subscriptions, reasons, strict=True):
            if reason < FIRST_FAILURE:
                self._subscriptions[subscription.filter] = subscription
        return reasons

    async def unsubscribe(self, *filters: str) -> None:
        """Subscribe no more. Raises Unavailable."""
        for topic_filter in filters:
            self._subscriptions.pop(topic_filter, None)
        identifier = self._identifier()
        await self._ask(identifier, encode(Unsubscribe(identifier, filters), self._version))

    async def _subscribe(self, subscriptions: tuple[Subscription, ...]) -> tuple[int, ...]:
        identifier = self._identifier()
        answer = await self._ask(identifier, encode(Subscribe(identifier, subscriptions), self._version))
        return cast(SubAck, answer).reasons

    async def _ask(self, identifier: int, raw: bytes) -> Any:
        link = self._link
        if link is None:
            raise Unavailable("the MQTT connection is lost")
        answer = self._answers[identifier] = asyncio.get_running_loop().create_future()
        link.write(raw)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await answer
        except TimeoutError:
            raise Unavailable("the MQTT server did not answer") from None
        finally:
            self._answers.pop(identifier, None)

    def _identifier(self) -> int:
        identifier = self._next_identifier
        while identifier in self._sent or identifier in self._answers:
            identifier = identifier % MAX_IDENTIFIER + 1
        self._next_identifier = identifier % MAX_IDENTIFIER + 1
        return identifier

    def _encode(self, identifier: int, sent: _Sent) -> bytes:
        properties = _NO_PROPERTIES[self._version]
        head = publish_head(sent.topic, 1, sent.retain, False, identifier, properties, len(sent.payload))
        return head + sent.payload

    def _see_room(self) -> None:
        link = self._link
        if link is not None and not link.is_full and len(self._sent) < self._in_flight_maximum:
            self._has_room.set()
        else:
            self._has_room.clear()

    def _send_again(self) -> None:
        """What an earlier connection left unanswered; in a clean session these are new messages."""
        if self._link is not None and self._sent:
            self._link.write(b"".join(self._encode(identifier, sent) for identifier, sent in self._sent.items()))

    def _give_up(self) -> None:
        """Nothing more will be answered."""
        sent, self._sent = self._sent, {}
        for one in sent.values():
            if one.done is not None:
                one.done(Reason.UNSPECIFIED_ERROR)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Unavailable("the MQTT connection is lost"))
        self._has_room.set()

    # What the link calls.

    def _received(self, packet: Packet | Run) -> None:
        """A packet or run from the server, after its CONNACK."""
        if isinstance(packet, PubAckRun):
            for identifier in packet.identifiers:
                self._answered(identifier, Reason.SUCCESS)
            self._see_room()
        elif isinstance(packet, PubAck):
            self._answered(packet.identifier, packet.reason)
            self._see_room()
        elif isinstance(packet, PublishRun):
            for one in packet.packets():
                self._message(one)
        elif isinstance(packet, Publish):
            self._message(packet)
        elif isinstance(packet, SubAck | UnsubAck):
            answer = self._answers.get(packet.identifier)
            if answer is not None and not answer.done():
                answer.set_result(packet)
        elif isinstance(packet, Disconnect) and self._link is not None:
            self._link.words = packet.properties.reason_string or Reason(packet.reason).words
            self._link.close()

    def _answered(self, identifier: int, reason: int) -> None:
        sent = self._sent.pop(identifier, None)
        if sent is not None and sent.done is not None:
            sent.done(reason)

    def _message(self, packet: Publish) -> None:
        if self._on_message is not None:
            self._on_message(packet)
        if packet.qos and self._link is not None:
            self._link.write(encode(PubAck(packet.identifier), self._version))

    def _lost(self, link: Link) -> None:
        """A connection has ended that was not closed from here."""
        if link is not self._link:
            return
        self._link = None
        if self._on_lost is not None:
            self._on_lost(link.words)
        if self._reconnect and not self._is_closed:
            self._see_room()
            task = asyncio.get_running_loop().create_task(self._come_back())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._give_up()

    async def _come_back(self) -> None:
        wait_s = WAIT_FIRST_S
        while not self._is_closed:
            await asyncio.sleep(wait_s * (0.5 + self._chance()))
            wait_s = min(2 * wait_s, WAIT_LONGEST_S)
            try:
                await self.connect()
            except (Unavailable, NotSignedIn, NotAllowed) as error:
                logger.warning("%s: %s", self._connect.client_id or self._connect.username, error)
            else:
                return


def _answer(future: asyncio.Future[int], reason: int) -> None:
    if not future.done():
        future.set_result(reason)


def _refusal(answer: ConnAck, version: Version) -> NotSignedIn | NotAllowed | Unavailable:
    words = answer.properties.reason_string
    if answer.reason == _BAD_CREDENTIAL[version]:
        return NotSignedIn(words or "the server does not know this user name and password")
    if answer.reason == _NOT_ALLOWED[version]:
        return NotAllowed(words or "the server does not allow this connection")
    return Unavailable(words or f"the server refuses the connection with code {answer.reason}")
