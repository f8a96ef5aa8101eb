"""What a process wants of the others' messages: the filters that its own sessions have, told as wishes.

A session that outlives its connection needs no wish: every process reads of it in the log. Many filters are told in a
coarser form that matches at least as much: the level in which they differ most becomes `+`, until they are few enough.
Topics that begin with `$` are a server's own (MQTT-4.7.2) and stay within a process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from broadstreet.gateway.bounds import MAX_SHARES, MAX_WISHES
from broadstreet.mqtt.topics import SHARED_PREFIX

RESERVED = "$"


class Wish(Struct, array_like=True, frozen=True):
    """count: 0 where it is over; of a shared subscription, how many members are here; else 1."""

    tenant: str
    filter: str
    count: int


class Interest:
    """on_change: called when there is something to tell."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._tenants: dict[str, _Wishes] = {}
        self._untold: set[tuple[str, str]] = set()
        self.version = 0
        """Of what was told last."""

    def add(self, tenant: str, topic_filter: str) -> None:
        """A session subscribes."""
        wishes = self._tenants.get(tenant)
        if wishes is None:
            wishes = self._tenants[tenant] = _Wishes()
        self._note(tenant, wishes.add(topic_filter))

    def remove(self, tenant: str, topic_filter: str) -> None:
        """A session that subscribed does so no more."""
        self._note(tenant, self._tenants[tenant].remove(topic_filter))

    def has_room(self, tenant: str, topic_filter: str) -> bool:
        """Whether a session may subscribe: shared subscriptions have no coarser form."""
        wishes = self._tenants.get(tenant)
        return wishes is None or not topic_filter.startswith(SHARED_PREFIX) or wishes.has_room(topic_filter)

    def all(self) -> list[Wish]:
        """Everything wanted. What `changes` has not told yet is among it, and told again is no harm."""
        return [
            Wish(tenant, topic_filter, count)
            for tenant, wishes in self._tenants.items()
            for topic_filter, count in wishes.told()
        ]

    def changes(self) -> list[Wish]:
        """What has changed since this was asked last, which is a version of its own."""
        untold, self._untold = self._untold, set()
        self.version += bool(untold)
        return [Wish(tenant, name, self._tenants[tenant].count(name)) for tenant, name in untold]

    def _note(self, tenant: str, changed: Iterable[str]) -> None:
        before = len(self._untold)
        self._untold.update((tenant, topic_filter) for topic_filter in changed)
        if self._untold and not before:
            self._on_change()


class _Wishes:
    """One tenant's: each filter with how many sessions have it, and the coarser forms with how many filters."""

    __slots__ = ("_coarse", "_exact", "_levels", "_shares")

    def __init__(self) -> None:
        self._exact: dict[str, int] = {}
        self._levels: frozenset[int] = frozenset()
        """Those that are told as `+`."""
        self._coarse: dict[str, int] = {}
        self._shares: dict[str, int] = {}

    def count(self, told: str) -> int:
        return self._shares.get(told, 0) or min(1, self._coarse.get(told, 0))

    def told(self) -> list[tuple[str, int]]:
        return [*self._shares.items(), *((name, 1) for name in self._coarse)]

    def has_room(self, share: str) -> bool:
        return share in self._shares or len(self._shares) < MAX_SHARES

    def add(self, topic_filter: str) -> Iterable[str]:
        """Answers which forms have changed."""
        if topic_filter.startswith(SHARED_PREFIX):
            self._shares[topic_filter] = self._shares.get(topic_filter, 0) + 1
            return (topic_filter,)
        known = self._exact.get(topic_filter, 0)
        self._exact[topic_filter] = known + 1
        if known or topic_filter.startswith(RESERVED):
            return ()
        coarse = _coarsened(topic_filter, self._levels)
        count = self._coarse[coarse] = self._coarse.get(coarse, 0) + 1
        if len(self._coarse) > MAX_WISHES:
            return {coarse} | self._tell_at(self._levels_to_leave_out())
        return (coarse,) if count == 1 else ()

    def remove(self, topic_filter: str) -> Iterable[str]:
        """Answers which forms have changed."""
        if topic_filter.startswith(SHARED_PREFIX):
            _take_one(self._shares, topic_filter)
            return (topic_filter,)
        if _take_one(self._exact, topic_filter) or topic_filter.startswith(RESERVED):
            return ()
        coarse = _coarsened(topic_filter, self._levels)
        left = _take_one(self._coarse, coarse)
        if self._levels and len(self._exact) <= MAX_WISHES // 2:
            return {coarse} | self._tell_at(frozenset())
        return () if left else (coarse,)

    def _levels_to_leave_out(self) -> frozenset[int]:
        """The levels to leave out so that few enough forms are left. With all left out they differ by length alone."""
        levels = self._levels
        forms: Iterable[str] = self._coarse
        while len(forms := {_coarsened(form, levels) for form in forms}) > MAX_WISHES:
            names: dict[int, set[str]] = {}
            for form in forms:
                for at, name in enumerate(form.split("/")):
                    if at not in levels and name != "#":
                        names.setdefault(at, set()).add(name)
            levels |= {max(names, key=lambda at: len(names[at]))}
        return levels

    def _tell_at(self, levels: frozenset[int]) -> set[str]:
        before = self._coarse
        self._levels, self._coarse = levels, {}
        for topic_filter in self._exact:
            if not topic_filter.startswith(RESERVED):
                coarse = _coarsened(topic_filter, levels)
                self._coarse[coarse] = self._coarse.get(coarse, 0) + 1
        return before.keys() ^ self._coarse.keys()


def _coarsened(topic_filter: str, levels: frozenset[int]) -> str:
    """A filter with `+` in some levels."""
    if not levels:
        return topic_filter
    return "/".join("+" if at in levels and name != "#" else name for at, name in enumerate(topic_filter.split("/")))


def _take_one(counts: dict[str, int], name: str) -> int:
    """Answers how many are left."""
    left = counts[name] - 1
    if left:
        counts[name] = left
    else:
        del counts[name]
    return left
