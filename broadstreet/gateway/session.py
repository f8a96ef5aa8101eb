"""A session: what the gateway keeps for one client id of one peer, while it is connected and as long after as it asked.

Its subscriptions, what goes out to it (`Outbound`), the QoS 2 messages it has not released, and its will. A connection
speaks for it through a `Conversation`; without one it waits, and ends when its expiry is over.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from broadstreet.gateway.outbound import Outbound
from broadstreet.gateway.packer import Settlement
from broadstreet.gateway.peer import Peer
from broadstreet.mqtt import Subscription, Will

if TYPE_CHECKING:
    from broadstreet.gateway.broker import Broker
    from broadstreet.gateway.conversation import Conversation

Place = tuple[str, str, str]
"""Tenant, peer and client id. A client id is a peer's own: nobody else can take its session over."""


class Session:
    """client_id: the client's own, or the one assigned to it."""

    __slots__ = (
        "_timer",
        "_will_timer",
        "broker",
        "conversation",
        "expiry_s",
        "filters",
        "outbound",
        "peer",
        "place",
        "received",
        "source",
        "will",
    )

    def __init__(self, broker: Broker, peer: Peer, client_id: str) -> None:
        self.broker = broker
        self.peer = peer
        self.place: Place = (peer.tenant, peer.name, client_id)
        self.source = broker.packer.source(peer.tenant, peer.key) if peer.kind == "device" else None
        self.outbound = Outbound(broker.counters, broker.clock)
        self.filters: dict[str, tuple[Subscription, int]] = {}
        """Each with its subscription identifier, 0 for none."""
        self.received: dict[int, Settlement] = {}
        """QoS 2 messages by identifier, from their arrival until the client releases them."""
        self.expiry_s = 0
        self.will: Will | None = None
        self.conversation: Conversation | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._will_timer: asyncio.TimerHandle | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a message would reach its client at once."""
        return self.outbound.is_ready

    def begin(self, conversation: Conversation, will: Will | None) -> None:
        """A client speaks for it from now on. A will that still waited is taken back (MQTT-3.1.3-9)."""
        self._stop_timers()
        self.will = will
        self.conversation = conversation

    def leave(self, conversation: Conversation) -> None:
        """Its connection has ended, however. The will goes out when its delay or the session is over (MQTT-3.1.2-8)."""
        if self.conversation is not conversation:
            return
        self.conversation = None
        self.outbound.detach()
        if not self.expiry_s or not self.broker.may_stay(self):
            self.end()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.expiry_s, self.end)
        if self.will is not None:
            delay_s = self.will.properties.will_delay_s or 0
            if delay_s:
                self._will_timer = loop.call_later(delay_s, self.speak_will)
            else:
                self.speak_will()

    def end(self) -> None:
        """It is over: nobody subscribes here any more, and the will has nothing to wait for (MQTT-3.1.3-9)."""
        self._stop_timers()
        subscriptions = self.broker.subscriptions(self.peer.tenant)
        for topic_filter in self.filters:
            subscriptions.remove(self, topic_filter)
        self.filters.clear()
        self.broker.leave(self)
        self.speak_will()

    def speak_will(self) -> None:
        """Publish the will, once."""
        will, self.will = self.will, None
        if will is not None:
            self.broker.publish_will(self, will)

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._will_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._will_timer = None
