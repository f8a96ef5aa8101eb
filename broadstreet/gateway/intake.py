"""What one session publishes: to the packer, to subscribers, and acknowledged in the order it came.

A topic is looked at once and remembered with what it means; a run of readings then costs little more than its bytes.
An acknowledgement goes out when its own settlement and all before it are settled, as many as can in one write.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from broadstreet.gateway.bounds import MAX_ROUTES, RECEIVE_MAXIMUM, REFUSED_LINGER_S, TOPIC_ALIAS_MAXIMUM
from broadstreet.gateway.hold import Hold
from broadstreet.gateway.message import Message, forwarded
from broadstreet.gateway.packer import Settlement, Source
from broadstreet.gateway.subscriptions import Match
from broadstreet.model.errors import BroadstreetError, NotAllowed, ProtocolError
from broadstreet.mqtt import NO_PROPERTIES, Properties, Publish, PublishRun, Reason, Version, encode_pubacks

if TYPE_CHECKING:
    from broadstreet.gateway.session import Session

_PUBACK_WITH_REASON = b"\x40\x03"


class _Route:
    """What publishing to a topic means: its full name, what packs call it, and who subscribes."""

    __slots__ = ("matches", "suffix", "topic", "version")

    def __init__(self, topic: str, suffix: str) -> None:
        self.topic = topic
        self.suffix = suffix
        self.version = -1
        self.matches: dict[Session, Match] = {}


class Intake:
    """One session's side that takes messages in."""

    def __init__(self, session: Session, source: Source | None) -> None:
        """source: the device; None for an account, which publishes nothing."""
        self._session = session
        self._broker = session.broker
        self._link = session.link
        self._source = source
        self._routes: dict[bytes, _Route] = {}
        self._aliases: dict[int, str] = {}
        self._subscriptions = session.broker.subscriptions(session.peer.tenant)
        self._owed: deque[tuple[Settlement, list[bytes]]] = deque()
        self._unacknowledged = 0
        self._listening_to: Settlement | None = None
        self._is_mute = False
        self._forbidden = Settlement()
        self._forbidden.settle(NotAllowed())

    def take_run(self, run: PublishRun) -> None:
        """Plain messages to one topic."""
        route = self._routes.get(run.topic) or self._find(run.topic)
        if route is None or self._source is None:
            self._forbid(run.topic.decode(), run.identifiers)
            return
        payloads = run.payloads
        settlement = self._broker.packer.add(self._source, route.suffix, payloads, sum(map(len, payloads)))
        if run.qos:
            self._owe(settlement, run.identifiers)
        for session_matches in self._matching(route):
            for payload in payloads:
                message = Message(route.topic, payload, self._source.last_us, qos=run.qos, sender=self._session)
                self._broker.deliver(message, session_matches)

    def take(self, packet: Publish) -> None:
        """One message with all that MQTT allows. Raises ProtocolError."""
        link, properties = self._link, packet.properties
        if packet.qos == 2:
            link.close(Reason.QOS_NOT_SUPPORTED, "it published at QoS 2, which is not offered")
            return
        topic = packet.topic
        if properties is not NO_PROPERTIES:
            if properties.subscription_identifiers:
                raise ProtocolError(
                    "a client's PUBLISH carries a subscription identifier", where="MQTT 5, [MQTT-3.3.4-6]"
                )
            if properties.topic_alias is not None:
                named = self._alias(properties.topic_alias, topic)
                if named is None:
                    return
                topic = named
        identifiers = [packet.identifier.to_bytes(2)] if packet.qos else []
        route = self._find(topic.encode())
        if route is None or self._source is None:
            self._forbid(topic, identifiers)
            return
        settlement = self.publish(route, packet.payload, packet.qos, packet.retain, forwarded(properties))
        if identifiers:
            self._owe(settlement, identifiers)

    def take_will(self, topic: str, payload: bytes, qos: int, retain: bool, properties: Properties) -> None:
        """The will of a session that has ended; nobody awaits an acknowledgement."""
        route = self._find(topic.encode())
        if route is not None and self._source is not None:
            self.publish(route, payload, qos, retain, forwarded(properties))

    def publish(self, route: _Route, payload: bytes, qos: int, retain: bool, properties: Properties) -> Settlement:
        """Keep a message, hand it to subscribers, retain it if asked to."""
        assert self._source is not None
        settlement = self._broker.packer.add(self._source, route.suffix, [payload], len(payload))
        message = Message(
            route.topic,
            payload,
            self._source.last_us,
            qos=qos,
            retain=retain,
            properties=properties,
            sender=self._session,
        )
        for matches in self._matching(route):
            self._broker.deliver(message, matches)
        if retain:
            settlement = self._broker.retained.keep(self._session.peer.tenant, message, settlement)
        return settlement

    def _matching(self, route: _Route) -> tuple[dict[Session, Match], ...]:
        """The subscribers of a route, if there are any; looked up anew when subscriptions have changed."""
        if route.version != self._subscriptions.version:
            route.version = self._subscriptions.version
            route.matches = self._subscriptions.match(route.topic)
        return (route.matches,) if route.matches else ()

    def _find(self, topic: bytes) -> _Route | None:
        found = self._routes.get(topic)
        if found is not None:
            return found
        suffix = self._session.peer.suffix_of(topic.decode())
        if suffix is None:
            return None
        if len(self._routes) >= MAX_ROUTES:
            self._routes.clear()
        route = self._routes[topic] = _Route(self._session.peer.own_prefix + suffix, suffix)
        return route

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

    def _forbid(self, topic: str, identifiers: list[bytes]) -> None:
        """Not this peer's topic. Version 5 can say so of a QoS 1 message; else the connection ends."""
        self._broker.counters.not_allowed += 1
        if self._session.version == Version.V5 and identifiers:
            self._owe(self._forbidden, identifiers)
        else:
            self._link.close(Reason.NOT_AUTHORIZED, f"it may not publish to {topic[:120]}")

    def _owe(self, settlement: Settlement, identifiers: list[bytes]) -> None:
        """Remember to acknowledge these once they are settled."""
        self._unacknowledged += len(identifiers)
        if self._unacknowledged > RECEIVE_MAXIMUM:
            if self._session.version == Version.V5:
                self._link.close(
                    Reason.RECEIVE_MAXIMUM_EXCEEDED,
                    f"it sent more than {RECEIVE_MAXIMUM} messages that awaited acknowledgement",
                )
                return
            self._link.hold(Hold.UNACKNOWLEDGED)
        self._owed.append((settlement, identifiers))
        if settlement is not self._listening_to:
            self._listening_to = settlement
            settlement.then(self._acknowledge)

    def _acknowledge(self) -> None:
        """Send what may be said by now, in the order in which the messages came."""
        if self._is_mute or self._link.is_closing:
            return
        parts: list[bytes] = []
        owed = self._owed
        while owed and owed[0][0].is_settled:
            settlement, identifiers = owed.popleft()
            self._unacknowledged -= len(identifiers)
            if settlement.refusal is None:
                parts.append(encode_pubacks(identifiers))
            elif self._session.version == Version.V5:
                reason = _reason_for(settlement.refusal)
                parts.extend(_PUBACK_WITH_REASON + identifier + reason for identifier in identifiers)
            else:
                self._fall_silent(settlement.refusal)
                break
        if parts:
            self._link.write(b"".join(parts))
        if self._unacknowledged <= RECEIVE_MAXIMUM // 2:
            self._link.release(Hold.UNACKNOWLEDGED)

    def _fall_silent(self, refusal: BroadstreetError) -> None:
        """3.1.1 cannot say no: acknowledge nothing more, read nothing more, and close after a while."""
        self._is_mute = True
        self._owed.clear()
        self._link.hold(Hold.REFUSED)
        asyncio.get_running_loop().call_later(
            REFUSED_LINGER_S, self._link.close, Reason.QUOTA_EXCEEDED, f"its messages were refused: {refusal.message}"
        )


def _reason_for(refusal: BroadstreetError) -> bytes:
    reason = Reason.NOT_AUTHORIZED if isinstance(refusal, NotAllowed) else Reason.QUOTA_EXCEEDED
    return bytes((reason,))
