"""What comes in over one connection: to the packer, to subscribers, and acknowledged in the order it came.

A topic is looked at once and remembered with what it means; a run of readings then costs little more than its bytes.
An acknowledgement goes out when its own settlement and all before it are settled, as many as can in one write. A QoS 2
message is handed on when it comes, and its identifier kept by the session until the client releases it: the same one
coming again before that is answered and goes no further (MQTT-4.3.3-10). Where the session outlives its connection, the
pack says so of the message, and of its release: the recorder drops one that comes again by another gateway.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from broadstreet.gateway.bounds import MAX_ROUTES, REFUSED_LINGER_S, TOPIC_ALIAS_MAXIMUM
from broadstreet.gateway.hold import Hold
from broadstreet.gateway.kept import Subscriber
from broadstreet.gateway.message import Message, forwarded
from broadstreet.gateway.packer import Settlement, Source, together
from broadstreet.gateway.sightings import STORE_ERRORS
from broadstreet.gateway.subscriptions import Matches
from broadstreet.model.errors import BroadstreetError, NotAllowed, ProtocolError
from broadstreet.mqtt import NO_PROPERTIES, Publish, PublishRun, PubRel, Reason, Version, encode_pubacks

if TYPE_CHECKING:
    from broadstreet.gateway.conversation import Conversation

logger = logging.getLogger(__name__)
_PUBACK, _PUBREC, _PUBCOMP = 0x40, 0x50, 0x70
_NOT_FOUND = bytes((Reason.PACKET_IDENTIFIER_NOT_FOUND,))

Owed = tuple[Settlement, int, list[bytes]]
"""What an answer waits for, the answer's first byte, and the identifiers it is for, of two bytes each."""


class _Route:
    """What publishing to a topic means: its full name, what packs call it, and who subscribes."""

    __slots__ = ("matches", "source", "suffix", "topic", "version")

    def __init__(self, topic: str, suffix: str, source: Source | None = None) -> None:
        """source: the device that it is said for, where it is not the sender."""
        self.topic = topic
        self.suffix = suffix
        self.source = source
        self.version = -1
        self.matches: Matches[Subscriber] = Matches()


