"""From records of changes to what is to be delivered to whom: one pass over a batch of them.

learn    what series and entities that changed are, where that is not known
read     the entities that somebody may want to hear of, once, with all their attributes
play     their events in order; of each, who watches, fires, and finds its conditions held
ask      the database what only it can tell, of all entities of a subscription at once
show     each entity as each subscription wants it; those who want the same share it
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, NamedTuple

from broadstreet.context import Selector
from broadstreet.context.bounds import MAX_LIMIT
from broadstreet.context.meta import Metas
from broadstreet.context.reading import Reader
from broadstreet.context.search import Search
from broadstreet.model.change import ChangeBatch
from broadstreet.model.errors import BroadstreetError, InvalidQuery, TooMany
from broadstreet.notifier.directory import Directory, Known
from broadstreet.notifier.event import Event, events_of, relevant
from broadstreet.notifier.state import Moment, States
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, Terms

_logger = logging.getLogger(__name__)
_NOTHING_TOLD: Final[frozenset[int]] = frozenset()


class Told(NamedTuple):
    """What is to be delivered: an entity as a subscription's receiver is to see it."""

    subscription: Subscribed
    entity_id: str
    body: str


@dataclass(eq=False, slots=True)
class _Hit:
    """A subscription that is to be told of a moment. told: series of the deletions that made it fire."""

    subscription: Subscribed
    moment: Moment
    told: frozenset[int]
    entity_key: int


class Matcher:
    """Finds out who is to be told of what, for one tenant."""

    def __init__(self, database: Database, terms: Terms, directory: Directory) -> None:
        self._directory = directory
        self._states = States(database, terms)
        self._search = Search(database, terms)
        self._reader = Reader(database, terms, Metas())

    async def match(self, batches: Sequence[ChangeBatch], now_us: int) -> list[Told]:
        """What these changes are to be told as, in their order."""
        hits: list[_Hit] = []
        events = await self._events(batches)
        states = await self._states.read(events)
        for entity_key, own in events.items():
            state = states.get(entity_key)
            if state is None:
                continue
            state.rewind([event for event, _ in own])
            for event, known in own:
                moment = state.play(event)
                if event.may_mean:
                    hits += self._hits(moment, known, now_us)
        hits.sort(key=lambda hit: hit.moment.event.place)
        return await self._shown(await self._asked(hits))

    async def _events(self, batches: Sequence[ChangeBatch]) -> dict[int, list[tuple[Event, Known]]]:
        """The events of each entity that somebody may want to hear of, in their order, and who that may be."""
        directory = self._directory
        for batch in batches:
            directory.forget((event.key, event.operation) for event in batch.entities)
        await directory.learn(
            {key for batch in batches for key in batch.series},
            {event.key for batch in batches for event in batch.entities},
        )
        relevants = [relevant(batch, directory) for batch in batches]
        entities = set[int]().union(*(one.entities for one in relevants))
        found: dict[int, list[tuple[Event, Known]]] = defaultdict(list)
        places = count()
        for batch, one in zip(batches, relevants, strict=True) if entities else ():
            for event in events_of(batch, one, directory, entities):
                known = directory.known(event.entity_key)
                assert known is not None
                event.place = next(places)
                found[event.entity_key].append((event, known))
        return found

    def _hits(self, moment: Moment, known: Known, now_us: int) -> list[_Hit]:
        at_us, before = moment.event.at_us, moment.before()
        names = {row.name for rows in (moment.changed, moment.gone) for row in rows.values()}
        hits = []
        for one in known.watchers(None if moment.event.operation else names, before):
            if at_us < one.since_us or (one.ends_at_us is not None and one.ends_at_us <= now_us):
                continue
            told = one.fires(moment)
            if told is None:
                continue
            if one.holds(before):
                hits.append(_Hit(one, moment, told, moment.event.entity_key))
        return hits

    async def _asked(self, hits: list[_Hit]) -> list[_Hit]:
        """Those of them whose question the database answers with yes."""
        asking: dict[int, list[_Hit]] = defaultdict(list)
        for hit in hits:
            if hit.subscription.question is not None:
                asking[hit.subscription.key].append(hit)
        refused: set[int] = set()
        for own in asking.values():
            holding = await self._holding(own[0].subscription, {hit.moment.entity.id for hit in own})
            refused.update(id(hit) for hit in own if hit.entity_key not in holding)
        return [hit for hit in hits if id(hit) not in refused] if refused else hits

    async def _holding(self, subscription: Subscribed, ids: set[str]) -> set[int]:
        """The keys of those entities of which a subscription's question holds."""
        assert subscription.question is not None
        found: set[int] = set()
        wanted = sorted(ids)
        for begin in range(0, len(wanted), MAX_LIMIT):
            some = tuple(wanted[begin : begin + MAX_LIMIT])
            selection = replace(subscription.question, selectors=(Selector(ids=some),), limit=len(some))
            try:
                found.update((await self._search.page(selection)).keys)
            except (TooMany, InvalidQuery) as error:
                _logger.warning("%s is not told of a change: %s", subscription.id, error)
        return found

    async def _shown(self, hits: Sequence[_Hit]) -> list[Told]:
        told = []
        bodies: dict[tuple[int, int, frozenset[int]], str] = {}
        for hit in hits:
            told_of = hit.told if hit.moment.gone else _NOTHING_TOLD
            key = (id(hit.moment), id(hit.subscription.look), told_of)
            body = bodies.get(key)
            if body is None:
                body = bodies[key] = await self._body(hit, told_of)
            told.append(Told(hit.subscription, hit.moment.entity.id, body))
        return told

    async def _body(self, hit: _Hit, told: frozenset[int]) -> str:
        look = hit.subscription.look
        if look.join is not None:
            try:
                return await look.joined(hit.moment, told, self._reader)
            except BroadstreetError as error:
                # What it links to is too much for one answer: then it is told without.
                _logger.warning("%s is told of %s alone: %s", hit.subscription.id, hit.moment.entity.id, error)
        return look.body(hit.moment, told)
