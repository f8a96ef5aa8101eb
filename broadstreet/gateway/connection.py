"""One MQTT connection: bytes in, bytes out, and why it ended.

    waiting for CONNECT ──▶ signing in ──▶ open, with a Conversation ──▶ closing ──▶ gone

While someone is asked who signs in, nothing is read; nor while what the packer holds, the client's own unacknowledged
messages or its unread answers are too many (`Hold`). Bytes that break the standard end this connection alone, and a
client that sends much does not keep the others waiting.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, cast

from broadstreet.access.attempts import place_of
from broadstreet.gateway.bounds import (
    CONNECT_WITHIN_S,
    HEAR_OUT_S,
    LINGER_CLOSED_S,
    LONGEST_REST_S,
    RUN_DISCOUNT,
    SIGN_IN_WITHIN_S,
    SLOW_FOR_S,
    TURN_PACKETS,
    WRITE_HIGH_BYTES,
)
from broadstreet.gateway.conversation import TOO_SLOW, Conversation
from broadstreet.gateway.door import Entrance
from broadstreet.gateway.greeting import (
    KEEP_ALIVE_GRACE,
    accept,
    fault_of,
    fault_of_will,
    goodbye,
    keep_alive_s,
    refuse,
)
from broadstreet.gateway.hold import Hold
from broadstreet.gateway.pace import Pace
from broadstreet.gateway.peer import Peer
from broadstreet.gateway.reception import Reception, key_of
from broadstreet.gateway.session import Session
from broadstreet.gateway.sightings import STORE_ERRORS
from broadstreet.model.errors import (
    BadPacket,
    BroadstreetError,
    NotAllowed,
    NotSignedIn,
    ProtocolError,
    TooMany,
    UnsupportedVersion,
)
from broadstreet.mqtt import Connect, Decoder, PublishRun, Reason, reason_of
from broadstreet.mqtt.topics import split_share

if TYPE_CHECKING:
    from broadstreet.gateway.broker import Broker
    from broadstreet.gateway.listener import Listener

LOST = "the connection was lost"
SILENT = "keep-alive ran out"
REFUSE_UNKNOWN_VERSION = b"\x20\x02\x00\x01"
"""The CONNACK that every version understands: unacceptable protocol version."""
logger = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """Made by the listener for each socket."""

    def __init__(self, listener: Listener, broker: Broker, door: Entrance) -> None:
        self._listener = listener
        self._broker = broker
        self.door = door
        self._loop = asyncio.get_running_loop()
        self.crowd = listener.crowd
        self.place = ""
        """Its address, as the crowd counts it."""
        self.pace: Pace | None = None
        self._decoder = Decoder(None, self.crowd.limits.packet_bytes, runs=True)
        self._transport: asyncio.Transport | None = None
        self._conversation: Conversation | None = None
        self._reception: Reception | None = None
        self._signing_in: asyncio.Task[None] | None = None
        self._holds = Hold(0)
        self._seen_s = self._opened_s = self._loop.time()
        self._closed_s = 0.0
        self._slow_since_s: float | None = None
        self._keep_alive_s = 0.0
        self._words: str | None = None
        self.is_closing = False
        self._is_hearing_out = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        self.place = place_of((transport.get_extra_info("peername") or ("",))[0])
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._listener.opened(self)

    def data_received(self, data: bytes) -> None:
        if self.is_closing:
            return
        self._seen_s = now_s = self._loop.time()
        self._decoder.feed(data)
        pace = self.pace
        if pace is not None:
            pace.bytes += len(data)
            if pace.bytes >= pace.bytes_at_once:
                self._rest(pace.look_at_bytes(now_s))
        self._read()

    def pause_writing(self) -> None:
        self._slow_since_s = self._loop.time()
        self.hold(Hold.UNREAD)
        if self._conversation is not None:
            self._conversation.session.outbound.slow(True)

    def resume_writing(self) -> None:
        self._slow_since_s = None
        self.release(Hold.UNREAD)
        if self._conversation is not None:
            self._conversation.session.outbound.slow(False)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closing = True
        if self._signing_in is not None:
            self._signing_in.cancel()
        self._leave()
        self._listener.closed(self)

    # What the session and the listener call.

    def write(self, raw: bytes) -> None:
        """Send bytes, unless the connection is ending."""
        if self._transport is not None and not self.is_closing:
            self._transport.write(raw)

    def hold(self, why: Hold) -> None:
        """Read no more for this cause."""
        if not self._holds and self._transport is not None and not self.is_closing:
            self._transport.pause_reading()
        self._holds |= why

    def release(self, why: Hold) -> None:
        """This cause is over; if it was the last, go on with what has come and what will."""
        if not self._holds & why:
            return
        self._holds &= ~why
        if not self._holds and self._transport is not None and not self.is_closing:
            self._seen_s = self._loop.time()
            self._transport.resume_reading()
            self._loop.call_soon(self._read)

    def sent(self, count: int) -> None:
        """So many messages came: if that is faster than they may, read no more until it is their time."""
        pace = self.pace
        if pace is not None:
            pace.messages += count
            if pace.messages >= pace.messages_at_once:
                self._rest(pace.look_at_messages(self._seen_s))

    def _rest(self, for_s: float) -> None:
        """It is so far ahead of its pace."""
        if for_s <= 0 or self._conversation is None or self._holds & Hold.PACE:
            return
        words = f"{self._conversation.session.peer.name} sends faster than it may"
        self.crowd.over("rate", words)
        if for_s > LONGEST_REST_S:
            self.close(Reason.MESSAGE_RATE_TOO_HIGH, words)
            return
        self.hold(Hold.PACE)
        self._loop.call_later(for_s, self.release, Hold.PACE)

    def close(self, reason: Reason, words: str) -> None:
        """End it from this side, telling a version 5 client why."""
        if self.is_closing:
            return
        said = b"" if self._conversation is None else goodbye(self._conversation.connect, reason, words)
        if not said or self._transport is None or not self._transport.can_write_eof():
            self.write(said)
            self.finish(words)
            return
        # Closed with something unread, a socket throws away what the client has not taken yet: why it was closed.
        self.write(said)
        self._transport.write_eof()
        self._words = words
        self.is_closing = self._is_hearing_out = True
        self._closed_s = self._loop.time()
        if self._holds:
            self._transport.resume_reading()
        self._leave()

    def finish(self, words: str) -> None:
        """Close once what was written is sent."""
        if not self.is_closing and self._transport is not None:
            self._words = words
            self.is_closing = True
            self._closed_s = self._loop.time()
            self._transport.close()

    def abort(self, words: str) -> None:
        """Close at once; what was written is of no account."""
        if self._transport is not None:
            self._words = self._words or words
            self.is_closing = True
            self._closed_s = self._loop.time()
            self._transport.abort()

    def check(self, now_s: float) -> None:
        """Called twice a second: whatever has a time limit."""
        if self.is_closing:
            if now_s > self._closed_s + LINGER_CLOSED_S:
                self.abort(LOST)
            elif self._is_hearing_out and now_s > self._closed_s + HEAR_OUT_S and self._transport is not None:
                self._transport.close()
        elif self._slow_since_s is not None and now_s > self._slow_since_s + SLOW_FOR_S:
            self._broker.counters.slow += 1
            self.abort(TOO_SLOW)
        elif self._conversation is None:
            limit_s = CONNECT_WITHIN_S if self._signing_in is None else SIGN_IN_WITHIN_S
            if now_s > self._opened_s + limit_s:
                self.abort("it did not sign in in time")
        elif self._holds:
            self._seen_s = now_s
        elif self._keep_alive_s and now_s > self._seen_s + self._keep_alive_s:
            self._broker.counters.silent += 1
            self.close(Reason.KEEP_ALIVE_TIMEOUT, SILENT)

    def _leave(self) -> None:
        """The conversation is over."""
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            self._broker.counters.connections -= 1
            self.crowd.left(conversation.session.peer)
            conversation.end()
            self._broker.sightings.disconnected(conversation.session.peer, self._words or LOST)

    # Reading.

    def _read(self) -> None:
        """Handle what has come, up to where it must wait; after TURN_PACKETS it is the others' turn."""
        left = TURN_PACKETS
        try:
            while not self.is_closing and not self._holds:
                packet = self._decoder.next()
                if packet is None:
                    return
                if self._conversation is not None:
                    self._conversation.handle(packet)
                elif self._reception is not None:
                    self._reception.handle(packet)
                elif isinstance(packet, Connect):
                    self._begin(packet)
                else:
                    raise ProtocolError("the first packet is not CONNECT", where="MQTT 5, [MQTT-3.1.0-1]")
                left -= len(packet.payloads) // RUN_DISCOUNT + 1 if isinstance(packet, PublishRun) else 1
                if left <= 0:
                    self.hold(Hold.TURN)
                    self._loop.call_soon(self.release, Hold.TURN)
        except BadPacket as error:
            self._refuse_packet(error)

    def _refuse_packet(self, error: BadPacket) -> None:
        self._broker.counters.bad_packets += 1
        if reason_of(error) is Reason.PACKET_TOO_LARGE:
            self.crowd.over("packet_bytes", f"{self.place}: {error}")
        if isinstance(error, UnsupportedVersion):
            self.write(REFUSE_UNKNOWN_VERSION)
        self.close(reason_of(error), f"it sent a packet that breaks the standard: {error}")

    def _begin(self, connect: Connect) -> None:
        fault = fault_of(connect)
        if fault is not None:
            self._turn_away(connect, *fault)
            return
        self.hold(Hold.SIGNING_IN)
        is_new = self.door.provisioning is not None and key_of(connect) is not None
        self._signing_in = self._loop.create_task(self._receive(connect) if is_new else self._sign_in(connect))

    def _turn_away(self, connect: Connect, reason: Reason, words: str) -> None:
        self._broker.counters.sign_ins_refused += 1
        self.write(refuse(connect, reason, words))
        self.finish(words)

    async def _receive(self, connect: Connect) -> None:
        """A new device that shows its fleet's key is heard, and not let in; it has CONNECT_WITHIN_S from now."""
        provisioning = self.door.provisioning
        assert provisioning is not None
        try:
            await provisioning.check(key_of(connect) or "", self._broker.clock())
        except NotSignedIn as error:
            await asyncio.sleep(self.crowd.failed(self.place))
            self._turn_away(connect, Reason.BAD_USER_NAME_OR_PASSWORD, error.message)
        except STORE_ERRORS as error:
            logger.warning("a provisioning key cannot be checked: %s", error)
            self._turn_away(connect, Reason.SERVER_UNAVAILABLE, "keys cannot be checked now")
        else:
            self._reception = Reception(self, connect, provisioning, self._broker.clock)
            self._opened_s = self._loop.time()
            limits, at_us = self.crowd.limits, self._broker.clock()
            self.write(accept(connect, None, limits, is_present=False, expiry_s=0, at_us=at_us))
        self._signing_in = None
        self.release(Hold.SIGNING_IN)

    async def _sign_in(self, connect: Connect) -> None:
        """Ask who it is, then go on reading."""
        try:
            peer = await self.door.sign_in(connect.username, connect.password, self._certificate())
            await self._broker.retained.ready()
        except NotSignedIn as error:
            await self._note_refused(connect, error.message)
            await asyncio.sleep(self.crowd.failed(self.place))
            self._turn_away(connect, Reason.BAD_USER_NAME_OR_PASSWORD, error.message)
        except NotAllowed as error:
            self._turn_away(connect, Reason.NOT_AUTHORIZED, error.message)
        except TooMany as error:
            self._turn_away(connect, Reason.SERVER_BUSY, error.message)
        except STORE_ERRORS as error:
            logger.warning("%s cannot sign in: %s", connect.username, error)
            self._turn_away(connect, Reason.SERVER_UNAVAILABLE, "sign-ins cannot be checked now")
        else:
            fault = fault_of_will(connect, peer)
            if fault is None:
                await self._enter(connect, peer)
            else:
                self._broker.sightings.refused(peer, fault[1])
                self._turn_away(connect, *fault)
        self._signing_in = None
        if self._listener.is_pressed:
            self.hold(Hold.PRESSURE)
        self.release(Hold.SIGNING_IN)

    def _certificate(self) -> bytes | None:
        """What the client has shown of itself in TLS, which has looked at its signature and dates."""
        tls = None if self._transport is None else self._transport.get_extra_info("ssl_object")
        shown: bytes | None = None if tls is None else tls.getpeercert(binary_form=True)
        return shown

    async def _note_refused(self, connect: Connect, words: str) -> None:
        """Write down a refused sign-in, if it was made under a device's id."""
        if connect.username:
            try:
                refused = await self.door.refused_device(connect.username, words)
            except STORE_ERRORS as error:
                logger.warning("a refused sign-in of %s is not noted: %s", connect.username, error)
                return
            if refused is not None:
                self._broker.sightings.refused(*refused)

    async def _take_back(self, session: Session) -> None:
        """Whoever comes to a session again has of its subscriptions what it may have now. Raises as `write_filters`."""
        may = session.peer.may_subscribe
        allowed = {name: one for name, one in session.filters.items() if may(split_share(name)[1])}
        if len(allowed) < len(session.filters):
            await self._broker.write_filters(session, allowed)
            session.filters = allowed

    async def _enter(self, connect: Connect, peer: Peer) -> None:
        """Ask for the session, and let it begin."""
        client_id = connect.client_id or self._broker.new_client_id()
        if not self.crowd.has_room_for(peer) and not self._broker.is_here(peer, client_id):
            words = self.crowd.over("connections_per_device", f"{peer.name} has as many connections as it may")
            self._broker.sightings.refused(peer, words)
            self._turn_away(connect, Reason.QUOTA_EXCEEDED, words)
            return
        try:
            session, was_there = await self._broker.enter(peer, connect, client_id)
            await self._take_back(session)
        except TooMany as error:
            self._turn_away(connect, Reason.QUOTA_EXCEEDED, error.message)
            return
        except BroadstreetError as error:
            logger.warning("the session of %s cannot be opened: %s", peer.name, error)
            self._turn_away(connect, Reason.SERVER_UNAVAILABLE, "sessions cannot be opened now")
            return
        self._conversation = conversation = Conversation(session, self, connect)
        session.conversation, session.will = conversation, connect.will
        self._keep_alive_s = keep_alive_s(connect) * KEEP_ALIVE_GRACE
        self._broker.counters.connections += 1
        self.crowd.joined(peer)
        self.pace = self.crowd.pace(peer)
        self._broker.counters.connected += 1
        self._broker.sightings.connected(peer)
        assigned = None if connect.client_id else client_id
        limits, at_us = self.crowd.limits, self._broker.clock()
        self.write(accept(connect, assigned, limits, is_present=was_there, expiry_s=session.expiry_s, at_us=at_us))
        conversation.begin()
        self._broker.entered(session)