class Intake:
    """One connection's side that takes messages in."""

    def __init__(self, conversation: Conversation) -> None:
        session = self._session = conversation.session
        self._link = conversation.link
        self._version = conversation.connect.version
        self._broker = session.broker
        self._peer = session.peer
        self._routes: dict[bytes, _Route] = {}
        self._aliases: dict[int, str] = {}
        self._strange: set[bytes] = set()
        """Topics of devices that there are not."""
        self._subscriptions = session.broker.subscriptions(session.peer.tenant)
        self._owed: deque[Owed] = deque()
        self._unacknowledged = 0
        self._listening_to: Settlement | None = None
        self._is_mute = False
        self._maximum = conversation.link.crowd.limits.in_flight
        self._forbidden = Settlement()
        self._forbidden.settle(NotAllowed())

    def take_run(self, run: PublishRun) -> None:
        """Plain messages to one topic."""
        route = self._routes.get(run.topic) or self._find(run.topic)
        if route is None:
            if not self._asks_for(run.topic, partial(self.take_run, run)):
                self._forbid(run.topic.decode(), _PUBACK, run.identifiers)
            return
        payloads = run.payloads
        self._link.sent(len(payloads))
        settlement, sent_us = self._broker.keep(self._session, route.suffix, payloads, source=route.source)
        if matches := self._matching(route):
            sender, waits = self._session.subscriber, [settlement]
            for payload in payloads:
                message = Message(route.topic, payload, sent_us, qos=run.qos, sender=sender)
                waits += self._broker.deliver(message, matches)
            settlement = together(waits) if len(waits) > 1 else settlement
        if run.qos:
            self._owe(settlement, _PUBACK, run.identifiers)

    def take(self, packet: Publish) -> None:
        """One message with all that MQTT allows. Raises ProtocolError."""
        topic = self._topic_of(packet)
        if topic is None:
            return
        answer = _PUBREC if packet.qos == 2 else _PUBACK
        identifiers = [packet.identifier.to_bytes(2)] if packet.qos else []
        received = self._session.received
        if packet.qos == 2 and packet.identifier in received:
            self._owe(received[packet.identifier], answer, identifiers)
            return
        route = self._find(topic.encode())
        if route is None:
            if not self._asks_for(topic.encode(), partial(self.take, packet)):
                self._forbid(topic, answer, identifiers)
            return
        self._link.sent(1)
        mark = self._session.mark(packet.identifier) if packet.qos == 2 and route.source is None else None
        settlement, sent_us = self._broker.keep(self._session, route.suffix, [packet.payload], mark, route.source)
        message = Message(
            route.topic,
            packet.payload,
            sent_us,
            qos=packet.qos,
            retain=packet.retain,
            properties=forwarded(packet.properties),
            sender=self._session.subscriber,
        )
        if packet.retain:
            settlement = self._broker.retained.keep(self._peer.tenant, message, settlement)
        if (matches := self._matching(route)) and (waits := self._broker.deliver(message, matches)):
            settlement = together([settlement, *waits])
        if packet.qos == 2:
            self._session.keep_received(packet.identifier, settlement)
        if identifiers:
            self._owe(settlement, answer, identifiers)

    def release(self, packet: PubRel) -> None:
        """The client will not send a QoS 2 message again: its identifier may be used for another."""
        identifier = packet.identifier.to_bytes(2)
        was_known, settlement = self._broker.release(self._session, packet.identifier)
        if not was_known and self._session.kept is None and self._version == Version.V5:
            identifier += _NOT_FOUND  # of one that another gateway had before, only the recorder may know
        self._owe(settlement, _PUBCOMP, [identifier])

    def _topic_of(self, packet: Publish) -> str | None:
        """The topic in full; None when the connection is closed for its alias. Raises ProtocolError."""
        properties = packet.properties
        if properties is NO_PROPERTIES:
            return packet.topic
        if properties.subscription_identifiers:
            raise ProtocolError("a client's PUBLISH carries a subscription identifier", where="MQTT 5, [MQTT-3.3.4-6]")
        if properties.topic_alias is None:
            return packet.topic
        return self._alias(properties.topic_alias, packet.topic)

    def _matching(self, route: _Route) -> Matches[Subscriber]:
        """The subscribers of a route; looked up anew when subscriptions have changed."""
        if route.version != self._subscriptions.version:
            route.version = self._subscriptions.version
            route.matches = self._subscriptions.match(route.topic)
        return route.matches

    def _find(self, topic: bytes) -> _Route | None:
        found = self._routes.get(topic)
        if found is not None:
            return found
        suffix = self._peer.suffix_of(topic.decode())
        if suffix is None:
            return None
        if len(self._routes) >= MAX_ROUTES:
            self._routes.clear()
        route = self._routes[topic] = _Route(self._peer.own_prefix + suffix, suffix)
        return route

    def _asks_for(self, topic: bytes, then: Callable[[], None]) -> bool:
        """Whether this peer may speak for the topic's device: it is looked up, and nothing is read before that is done.

        then: takes what came to the topic once more.
        """
        said = self._peer.speaks_for(topic.decode())
        if said is None or topic in self._strange:
            return False
        self._link.hold(Hold.TOPIC)
        self._broker.spawn(self._look_up(topic, *said, then))
        return True

    async def _look_up(self, topic: bytes, device: str, suffix: str, then: Callable[[], None]) -> None:
        try:
            key = await self._link.door.device(self._peer.tenant, device)
        except STORE_ERRORS as error:
            logger.warning("devices cannot be looked up: %s", error)
            self._link.close(Reason.SERVER_UNAVAILABLE, "devices cannot be looked up now")
            return
        if key is None:
            if len(self._strange) >= MAX_ROUTES:
                self._strange.clear()
            self._strange.add(topic)
        else:
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            source = self._broker.packer.source(self._peer.tenant, key)
            self._routes[topic] = _Route(topic.decode(), suffix, source)
        if not self._link.is_closing:
            then()
        self._link.release(Hold.TOPIC)

    def _alias(self, alias: int, topic: str) -> str | None:
        """The topic an alias stands for; None when the connection is closed for it."""
        if alias > TOPIC_ALIAS_MAXIMUM:
            self._link.close(Reason.TOPIC_ALIAS_INVALID, f"its topic alias {alias} is over {TOPIC_ALIAS_MAXIMUM}")
            return None
        if topic:
            self._aliases[alias] = topic
        elif alias not in self._aliases:
            self._link.close(Reason.TOPIC_ALIAS_INVALID, f"its topic alias {alias} stands for nothing")
            return None
        return self._aliases[alias]

    def _forbid(self, topic: str, answer: int, identifiers: list[bytes]) -> None:
        """Not this peer's topic. Version 5 can say so of a QoS 1 or 2 message; else the connection ends."""
        self._broker.counters.not_allowed += 1
        if self._version == Version.V5 and identifiers:
            self._owe(self._forbidden, answer, identifiers)
        else:
            self._link.close(Reason.NOT_AUTHORIZED, f"it may not publish to {topic[:120]}")

    def _owe(self, settlement: Settlement, answer: int, identifiers: list[bytes]) -> None:
        """Remember to answer these once they are settled."""
        if answer == _PUBACK:
            self._unacknowledged += len(identifiers)
        if self._unacknowledged + len(self._session.received) > self._maximum:
            self._link.crowd.over("in_flight", f"{self._peer.name} has {self._maximum:,} unanswered messages")
            if self._version == Version.V5:
                self._link.close(
                    Reason.RECEIVE_MAXIMUM_EXCEEDED,
                    f"it sent more than {self._maximum} messages that awaited acknowledgement",
                )
                return
            self._link.hold(Hold.UNACKNOWLEDGED)
        self._owed.append((settlement, answer, identifiers))
        if settlement.is_settled:
            self._acknowledge()
        elif settlement is not self._listening_to:
            self._listening_to = settlement
            settlement.then(self._acknowledge)

    def _acknowledge(self) -> None:
        """Send what may be said by now, in the order in which the messages came."""
        if self._is_mute or self._link.is_closing:
            return
        parts: list[bytes] = []
        owed = self._owed
        while owed and owed[0][0].is_settled:
            settlement, answer, identifiers = owed.popleft()
            if answer == _PUBACK:
                self._unacknowledged -= len(identifiers)
            if settlement.refusal is None:
                parts.append(encode_pubacks(identifiers) if answer == _PUBACK else _answers(answer, identifiers))
                continue
            if answer == _PUBREC:
                self._session.received.pop(int.from_bytes(identifiers[0]), None)
            if self._version != Version.V5 or answer == _PUBCOMP:
                self._fall_silent(settlement.refusal)
                break
            reason = _reason_for(settlement.refusal)
            parts.append(_answers(answer, [identifier + reason for identifier in identifiers]))
        if parts:
            self._link.write(b"".join(parts))
        if self._unacknowledged <= self._maximum // 2:
            self._link.release(Hold.UNACKNOWLEDGED)

    def _fall_silent(self, refusal: BroadstreetError) -> None:
        """3.1.1 and PUBCOMP cannot say no: acknowledge nothing more, read nothing more, and close after a while."""
        self._is_mute = True
        self._owed.clear()
        self._link.hold(Hold.REFUSED)
        asyncio.get_running_loop().call_later(
            REFUSED_LINGER_S, self._link.close, Reason.QUOTA_EXCEEDED, f"its messages were refused: {refusal.message}"
        )


def _answers(first: int, bodies: list[bytes]) -> bytes:
    """Acknowledgements of one kind: an identifier each, and behind it a reason if it is not success."""
    return b"".join(bytes((first, len(body))) + body for body in bodies)


def _reason_for(refusal: BroadstreetError) -> bytes:
    reason = Reason.NOT_AUTHORIZED if isinstance(refusal, NotAllowed) else Reason.QUOTA_EXCEEDED
    return bytes((reason,))
