"""A session that outlives its connection, as every gateway knows it: its record, and who of this gateway has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from broadstreet.gateway.message import Message
from broadstreet.gateway.packer import Settlement
from broadstreet.gateway.subscriptions import Match

if TYPE_CHECKING:
    from broadstreet.gateway.neighbours import Neighbours
    from broadstreet.gateway.queues import Queues
    from broadstreet.gateway.session import Session


class Subscriber(Protocol):
    """What a topic's messages go to."""

    @property
    def is_ready(self) -> bool:
        """Whether a message would reach its client soon."""

    @property
    def is_here(self) -> bool:
        """Whether its client is at this process."""

    def offer(self, message: Message, match: Match) -> Settlement | None:
        """A message that it subscribes to; answers what to wait for before that is acknowledged."""

    def offer_here(self, message: Message, match: Match) -> None:
        """A message that another process hands on, which has given it to the queues in the log itself."""


class Filter(Struct, array_like=True, frozen=True):
    """A subscription as a record has it; identifier: 0 for none."""

    filter: str
    qos: int
    no_local: bool
    retain_as_published: bool
    identifier: int


class Record(Struct, array_like=True, frozen=True):
    """
    A session in the log.

    incarnation: tells it from another one under the same client id.
    holder:      the gateway that has it, or had it last, and in which life: `<name>/<life>`.
    away_us:     since when its client is away, in microseconds since 1970; 0: it is here.
    life:        rises each time another holder has it; what an earlier one has not brought to the log by then is void.
    """

    tenant: str
    key: str
    kind: str
    peer: str
    client_id: str
    incarnation: bytes
    holder: str
    away_us: int
    expiry_s: int
    filters: list[Filter]
    is_over: bool = False
    life: int = 0


class Kept:
    """
    It subscribes in the place of its client: what comes at QoS 1 and 2 goes to its queue, at QoS 0 to its client,
    wherever that is.

    session:  the client's, if it is connected here.
    received: QoS 2 messages of its client that are not released.
    """

    __slots__ = ("neighbours", "queues", "received", "record", "sequence", "session")

    def __init__(self, record: Record, sequence: int, queues: Queues, neighbours: Neighbours) -> None:
        self.record = record
        self.sequence = sequence
        self.queues = queues
        self.neighbours = neighbours
        self.session: Session | None = None
        self.received: dict[int, Settlement] = {}

    @property
    def is_ready(self) -> bool:
        """Whether its client is at some gateway."""
        return not self.record.away_us

    @property
    def is_here(self) -> bool:
        """Whether its client is at this gateway."""
        return self.session is not None

    def is_over(self, now_us: int) -> bool:
        """Whether its client has been away for longer than it asked for."""
        away_us = self.record.away_us
        return away_us > 0 and now_us >= away_us + self.record.expiry_s * 1_000_000

    def offer(self, message: Message, match: Match) -> Settlement | None:
        """A message it subscribes to; answers what to wait for before it is acknowledged."""
        if qos := min(match.qos, message.qos):
            place = self.record.tenant, self.record.key
            retain = message.retain and match.retain_as_published
            return self.queues.append(place, message, qos, retain, match.identifiers)
        if self.session is not None:
            self.offer_here(message, match)
        elif self.is_ready:
            elsewhere = self.neighbours.elsewhere(self.record.holder, self.record.tenant)
            if elsewhere is not None:
                elsewhere.offer(message, match)
        return None

    def offer_here(self, message: Message, match: Match) -> None:
        """A message at QoS 0, if the client is here; what comes at another is in its queue."""
        if self.session is not None and not min(match.qos, message.qos):
            retain = message.retain and match.retain_as_published
            self.session.outbound.offer(message, 0, retain, match.identifiers)
