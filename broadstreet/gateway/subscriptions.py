"""Who subscribes to what, in one tenant: a tree of topic filters.

A filter is a path of levels; a topic walks down it, taking `+` and `#` where they stand. Who subscribes by
`$share/<name>/<filter>` stands in a `Share` at that filter, and each message goes to one of its members. `version`
rises with every change, so that whoever remembers an answer knows when to ask again.
"""

from __future__ import annotations

from collections.abc import Callable, KeysView
from typing import Generic, TypeVar

from msgspec import Struct

from broadstreet.mqtt import Subscription
from broadstreet.mqtt.topics import split_share

S = TypeVar("S")


class Match(Struct):
    """
    What one subscriber's filters that match a topic amount to together; each subscriber gets a message once.

    group: the shared subscription by which a message is this subscriber's alone, as it is written; empty for none.
    """

    qos: int
    no_local: bool
    retain_as_published: bool
    identifiers: tuple[int, ...]
    group: str = ""


class Share(Generic[S]):
    """
    Those who share a subscription; each message is for one of them (MQTT 5, section 4.8.2).

    filter: as it is written, `$share/<name>/<filter>`. A member that stands for several has as many turns.
    """

    __slots__ = ("_members", "_order", "_turn", "filter")

    def __init__(self, topic_filter: str) -> None:
        self.filter = topic_filter
        self._members: dict[S, tuple[Subscription, int, int]] = {}
        self._order: list[S] = []
        """Whose turn it is after whom; empty: to be made."""
        self._turn = 0

    @property
    def members(self) -> KeysView[S]:
        """All of them."""
        return self._members.keys()

    @property
    def turns(self) -> int:
        """How many they have in a round."""
        return sum(turns for _, _, turns in self._members.values())

    def put(self, member: S, subscription: Subscription, identifier: int, turns: int) -> bool:
        """Add a member, or change what it asks for; answers whether it is new."""
        is_new = member not in self._members
        self._members[member] = subscription, identifier, turns
        self._order.clear()
        return is_new

    def drop(self, member: S) -> bool:
        """Take a member away; answers whether it was there."""
        self._order.clear()
        return self._members.pop(member, None) is not None

    def next(self, *wanted: Callable[[S], bool]) -> tuple[S, Match]:
        """Whose turn it is, and what that member asked for: the next as first wanted, or as then; else the next."""
        order = self._order
        if not order:
            order += [member for member, (_, _, turns) in self._members.items() for _ in range(turns)]
        turn = self._turn % len(order)
        after = range(turn, turn + len(order))
        found = (at for is_wanted in wanted for at in after if is_wanted(order[at % len(order)]))
        at = next(found, turn) % len(order)
        self._turn = at + 1
        subscription, identifier, _ = self._members[order[at]]
        identifiers = (identifier,) if identifier else ()
        match = Match(subscription.qos, False, subscription.retain_as_published, identifiers, self.filter)
        return order[at], match


class Matches(Generic[S]):
    """Who gets a topic's messages: some each of them, and of each share one."""

    __slots__ = ("direct", "shares")

    def __init__(self) -> None:
        self.direct: dict[S, Match] = {}
        self.shares: list[Share[S]] = []

    def __bool__(self) -> bool:
        return bool(self.direct or self.shares)


class _Node(Generic[S]):
    __slots__ = ("levels", "shares", "subscribers")

    def __init__(self) -> None:
        self.levels: dict[str, _Node[S]] = {}
        self.subscribers: dict[S, tuple[Subscription, int]] = {}
        self.shares: dict[str, Share[S]] = {}

    @property
    def is_empty(self) -> bool:
        return not (self.levels or self.subscribers or self.shares)


class Subscriptions(Generic[S]):
    """Filters of subscribers of any kind `S` that can be a key."""

    def __init__(self) -> None:
        self.version = 0
        self._root: _Node[S] = _Node()

    def add(self, subscriber: S, subscription: Subscription, identifier: int = 0, *, turns: int = 1) -> bool:
        """
        Add a filter, or replace the same one; answers whether it is new.

        identifier: version 5's subscription identifier; 0 for none. turns: of a share, for how many it stands there.
        """
        name, topic_filter = split_share(subscription.filter)
        self.version += 1
        node = self._root
        for level in topic_filter.split("/"):
            node = node.levels.setdefault(level, _Node())
        if name:
            share = node.shares.get(name)
            if share is None:
                share = node.shares[name] = Share(subscription.filter)
            return share.put(subscriber, subscription, identifier, turns)
        is_new = subscriber not in node.subscribers
        node.subscribers[subscriber] = subscription, identifier
        return is_new

    def remove(self, subscriber: S, topic_filter: str) -> bool:
        """Take a filter away; answers whether it was there."""
        name, topic_filter = split_share(topic_filter)
        path = [self._root]
        levels = topic_filter.split("/")
        for level in levels:
            node = path[-1].levels.get(level)
            if node is None:
                return False
            path.append(node)
        share = path[-1].shares.get(name) if name else None
        if share is not None:
            was_there = share.drop(subscriber)
            if not share.members:
                del path[-1].shares[name]
        else:
            was_there = not name and path[-1].subscribers.pop(subscriber, None) is not None
        if not was_there:
            return False
        self.version += 1
        for level, parent, node in zip(reversed(levels), reversed(path[:-1]), reversed(path[1:]), strict=True):
            if not node.is_empty:
                break
            del parent.levels[level]
        return True

    def match(self, topic: str) -> Matches[S]:
        """Everyone a topic's messages go to."""
        found: Matches[S] = Matches()
        levels = topic.split("/")
        nodes = [self._root]
        for depth, level in enumerate(levels):
            # A leading wildcard does not match a leading $ (MQTT-4.7.2-1).
            wild = depth > 0 or not level.startswith("$")
            below: list[_Node[S]] = []
            for node in nodes:
                if not node.levels:
                    continue
                if wild and (rest := node.levels.get("#")) is not None:
                    _collect(rest, found)
                if (exact := node.levels.get(level)) is not None:
                    below.append(exact)
                if wild and (any_one := node.levels.get("+")) is not None:
                    below.append(any_one)
            nodes = below
        for node in nodes:
            _collect(node, found)
            # `sport/#` matches `sport` too.
            if (rest := node.levels.get("#")) is not None:
                _collect(rest, found)
        return found


def _collect(node: _Node[S], matches: Matches[S]) -> None:
    found = matches.direct
    matches.shares.extend(node.shares.values())
    for subscriber, (subscription, identifier) in node.subscribers.items():
        identifiers = (identifier,) if identifier else ()
        known = found.get(subscriber)
        if known is None:
            found[subscriber] = Match(
                subscription.qos, subscription.no_local, subscription.retain_as_published, identifiers
            )
        else:
            known.qos = max(known.qos, subscription.qos)
            known.no_local = known.no_local and subscription.no_local
            known.retain_as_published = known.retain_as_published or subscription.retain_as_published
            known.identifiers += identifiers
