"""A session as its connection knows it: what goes out to the client (`Outbound`), and its will.

One that ends with its connection is all there is, and subscribes itself. One that
outlives it is `Kept` in the log: then this is its life at this gateway, from the client's coming to its going.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broadstreet.gateway.kept import Kept
from broadstreet.gateway.mailbox import Mailbox
from broadstreet.gateway.message import Message
from broadstreet.gateway.outbound import Outbound
from broadstreet.gateway.packer import SAFE, Mark, Settlement
from broadstreet.gateway.peer import Peer, address_of
from broadstreet.gateway.subscriptions import Match
from broadstreet.gateway.words import Claim
from broadstreet.mqtt import Subscription, Will

if TYPE_CHECKING:
    from broadstreet.gateway.broker import Broker
    from broadstreet.gateway.conversation import Conversation


class Session:
    """client_id: the client's own, or the one assigned to it. kept: None for one that ends with its connection."""

    __slots__ = (
        "_incarnation",
        "_life",
        "_own_received",
        "address",
        "broker",
        "claim",
        "conversation",
        "expiry_s",
        "filters",
        "kept",
        "mailbox",
        "outbound",
        "peer",
        "rivals",
        "source",
        "will",
        "will_id",
    )

    def __init__(self, broker: Broker, peer: Peer, client_id: str, expiry_s: int, kept: Kept | None) -> None:
        self.broker = broker
        self.peer = peer
        self.address = address_of(peer, client_id)
        self.source = broker.packer.source(peer.tenant, peer.key) if peer.kind == "device" else None
        self.outbound = Outbound(broker.counters, broker.clock)
        self.expiry_s = expiry_s
        self.kept = kept
        self.mailbox: Mailbox | None = None
        self.filters: dict[str, tuple[Subscription, int]] = {}
        """Each with its subscription identifier, 0 for none."""
        if kept is not None:
            for one in kept.record.filters:
                options = Subscription(one.filter, one.qos, one.no_local, one.retain_as_published)
                self.filters[one.filter] = options, one.identifier
        self.claim = 0
        """The number under which the other gateways have heard that its client came."""
        self.rivals: dict[str, Claim] = {}
        """What other gateways claimed, by their holders, since then and before its conversation began."""
        self.will: Will | None = None
        self.will_id = b""
        """What the log knows the will by that its client left when it came; empty for none."""
        self.conversation: Conversation | None = None
        self._own_received: dict[int, Settlement] = {}
        self._incarnation, self._life = (b"", 0) if kept is None else (kept.record.incarnation, kept.record.life)

    @property
    def received(self) -> dict[int, Settlement]:
        """QoS 2 messages by identifier, from their arrival until the client releases them."""
        return self._own_received if self.kept is None else self.kept.received

    def mark(self, identifier: int) -> Mark | None:
        """What a QoS 2 message counts once by beyond this connection; None where the session ends with it."""
        return None if self.kept is None else Mark(self._incarnation, self._life, identifier)

    def keep_received(self, identifier: int, settlement: Settlement) -> None:
        """A QoS 2 message has come."""
        self.received[identifier] = settlement
        if self.mailbox is not None:
            settlement.then(self.mailbox.is_changed)

    def release(self, identifier: int) -> tuple[bool, Settlement]:
        """Its client has released a message: whether it was known, and what to wait for before that is so for ever."""
        was_known = self.received.pop(identifier, None) is not None
        return was_known, SAFE if self.mailbox is None else self.mailbox.withhold(identifier)

    @property
    def subscriber(self) -> Session | Kept:
        """Who subscribes for this client."""
        return self if self.kept is None else self.kept

    @property
    def is_ready(self) -> bool:
        """Whether a message would reach its client at once."""
        return self.outbound.is_ready

    @property
    def is_here(self) -> bool:
        """Whether its client is at this process: while there is a connection."""
        return self.conversation is not None

    def offer_here(self, message: Message, match: Match) -> None:
        """A message that another process hands on."""
        self.offer(message, match)

    def offer(self, message: Message, match: Match) -> Settlement | None:
        """A message that it subscribes to; nobody need wait for it."""
        retain = message.retain and match.retain_as_published
        self.outbound.offer(message, min(match.qos, message.qos), retain, match.identifiers)
        return None

    def leave(self, conversation: Conversation) -> None:
        """Its connection has ended, however."""
        if self.conversation is not conversation:
            return
        self.conversation = None
        self.outbound.detach()
        if self.kept is None:
            for topic_filter in self.filters:
                self.broker.exchange.unsubscribe(self.peer.tenant, self, topic_filter)
        self.broker.leave(self)
