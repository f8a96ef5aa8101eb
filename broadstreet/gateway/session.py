"""A session: one client's conversation from CONNACK to its end.

It answers SUBSCRIBE, UNSUBSCRIBE and PINGREQ, gives PUBLISH to its `Intake` and acknowledgements to its `Outbound`, and
speaks its will when it ends without a goodbye. Sessions end with their connection (the session expiry is 0, as CONNACK
says), so a will's delay has nothing to wait for; `place` is what a session that outlives it will be found by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broadstreet.gateway.bounds import MAX_SUBSCRIPTIONS
from broadstreet.gateway.intake import Intake
from broadstreet.gateway.outbound import Outbound
from broadstreet.gateway.peer import Peer
from broadstreet.model.errors import ProtocolError
from broadstreet.mqtt import (
    Connect,
    Disconnect,
    PingReq,
    PubAck,
    PubAckRun,
    Publish,
    PublishRun,
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
from broadstreet.mqtt.topics import SHARED_PREFIX

if TYPE_CHECKING:
    from broadstreet.gateway.broker import Broker
    from broadstreet.gateway.connection import Connection

CLOSED_BY_CLIENT = "closed by the device"
TOO_SLOW = "it was too slow to take its messages"
GRANTED_QOS = 1
"""The most a subscription is granted."""


class Session:
    """
    link:      the connection it speaks over.
    client_id: the client's own, or the one assigned to it.
    """

    def __init__(self, broker: Broker, link: Connection, peer: Peer, connect: Connect, client_id: str) -> None:
        self.broker = broker
        self.link = link
        self.peer = peer
        self.connect = connect
        self.version = connect.version
        self.place = (peer.tenant, peer.name, client_id)
        self.outbound = Outbound(
            link.write,
            self._give_up,
            version=connect.version,
            receive_maximum=connect.properties.receive_maximum,
            max_packet_bytes=connect.properties.maximum_packet_bytes,
            counters=broker.counters,
            clock=broker.clock,
        )
        source = broker.packer.source(peer.tenant, peer.key) if peer.kind == "device" else None
        self.intake = Intake(self, source)
        self._will = connect.will
        self._filters: set[str] = set()
        self._subscriptions = broker.subscriptions(peer.tenant)
        self._handlers: dict[type, Callable[[Any], None]] = {
            PublishRun: self.intake.take_run,
            Publish: self.intake.take,
            PubAckRun: self._acknowledged_run,
            PubAck: self._acknowledged,
            Subscribe: self._subscribe,
            Unsubscribe: self._unsubscribe,
            PingReq: self._ping,
            Disconnect: self._disconnect,
        }

    def handle(self, packet: Any) -> None:
        """One packet or run from the client. Raises ProtocolError for one that clients do not send."""
        handler = self._handlers.get(type(packet))
        if handler is None:
            raise ProtocolError(f"a client may not send {type(packet).__name__.upper()} here", where="MQTT 5, 4.13")
        handler(packet)

    def end(self) -> None:
        """The connection has ended: leave, and let the will be known unless it was taken back."""
        for topic_filter in self._filters:
            self._subscriptions.remove(self, topic_filter)
        self._filters.clear()
        self.broker.leave(self)
        will, self._will = self._will, None
        if will is not None:
            self.intake.take_will(will.topic, will.payload, will.qos, will.retain, will.properties)

    def _give_up(self) -> None:
        if not self.link.is_closing:
            self.broker.counters.slow += 1
            self.link.abort(TOO_SLOW)

    def _acknowledged_run(self, run: PubAckRun) -> None:
        self.outbound.acknowledged(run.identifiers)

    def _acknowledged(self, packet: PubAck) -> None:
        self.outbound.acknowledged((packet.identifier,))

    def _ping(self, _: PingReq) -> None:
        self.link.write(PINGRESP)

    def _subscribe(self, packet: Subscribe) -> None:
        identifiers = packet.properties.subscription_identifiers
        identifier = identifiers[0] if identifiers else 0
        reasons: list[int] = []
        wanted: list[Subscription] = []
        for subscription in packet.subscriptions:
            reason = self._add(subscription, identifier, wanted)
            is_refused_3_1_1 = self.version != Version.V5 and reason >= FIRST_FAILURE
            reasons.append(Reason.UNSPECIFIED_ERROR if is_refused_3_1_1 else reason)
        self.link.write(encode(SubAck(packet.identifier, tuple(reasons)), self.version))
        for subscription in wanted:
            messages = self.broker.retained.matching(self.peer.tenant, subscription.filter)
            self.outbound.offer_retained(
                messages, min(subscription.qos, GRANTED_QOS), (identifier,) if identifier else ()
            )

    def _add(self, subscription: Subscription, identifier: int, wanted: list[Subscription]) -> int:
        """Take one subscription in; answers the QoS granted or why not, and notes it in `wanted` if it asks for what
        is retained."""
        topic_filter = subscription.filter
        if topic_filter.startswith(SHARED_PREFIX):
            return Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
        if not self.peer.may_subscribe(topic_filter):
            self.broker.counters.not_allowed += 1
            return Reason.NOT_AUTHORIZED
        if len(self._filters) >= MAX_SUBSCRIPTIONS and topic_filter not in self._filters:
            return Reason.QUOTA_EXCEEDED
        granted = min(subscription.qos, GRANTED_QOS)
        is_new = self._subscriptions.add(
            self,
            Subscription(topic_filter, granted, subscription.no_local, subscription.retain_as_published),
            identifier,
        )
        self._filters.add(topic_filter)
        if subscription.retain_handling == 0 or (subscription.retain_handling == 1 and is_new):
            wanted.append(subscription)
        return granted

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        reasons: list[int] = []
        for topic_filter in packet.filters:
            was_there = self._subscriptions.remove(self, topic_filter)
            self._filters.discard(topic_filter)
            reasons.append(Reason.SUCCESS if was_there else Reason.NO_SUBSCRIPTION_EXISTED)
        answer = UnsubAck(packet.identifier, tuple(reasons) if self.version == Version.V5 else ())
        self.link.write(encode(answer, self.version))

    def _disconnect(self, packet: Disconnect) -> None:
        if packet.properties.session_expiry_s and not self.connect.properties.session_expiry_s:
            raise ProtocolError("DISCONNECT asks for a session that CONNECT did not", where="MQTT 5, 3.14.2.2.2")
        if packet.reason != Reason.DISCONNECT_WITH_WILL:
            self._will = None
        words = CLOSED_BY_CLIENT
        if packet.reason >= FIRST_FAILURE:
            words += f": {Reason(packet.reason).words}"
        self.link.finish(words)
