"""A conversation: what one connection and one session say to each other, from CONNACK on.

It answers SUBSCRIBE, UNSUBSCRIBE and PINGREQ, gives what is published to its `Intake`, and acknowledgements to the
session's `Outbound`. It ends with its connection; the session may go on without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from broadstreet.gateway.bounds import LONGEST_SESSION_S
from broadstreet.gateway.hold import Hold
from broadstreet.gateway.intake import Intake
from broadstreet.gateway.session import Session
from broadstreet.model.errors import BroadstreetError, Conflict, ProtocolError
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
logger = logging.getLogger(__name__)


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
        if self.session.mailbox is not None:
            self.session.mailbox.start()

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
        filters = dict(self.session.filters)
        reasons: list[int] = []
        wanted: list[Subscription] = []
        for subscription in packet.subscriptions:
            reason = self._fault_of(subscription, filters)
            if reason is None:
                share, _ = split_share(subscription.filter)
                is_new = subscription.filter not in filters
                handling = subscription.retain_handling
                if not share and (handling == 0 or (handling == 1 and is_new)):
                    wanted.append(subscription)  # a shared one never brings what is retained (MQTT 5, 4.8.2)
                filters[subscription.filter] = subscription, identifiers[0] if identifiers else 0
            reasons.append(subscription.qos if reason is None else reason)
        self._change(filters, partial(self._subscribed, packet, reasons, wanted))

    def _subscribed(self, packet: Subscribe, reasons: list[int], wanted: list[Subscription], is_kept: bool) -> None:
        """Answer a SUBSCRIBE, and bring what is retained."""
        if not is_kept:
            reasons, wanted = [Reason.UNSPECIFIED_ERROR] * len(reasons), []
        if self.connect.version != Version.V5:
            reasons = [min(reason, Reason.UNSPECIFIED_ERROR) for reason in reasons]
        self.link.write(encode(SubAck(packet.identifier, tuple(reasons)), self.connect.version))
        session, identifiers = self.session, packet.properties.subscription_identifiers
        for subscription in wanted:
            messages = session.broker.retained.matching(session.peer.tenant, subscription.filter)
            if session.kept is not None:
                place = session.kept.record.tenant, session.kept.record.key
                for message in messages:
                    if qos := min(subscription.qos, message.qos):
                        session.broker.queues.append(place, message, qos, True, identifiers)
                messages = [message for message in messages if not min(subscription.qos, message.qos)]
            session.outbound.offer_retained(messages, subscription.qos, identifiers)

    def _fault_of(self, subscription: Subscription, filters: dict[str, tuple[Subscription, int]]) -> Reason | None:
        """Why a subscription is refused; None if it is not."""
        _, topic_filter = split_share(subscription.filter)
        if not self.session.peer.may_subscribe(topic_filter):
            self.session.broker.counters.not_allowed += 1
            return Reason.NOT_AUTHORIZED
        if subscription.filter not in filters:
            if len(filters) >= self.link.crowd.limits.subscriptions:
                self.link.crowd.over("subscriptions", f"{self.session.peer.name} has {len(filters)} subscriptions")
                return Reason.QUOTA_EXCEEDED
            if not self._has_room(subscription.filter):
                return Reason.QUOTA_EXCEEDED
        return None

    def _has_room(self, topic_filter: str) -> bool:
        """Whether other gateways can be told of a filter. One of a session that stays they read in the log."""
        session = self.session
        return session.kept is not None or session.broker.exchange.has_room(session.peer.tenant, topic_filter)

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        filters = dict(self.session.filters)
        reasons = [
            Reason.NO_SUBSCRIPTION_EXISTED if filters.pop(topic_filter, None) is None else Reason.SUCCESS
            for topic_filter in packet.filters
        ]
        self._change(filters, partial(self._unsubscribed, packet, reasons))

    def _unsubscribed(self, packet: Unsubscribe, reasons: list[Reason], is_kept: bool) -> None:
        """Answer an UNSUBSCRIBE."""
        if not is_kept:
            reasons = [Reason.UNSPECIFIED_ERROR] * len(reasons)
        answer = UnsubAck(packet.identifier, tuple(reasons) if self.connect.version == Version.V5 else ())
        self.link.write(encode(answer, self.connect.version))

    def _change(self, filters: dict[str, tuple[Subscription, int]], answer: Callable[[bool], None]) -> None:
        """Subscribe to these from now on; the answer follows once that holds, and nothing is read before."""
        session = self.session
        if session.kept is not None:
            self.link.hold(Hold.SESSION)
            session.broker.spawn(self._keep(filters, answer))
            return
        exchange, tenant = session.broker.exchange, session.peer.tenant
        for topic_filter in session.filters.keys() - filters.keys():
            exchange.unsubscribe(tenant, session, topic_filter)
        for topic_filter, wanted in filters.items():
            if session.filters.get(topic_filter) != wanted:
                exchange.subscribe(tenant, session, *wanted)
        session.filters = filters
        answer(True)

    async def _keep(self, filters: dict[str, tuple[Subscription, int]], answer: Callable[[bool], None]) -> None:
        try:
            await self.session.broker.write_filters(self.session, filters)
        except Conflict as error:
            self.link.close(Reason.SESSION_TAKEN_OVER, error.message)
        except BroadstreetError as error:
            logger.warning("subscriptions of a session cannot be written: %s", error)
            answer(False)
        else:
            self.session.filters = filters
            answer(True)
        self.link.release(Hold.SESSION)

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
