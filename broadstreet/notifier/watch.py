"""Subscriptions that are about the same entities, filed by what they look at: the attribute that changes, and a value
that their q asks for, such as the name of one street."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from broadstreet.context.condition import compared_values
from broadstreet.context.representation import EntityRow
from broadstreet.notifier.subscribed import Subscribed

Value = tuple[type, float | str | bool]
"""A value with its sort: true is not 1."""


class _Filed:
    """Those who look at the changes of one attribute."""

    def __init__(self, subscriptions: Iterable[Subscribed]) -> None:
        self._anyway: list[Subscribed] = []
        self._by_value: dict[str, dict[Value, list[Subscribed]]] = defaultdict(lambda: defaultdict(list))
        for one in subscriptions:
            if one.needs is None:
                self._anyway.append(one)
                continue
            name, values = one.needs
            for value in set(map(_sorted, values)):
                self._by_value[name][value].append(one)

    def of(self, entity: EntityRow) -> Iterator[Subscribed]:
        """Those of them whose q may hold of an entity."""
        yield from self._anyway
        for name, by_value in self._by_value.items():
            values = {
                _sorted(value)
                for row in entity.attributes
                if row.name == name
                for value in compared_values(row)
                if isinstance(value, (bool, int, float, str))
            }
            for value in values:
                yield from by_value.get(value, ())


class Watch:
    """Subscriptions, in the order of their keys."""

    def __init__(self, subscriptions: Sequence[Subscribed]) -> None:
        self.subscriptions = tuple(subscriptions)
        self._filed: dict[str | None, _Filed] = {}

    def is_watched(self, name: str) -> bool:
        """Whether any of them looks at a change of an attribute."""
        return any(one.watches(name) for one in self.subscriptions)

    def watchers(self, names: Iterable[str] | None, entity: EntityRow) -> Iterator[Subscribed]:
        """Those who look at a change of one of these attributes, None: of any, and whose q may hold of the entity; one
        may come more than once."""
        for name in (None,) if names is None else names:
            filed = self._filed.get(name)
            if filed is None:
                filed = self._filed[name] = _Filed(
                    one for one in self.subscriptions if name is None or one.watches(name)
                )
            yield from filed.of(entity)


def _sorted(value: float | str | bool) -> Value:
    """A value by which it can be looked up."""
    if isinstance(value, (bool, str)):
        return type(value), value
    return float, float(value)
