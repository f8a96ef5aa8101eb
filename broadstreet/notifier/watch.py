"""Subscriptions that are about the same entities, filed by what they look at.

That is the attribute that changes, and what their q needs of one, such as the name of a street, or a number above 30.

Of a change that no q can be met by, nothing more is asked: a thousand thresholds on one attribute cost a look into two
sorted lists.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from broadstreet.context.condition import compared_values
from broadstreet.context.representation import EntityRow
from broadstreet.notifier.subscribed import Subscribed

Value = tuple[type, float | str | bool]
"""A value with its sort: true is not 1."""


class _Needing:
    """Those whose q needs something of one attribute."""

    def __init__(self, subscriptions: Iterable[Subscribed]) -> None:
        self._by_value: dict[Value, list[Subscribed]] = defaultdict(list)
        above: list[tuple[float, Subscribed]] = []
        below: list[tuple[float, Subscribed]] = []
        for one in subscriptions:
            assert one.needs is not None
            if one.needs.values:
                for value in set(map(_sorted, one.needs.values)):
                    self._by_value[value].append(one)
            elif one.needs.low > float("-inf"):
                above.append((one.needs.low, one))
            else:
                below.append((one.needs.high, one))
        above.sort(key=lambda pair: pair[0])
        below.sort(key=lambda pair: pair[0])
        self._lows = [low for low, _ in above]
        self._highs = [high for high, _ in below]
        self._above = [one for _, one in above]
        self._below = [one for _, one in below]

    def of(self, value: Any) -> Iterator[Subscribed]:
        """Those who may be met by a value."""
        if not isinstance(value, (bool, int, float, str)):
            return
        yield from self._by_value.get(_sorted(value), ())
        if not isinstance(value, (bool, str)):
            yield from self._above[: bisect_right(self._lows, value)]
            yield from self._below[bisect_left(self._highs, value) :]

    def may_be_met(self, value: Any) -> bool:
        """Whether there is any of them; a value that holds others may always meet one."""
        if isinstance(value, (bool, str)):
            return (type(value), value) in self._by_value
        if isinstance(value, (int, float)):
            is_far = not self._lows or value < self._lows[0]
            is_far = is_far and (not self._highs or value > self._highs[-1])
            return not is_far or (float, float(value)) in self._by_value
        return True


class _Filed:
    """Those who look at the changes of one attribute."""

    def __init__(self, name: str | None, subscriptions: Iterable[Subscribed]) -> None:
        self._anyway: list[Subscribed] = []
        needing: dict[str, list[Subscribed]] = defaultdict(list)
        for one in subscriptions:
            if one.needs is None:
                self._anyway.append(one)
            else:
                needing[one.needs.name].append(one)
        self._needing = {own: _Needing(some) for own, some in needing.items()}
        self._own = None if name is None else self._needing.get(name)
        self._asks_others = bool(self._anyway) or len(self._needing) > (self._own is not None)

    def of(self, entity: EntityRow) -> Iterator[Subscribed]:
        """Those of them whose q may hold of an entity."""
        yield from self._anyway
        for name, needing in self._needing.items():
            for row in entity.attributes:
                if row.name == name:
                    for value in compared_values(row):
                        yield from needing.of(value)

    def may_be_met(self, value: Any) -> bool:
        """Whether a change to this value may mean something to any of them, where it is the attribute's only one."""
        return self._asks_others or (self._own is not None and self._own.may_be_met(value))


class Watch:
    """Subscriptions, in the order of their keys."""

    def __init__(self, subscriptions: Sequence[Subscribed]) -> None:
        self.subscriptions = tuple(subscriptions)
        self._filed: dict[str | None, _Filed] = {}

    def is_watched(self, name: str) -> bool:
        """Whether any of them looks at a change of an attribute."""
        return any(one.watches(name) for one in self.subscriptions)

    def may_be_met(self, name: str, value: Any) -> bool:
        """Whether a change of an attribute to a value, its only one, may mean something to any of them."""
        return self._of(name).may_be_met(value)

    def watchers(self, names: Iterable[str] | None, entity: EntityRow) -> Iterator[Subscribed]:
        """Those who look at a change of one of these attributes, None: of any, and whose q may hold of the entity; one
        may come more than once."""
        for name in (None,) if names is None else names:
            yield from self._of(name).of(entity)

    def _of(self, name: str | None) -> _Filed:
        filed = self._filed.get(name)
        if filed is None:
            subscriptions = (one for one in self.subscriptions if name is None or one.watches(name))
            filed = self._filed[name] = _Filed(name, subscriptions)
        return filed


def _sorted(value: float | str | bool) -> Value:
    """A value by which it can be looked up."""
    if isinstance(value, (bool, str)):
        return type(value), value
    return float, float(value)
