"""Who may be meant by a change: filed by the entity's id, by its types, by the attribute, by a value that a q asks for.

What is filed under none of an entity's words is never looked at. What is found for an entity is remembered, and so are
the attributes of it that somebody watches: of a change that concerns nobody, no more is asked than whether its series
is among those that do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from broadstreet.context.expression import leaves
from broadstreet.context.representation import EntityRow
from broadstreet.notifier.event import CAME, RETYPED
from broadstreet.notifier.subscribed import ANY, Subscribed, Wanted
from broadstreet.notifier.watch import Watch
from broadstreet.store import Database, Terms, load_queries

MAX_KNOWN: Final = 1_000_000
"""Series that are remembered."""
IDS_AT_ONCE: Final = 1_000
"""Ids that one query holds against regular expressions."""
_SQL = load_queries("notifier")
_NOBODY: Final = Watch(())
_Asking = tuple[Wanted, Subscribed]
"""A subscription, with one of its selectors."""


@dataclass(eq=False, slots=True)
class Known:
    """An entity, with the subscriptions that may be meant by its changes: those of its types, which it shares with
    others of the same types, and those that ask for its id."""

    id: str
    of_types: Watch
    of_id: Watch
    series: set[int] = field(default_factory=set)

    @property
    def has_candidates(self) -> bool:
        """Whether there is any."""
        return bool(self.of_types.subscriptions or self.of_id.subscriptions)

    def is_watched(self, name: str) -> bool:
        """Whether somebody looks at a change of one of its attributes."""
        return self.of_types.is_watched(name) or self.of_id.is_watched(name)

    def watchers(self, names: Iterable[str] | None, entity: EntityRow) -> Iterable[Subscribed]:
        """Those who look at a change of one of these attributes, None: of any, and may find their conditions held."""
        found = {one.key: one for one in self.of_types.watchers(names, entity)}
        if self.of_id.subscriptions:
            found.update((one.key, one) for one in self.of_id.watchers(names, entity))
            return [found[key] for key in sorted(found)]
        return found.values()


class Directory:
    """The subscriptions of one tenant that are told of changes."""

    def __init__(self, database: Database, terms: Terms) -> None:
        self._database = database
        self._terms = terms
        self._by_id: dict[str, list[_Asking]] = defaultdict(list)
        self._by_type: dict[str, list[_Asking]] = defaultdict(list)
        self._of_any: list[_Asking] = []
        self._of_pattern: dict[str, list[_Asking]] = defaultdict(list)
        self._of_types: dict[tuple[str, ...], Watch] = {}
        self._entities: dict[int, Known] = {}
        self._names: dict[int, tuple[int, str]] = {}
        """Of series: whose they are, and which attribute."""
        self._several: set[tuple[int, str]] = set()
        """Attributes that have several instances."""
        self._entity_of: dict[int, int | None] = {}
        """Of series that were looked at: whose they are; None where nobody watches."""

    def file(self, subscriptions: Iterable[Subscribed]) -> None:
        """From now on it is these."""
        self._by_id.clear()
        self._of_pattern.clear()
        self._by_type.clear()
        self._of_any.clear()
        for one in subscriptions:
            for wanted in one.wanted:
                if wanted.ids is not None:
                    for entity_id in wanted.ids:
                        self._by_id[entity_id].append((wanted, one))
                elif wanted.id_pattern is not None:
                    self._of_pattern[wanted.id_pattern].append((wanted, one))
                elif wanted.types is not None:
                    for iri in set(leaves(wanted.types)):
                        self._by_type[iri].append((wanted, one))
                else:
                    self._of_any.append((wanted, one))
            if not one.wanted:
                self._of_any.append((ANY, one))
        self._of_types.clear()
        self._entities.clear()
        self._entity_of.clear()

    @property
    def entity_of(self) -> Callable[[int], int | None]:
        """Answers whose a series is, where somebody watches it; after `learn`."""
        return self._entity_of.get

    @property
    def place_of(self) -> Callable[[int], tuple[int, str] | None]:
        """Answers whose a series is, and which attribute; after `learn`."""
        return self._names.get

    def may_mean(self, series_key: int, value: Any) -> bool:
        """Whether an update of a series that somebody watches may mean something to any of them, by its value."""
        place = self._names.get(series_key)
        known = None if place is None else self._entities.get(place[0])
        if place is None or known is None or place in self._several:
            return True
        name = place[1]
        if known.of_types.may_be_met(name, value):
            return True
        return bool(known.of_id.subscriptions) and known.of_id.may_be_met(name, value)

    def known(self, entity_key: int) -> Known | None:
        """An entity that somebody may want to hear of; after `learn`."""
        return self._entities.get(entity_key)

    def __contains__(self, entity_key: object) -> bool:
        known = self._entities.get(entity_key)  # type: ignore[call-overload]  # whatever is asked for may be absent
        return known is not None and known.has_candidates

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
        if len(self._entity_of) + len(missing) > MAX_KNOWN:
            self._entity_of.clear()
            self._names.clear()
            self._several.clear()
            self._entities.clear()
            missing = sorted(set(series))
        await self._know_entities(sorted(set(entities) - self._entities.keys()))
        if not missing:
            return
        unnamed = [key for key in missing if key not in self._names]
        if unnamed:
            rows = await self._database.fetch(_SQL["places"], unnamed)
            iris = await self._terms.iris({row["term_key"] for row in rows})
            for row in rows:
                place = self._names[row["key"]] = (row["entity_key"], iris[row["term_key"]])
                if row["is_one_of_several"]:
                    self._several.add(place)
        found = {key: self._names[key] for key in missing if key in self._names}
        await self._know_entities(sorted({entity for entity, _ in found.values()} - self._entities.keys()))
        for series_key in missing:
            entity_key, name = found.get(series_key, (0, ""))
            known = self._entities.get(entity_key)
            if known is None:
                self._entity_of[series_key] = None
                continue
            known.series.add(series_key)
            self._entity_of[series_key] = entity_key if known.is_watched(name) else None

    async def _know_entities(self, keys: Sequence[int]) -> None:
        if not keys:
            return
        rows = await self._database.fetch(_SQL["entities"], list(keys))
        iris = await self._terms.iris({key for row in rows for key in row["types"]})
        ids = [row["id"] for row in rows]
        matching = await self._matching(ids)
        for row in rows:
            entity_id, types = row["id"], tuple(iris[key] for key in row["types"])
            named = [*self._by_id.get(entity_id, ())]
            named += matching.get(entity_id, ())
            self._entities[row["key"]] = Known(entity_id, self._watch(types), _watch(named, types))

    async def _matching(self, ids: Sequence[str]) -> dict[str, list[_Asking]]:
        """Who asks for each of these ids by a regular expression."""
        found: dict[str, list[_Asking]] = defaultdict(list)
        for begin in range(0, len(ids) if self._of_pattern else 0, IDS_AT_ONCE):
            some = list(ids[begin : begin + IDS_AT_ONCE])
            for row in await self._database.fetch(_SQL["matching"], some, list(self._of_pattern)):
                for entity_id in row["ids"]:
                    found[entity_id] += self._of_pattern[row["pattern"]]
        return found

    def _watch(self, types: tuple[str, ...]) -> Watch:
        """The subscriptions that ask for entities of these types, whatever their ids."""
        watch = self._of_types.get(types)
        if watch is None:
            asking = [*self._of_any, *(one for iri in types for one in self._by_type.get(iri, ()))]
            watch = self._of_types[types] = _watch(asking, types)
        return watch


def _watch(asking: Iterable[_Asking], types: Sequence[str]) -> Watch:
    """Those of them who ask for entities of these types."""
    taken = {one.key: one for wanted, one in asking if wanted.takes(types)}
    return Watch([taken[key] for key in sorted(taken)]) if taken else _NOBODY
