"""Who subscribes to what, in one tenant: a tree of topic filters.

A filter is a path of levels; a topic walks down it, taking `+` and `#` where they stand. `version` rises with every
change, so that whoever remembers an answer knows when to ask again.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

from broadstreet.mqtt import Subscription

S = TypeVar("S")


class Match(Struct):
    """What one subscriber's filters that match a topic amount to together; each subscriber gets a message once."""

    qos: int
    no_local: bool
    retain_as_published: bool
    identifiers: tuple[int, ...]


class _Node(Generic[S]):
    __slots__ = ("levels", "subscribers")

    def __init__(self) -> None:
        self.levels: dict[str, _Node[S]] = {}
        self.subscribers: dict[S, tuple[Subscription, int]] = {}


class Subscriptions(Generic[S]):
    """Filters of subscribers of any kind `S` that can be a key."""

    def __init__(self) -> None:
        self.version = 0
        self._root: _Node[S] = _Node()

    def add(self, subscriber: S, subscription: Subscription, identifier: int = 0) -> bool:
        """
        Add a filter, or replace the same one; answers whether it is new.

        identifier: version 5's subscription identifier; 0 for none.
        """
        node = self._root
        for level in subscription.filter.split("/"):
            node = node.levels.setdefault(level, _Node())
        is_new = subscriber not in node.subscribers
        node.subscribers[subscriber] = subscription, identifier
        self.version += 1
        return is_new

    def remove(self, subscriber: S, topic_filter: str) -> bool:
        """Take a filter away; answers whether it was there."""
        path = [self._root]
        levels = topic_filter.split("/")
        for level in levels:
            node = path[-1].levels.get(level)
            if node is None:
                return False
            path.append(node)
        if path[-1].subscribers.pop(subscriber, None) is None:
            return False
        self.version += 1
        for level, parent, node in zip(reversed(levels), reversed(path[:-1]), reversed(path[1:]), strict=True):
            if node.levels or node.subscribers:
                break
            del parent.levels[level]
        return True

    def match(self, topic: str) -> dict[S, Match]:
        """Everyone a topic's messages go to."""
        found: dict[S, Match] = {}
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


def _collect(node: _Node[S], found: dict[S, Match]) -> None:
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
