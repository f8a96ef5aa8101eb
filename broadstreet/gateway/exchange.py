"""Where messages meet those who subscribe, at this process and at every other one.

A tenant has one tree of subscribers: the sessions of this process that end with their connection; all sessions
that outlive theirs, wherever their clients are; and each other process, with what its own sessions want. A process
without sessions, such as HTTP ingest, has an exchange as well.
"""

from __future__ import annotations

from collections.abc import Callable

from broadstreet.gateway.counters import Counters
from broadstreet.gateway.directory import Directory
from broadstreet.gateway.kept import Kept, Subscriber
from broadstreet.gateway.message import Message
from broadstreet.gateway.neighbours import Neighbours
from broadstreet.gateway.packer import Settlement
from broadstreet.gateway.queues import Queues
from broadstreet.gateway.subscriptions import Matches, Subscriptions
from broadstreet.gateway.words import Claim, Handed
from broadstreet.log.ending import side_by_side
from broadstreet.log.sessions import SessionLog
from broadstreet.mqtt import Subscription

LIFE_BYTES = 8


def _nothing_taken(kept: Kept) -> None:
    """For a process without sessions."""


def _nothing_claimed(claim: Claim, holder: str) -> None:
    """For a process without sessions."""


class Exchange:
    """
    name:         the process's, the same at each start.
    has_sessions: whether clients connect to it.
    clock:        now, in microseconds since 1970.
    random_bytes: fit for ids, such as `os.urandom`.
    taken:        called with a session of this process that another gateway has taken over.
    claimed:      called with a claim of another gateway to a client id, and who has made it.
    """

    def __init__(
        self,
        sessions: SessionLog,
        counters: Counters,
        *,
        name: str,
        has_sessions: bool,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        taken: Callable[[Kept], None] = _nothing_taken,
        claimed: Callable[[Claim, str], None] = _nothing_claimed,
    ) -> None:
        self._counters = counters
        self._subscriptions: dict[str, Subscriptions[Subscriber]] = {}
        holder = f"{name}/{clock():016x}{random_bytes(LIFE_BYTES).hex()}"
        self.queues = Queues(sessions, counters, random_bytes)
        self.neighbours = Neighbours(
            sessions.log,
            counters,
            holder,
            has_sessions=has_sessions,
            clock=clock,
            subscriptions=self.subscriptions,
            receive=self._receive,
            claimed=claimed,
            regive=self._regive,
        )
        self.directory = Directory(
            sessions,
            self.queues,
            self.neighbours,
            taken=taken,
            subscriptions=self.subscriptions,
            clock=clock,
            random_bytes=random_bytes,
        )

    async def run(self) -> None:
        """Follow sessions and other processes until cancelled."""
        await side_by_side(self.directory.run(), self.neighbours.run())

    async def finish(self, within_s: float) -> None:
        """Wait for what is on its way to queues and to others, and say goodbye."""
        await self.queues.flush(within_s)
        await self.neighbours.finish(within_s)

    # Subscribing.

    def subscriptions(self, tenant: str) -> Subscriptions[Subscriber]:
        """A tenant's subscriptions."""
        found = self._subscriptions.get(tenant)
        if found is None:
            found = self._subscriptions[tenant] = Subscriptions()
        return found

    def subscribe(self, tenant: str, subscriber: Subscriber, subscription: Subscription, identifier: int) -> None:
        """A session of this process subscribes; the others hear of it."""
        if self.subscriptions(tenant).add(subscriber, subscription, identifier):
            self.neighbours.interest.add(tenant, subscription.filter)

    def unsubscribe(self, tenant: str, subscriber: Subscriber, topic_filter: str) -> None:
        """A session of this process does so no more."""
        if self.subscriptions(tenant).remove(subscriber, topic_filter):
            self.neighbours.interest.remove(tenant, topic_filter)

    def has_room(self, tenant: str, topic_filter: str) -> bool:
        """Whether the others can be told that a session of this process subscribes."""
        return self.neighbours.interest.has_room(tenant, topic_filter)

    # Messages.

    def publish(self, tenant: str, message: Message) -> list[Settlement]:
        """A message to whoever subscribes; answers what to wait for before it is acknowledged."""
        return self.deliver(message, self.subscriptions(tenant).match(message.topic))

    def deliver(self, message: Message, matches: Matches[Subscriber]) -> list[Settlement]:
        """Give a message to its subscribers; answers what to wait for before it is acknowledged."""
        waits: list[Settlement] = []
        for subscriber, match in matches.direct.items():
            if not (match.no_local and subscriber is message.sender):
                settlement = subscriber.offer(message, match)
                if settlement is not None:
                    waits.append(settlement)
        for share in matches.shares:
            subscriber, match = share.next(_is_ready)
            settlement = subscriber.offer(message, match)
            if settlement is not None:
                waits.append(settlement)
        return waits

    def _receive(self, handed: Handed) -> None:
        """What another process hands on. Queues have their part from there."""
        message = handed.message()
        matches = self.subscriptions(handed.tenant).match(handed.topic)
        if handed.group:
            self._to_member(handed, message, matches)
            return
        for subscriber, match in matches.direct.items():
            if subscriber.is_here:
                subscriber.offer_here(message, match)

    def _to_member(self, handed: Handed, message: Message, matches: Matches[Subscriber]) -> None:
        """Give a message to a member of a shared subscription that is here; if the last has left, to one elsewhere."""
        for share in matches.shares:
            if share.filter == handed.group:
                subscriber, match = share.next(_is_ready_here, _is_here)
                if subscriber.is_here or not handed.is_passed:
                    subscriber.offer(message, match)
                    return
        self._counters.dropped += 1

    def _regive(self, handed: Handed) -> None:
        """What a shared subscription gave to a process that is gone is for another of its members."""
        for share in self.subscriptions(handed.tenant).match(handed.topic).shares:
            if share.filter == handed.group:
                subscriber, match = share.next(_is_ready)
                subscriber.offer(handed.message(is_handed=handed.is_passed), match)


def _is_ready(subscriber: Subscriber) -> bool:
    return subscriber.is_ready


def _is_here(subscriber: Subscriber) -> bool:
    return subscriber.is_here


def _is_ready_here(subscriber: Subscriber) -> bool:
    return subscriber.is_here and subscriber.is_ready
