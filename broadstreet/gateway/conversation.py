"""A conversation: what one connection and one session say to each other, from CONNACK on.

It answers SUBSCRIBE, UNSUBSCRIBE and PINGREQ, gives what is published to its `Intake`, and acknowledgements to the
session's `Outbound`. It ends with its connection; the session may go on without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broadstreet.gateway.bounds import LONGEST_SESSION_S, MAX_SUBSCRIPTIONS
from broadstreet.gateway.intake import Intake
from broadstreet.gateway.session import Session
from broadstreet.model.errors import ProtocolError
from broadstreet.mqtt import (
    Connect,
    Disconnect,
    PingReq,
    PubAck,
    PubAckRun,
    PubComp,
    Publish,
    PublishRun,
    PubRec,
    PubRel,
    Reason,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
    Version,
    encode,
)
from broadstreet.mqtt.encoding import PINGRESP
from broadstreet.mqtt.reasons import FIRST_FAILURE
from broadstreet.mqtt.topics import split_share

if TYPE_CHECKING:
    from broadstreet.gateway.connection import Connection

CLOSED_BY_CLIENT = "closed by the device"
TOO_SLOW = "it was too slow to take its messages"


class Conversation:
    """link: the connection. The session is told that it begins once CONNACK is written: see `begin`."""

    __slots__ = ("connect", "intake", "link", "session")

    def __init__(self, session: Session, link: Connection, connect: Connect) -> None:
        self.session = session
        self.link = link
        self.connect = connect
        self.intake = Intake(self)

    def begin(self) -> None:
        """CONNACK is on its way: what the session has for its client may follow."""
        self.session.outbound.attach(self.link.write, self._give_up, self.connect)

    def handle(self, packet: Any) -> None:
        """One packet or run from the client. Raises ProtocolError for one that clients do not send."""
        handler = _HANDLERS.get(type(packet))
        if handler is None:
            raise ProtocolError(f"a client may not send {type(packet).__name__.upper()} here", where="MQTT 5, 4.13")
        handler(self, packet)

    def end(self) -> None:
        """The connection has ended."""
        self.session.leave(self)

    def _give_up(self) -> None:
        if not self.link.is_closing:
            self.session.broker.counters.slow += 1
            self.link.abort(TOO_SLOW)

    def _publish_run(self, run: PublishRun) -> None:
        self.intake.take_run(run)

    def _publish(self, packet: Publish) -> None:
        self.intake.take(packet)

    def _release(self, packet: PubRel) -> None:
        self.intake.release(packet)

    def _acknowledged_run(self, run: PubAckRun) -> None:
        self.session.outbound.acknowledged_run(run.identifiers)

    def _acknowledged(self, packet: PubAck) -> None:
        self.session.outbound.acknowledged(packet)

    def _received(self, packet: PubRec) -> None:
        self.session.outbound.received(packet)

    def _completed(self, packet: PubComp) -> None:
        self.session.outbound.completed(packet)

    def _ping(self, _: PingReq) -> None:
        self.link.write(PINGRESP)

    def _subscribe(self, packet: Subscribe) -> None:
        identifiers = packet.properties.subscription_identifiers
        reasons: list[int] = []
        wanted: list[Subscription] = []
        for subscription in packet.subscriptions:
            reason = self._add(subscription, identifiers[0] if identifiers else 0, wanted)
            is_refused_3_1_1 = self.connect.version != Version.V5 and reason >= FIRST_FAILURE
            reasons.append(Reason.UNSPECIFIED_ERROR if is_refused_3_1_1 else reason)
        self.link.write(encode(SubAck(packet.identifier, tuple(reasons)), self.connect.version))
        session = self.session
        for subscription in wanted:
            messages = session.broker.retained.matching(session.peer.tenant, subscription.filter)
            session.outbound.offer_retained(messages, subscription.qos, identifiers)

    def _add(self, subscription: Subscription, identifier: int, wanted: list[Subscription]) -> int:
        """Take one subscription in; answers the QoS granted or why not, and notes it in `wanted` if it asks for what
        is retained, as a shared one never does (MQTT 5, section 4.8.2)."""
        session, topic_filter = self.session, subscription.filter
        share, shared_filter = split_share(topic_filter)
        if not session.peer.may_subscribe(shared_filter):
            session.broker.counters.not_allowed += 1
            return Reason.NOT_AUTHORIZED
        if len(session.filters) >= MAX_SUBSCRIPTIONS and topic_filter not in session.filters:
            return Reason.QUOTA_EXCEEDED
        is_new = session.broker.subscriptions(session.peer.tenant).add(session, subscription, identifier)
        session.filters[topic_filter] = subscription, identifier
        if not share and (subscription.retain_handling == 0 or (subscription.retain_handling == 1 and is_new)):
            wanted.append(subscription)
        return subscription.qos

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        session = self.session
        subscriptions = session.broker.subscriptions(session.peer.tenant)
        reasons: list[int] = []
        for topic_filter in packet.filters:
            was_there = session.filters.pop(topic_filter, None) is not None
            subscriptions.remove(session, topic_filter)
            reasons.append(Reason.SUCCESS if was_there else Reason.NO_SUBSCRIPTION_EXISTED)
        answer = UnsubAck(packet.identifier, tuple(reasons) if self.connect.version == Version.V5 else ())
        self.link.write(encode(answer, self.connect.version))

    def _disconnect(self, packet: Disconnect) -> None:
        session, asked_s = self.session, packet.properties.session_expiry_s
        if asked_s is not None:
            if asked_s and not self.connect.properties.session_expiry_s:
                raise ProtocolError("DISCONNECT asks for a session that CONNECT did not", where="MQTT 5, 3.14.2.2.2")
            session.expiry_s = min(asked_s, LONGEST_SESSION_S)
        if packet.reason != Reason.DISCONNECT_WITH_WILL:
            session.will = None
        words = CLOSED_BY_CLIENT
        if packet.reason >= FIRST_FAILURE:
            words += f": {Reason(packet.reason).words}"
        self.link.finish(words)


_HANDLERS: dict[type, Callable[[Conversation, Any], None]] = {
    PublishRun: Conversation._publish_run,
    Publish: Conversation._publish,
    PubRel: Conversation._release,
    PubAckRun: Conversation._acknowledged_run,
    PubAck: Conversation._acknowledged,
    PubRec: Conversation._received,
    PubComp: Conversation._completed,
    Subscribe: Conversation._subscribe,
    Unsubscribe: Conversation._unsubscribe,
    PingReq: Conversation._ping,
    Disconnect: Conversation._disconnect,
}
