"""Who may be meant by a change: three dictionaries, by the entity's id, by its types, and by the attribute.

What is filed under none of an entity's words is never looked at. What is found for an entity is remembered, and so are
the attributes of it that somebody watches: of a change that concerns nobody, no more is asked than whether its series
is among those that do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from broadstreet.context.expression import Expression, leaves
from broadstreet.notifier.event import CAME, RETYPED
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, Terms, load_queries

MAX_KNOWN: Final = 1_000_000
"""Series that are remembered."""
_SQL = load_queries("notifier")


@dataclass(eq=False, slots=True)
class Known:
    """An entity, with the subscriptions that may be meant by its changes."""

    id: str
    types: Sequence[str]
    candidates: tuple[Subscribed, ...] = ()
    series: set[int] = field(default_factory=set)
    watching: dict[str, tuple[Subscribed, ...]] = field(default_factory=dict)

    def watchers(self, name: str) -> tuple[Subscribed, ...]:
        """Those who look at a change of one of its attributes."""
        found = self.watching.get(name)
        if found is None:
            found = self.watching[name] = tuple(one for one in self.candidates if one.watches(name))
        return found


class Directory:
    """The subscriptions of one tenant that are told of changes."""

    def __init__(self, database: Database, terms: Terms) -> None:
        self._database = database
        self._terms = terms
        self._by_id: dict[str, list[Subscribed]] = defaultdict(list)
        self._by_type: dict[str, list[Subscribed]] = defaultdict(list)
        self._of_any: list[Subscribed] = []
        self._matching: dict[tuple[str, str], bool] = {}
        self._patterns: frozenset[str] = frozenset()
        self._entities: dict[int, Known] = {}
        self._names: dict[int, tuple[int, str]] = {}
        """Of series: whose they are, and which attribute."""
        self._entity_of: dict[int, int | None] = {}
        """Of series that were looked at: whose they are; None where nobody watches."""

    def file(self, subscriptions: Iterable[Subscribed]) -> None:
        """From now on it is these."""
        self._by_id.clear()
        self._by_type.clear()
        self._of_any.clear()
        patterns = set()
        for one in subscriptions:
            for wanted in one.wanted:
                if wanted.id_pattern is not None:
                    patterns.add(wanted.id_pattern)
                if wanted.ids is not None:
                    for entity_id in wanted.ids:
                        self._by_id[entity_id].append(one)
                elif wanted.types is not None:
                    for iri in _any_of(wanted.types):
                        self._by_type[iri].append(one)
                else:
                    self._of_any.append(one)
            if not one.wanted:
                self._of_any.append(one)
        self._patterns = frozenset(patterns)
        self._matching.clear()
        self._entities.clear()
        self._entity_of.clear()

    def entity_of(self, series_key: int) -> int | None:
        """Whose a series is, where somebody watches it; after `learn`."""
        return self._entity_of.get(series_key)

    def known(self, entity_key: int) -> Known | None:
        """An entity that somebody may want to hear of; after `learn`."""
        return self._entities.get(entity_key)

    def __contains__(self, entity_key: object) -> bool:
        known = self._entities.get(entity_key)  # type: ignore[call-overload]  # whatever is asked for may be absent
        return known is not None and bool(known.candidates)

    def forget(self, operations: Iterable[tuple[int, str]]) -> None:
        """Entities whose types may be others now."""
        for entity_key, operation in operations:
            if operation in (CAME, RETYPED):
                known = self._entities.pop(entity_key, None)
                for series_key in known.series if known is not None else ():
                    self._entity_of.pop(series_key, None)

    async def learn(self, series: Iterable[int], entities: Iterable[int]) -> None:
        """Look up what is not known yet of series and entities that have changed."""
        missing = sorted(set(series) - self._entity_of.keys())
        await self._know_entities(sorted(set(entities) - self._entities.keys()))
        if not missing:
            return
        if len(self._entity_of) + len(missing) > MAX_KNOWN:
            self._entity_of.clear()
            self._names.clear()
            self._entities.clear()
        unnamed = [key for key in missing if key not in self._names]
        if unnamed:
            rows = await self._database.fetch(_SQL["places"], unnamed)
            iris = await self._terms.iris({row["term_key"] for row in rows})
            self._names.update((row["key"], (row["entity_key"], iris[row["term_key"]])) for row in rows)
        found = {key: self._names[key] for key in missing if key in self._names}
        await self._know_entities(sorted({entity for entity, _ in found.values()} - self._entities.keys()))
        for series_key in missing:
            entity_key, name = found.get(series_key, (0, ""))
            known = self._entities.get(entity_key)
            if known is None:
                self._entity_of[series_key] = None
                continue
            known.series.add(series_key)
            self._entity_of[series_key] = entity_key if known.watchers(name) else None

    async def _know_entities(self, keys: Sequence[int]) -> None:
        if not keys:
            return
        rows = await self._database.fetch(_SQL["entities"], list(keys))
        iris = await self._terms.iris({key for row in rows for key in row["types"]})
        ids = [row["id"] for row in rows]
        for pattern in self._patterns:
            matching = {row["id"] for row in await self._database.fetch(_SQL["matching"], ids, pattern)}
            self._matching.update(((pattern, entity_id), entity_id in matching) for entity_id in ids)
        for row in rows:
            types = [iris[key] for key in row["types"]]
            self._entities[row["key"]] = Known(row["id"], types, self._candidates(row["id"], types))
        self._matching.clear()

    def _candidates(self, entity_id: str, types: Sequence[str]) -> tuple[Subscribed, ...]:
        found = {one.key: one for one in self._of_any}
        found.update((one.key, one) for one in self._by_id.get(entity_id, ()))
        found.update((one.key, one) for iri in types for one in self._by_type.get(iri, ()))
        taken = [one for one in found.values() if one.takes(entity_id, types, self._matches)]
        return tuple(sorted(taken, key=lambda one: one.key))

    def _matches(self, pattern: str, entity_id: str) -> bool:
        return self._matching[pattern, entity_id]


def _any_of(types: Expression[str]) -> set[str]:
    """Types of which an entity has one at least, if it is meant."""
    return set(leaves(types))
