"""One tenant's city as the portal keeps it: its roster, its bars, and the pages that watch it live.

The roster is read when it is asked for and older than a moment, by one reader for all who ask; the costlier it was to
read, the longer it is kept. While pages watch, the stream of changes moves it on instead, every two seconds the
devices' table says who fell silent, who speaks again and who is new, and once a minute it is read whole.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

import asyncpg
import nats.errors

from broadstreet.log import Log
from broadstreet.log.ending import side_by_side
from broadstreet.model.change import ChangeBatch, Flag, decode_changes
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import BroadstreetError, CorruptData, EngineFailed
from broadstreet.portal.bars import Bars, read_bars
from broadstreet.portal.dead import Rejected, letter_view
from broadstreet.portal.findings import Answer, city_answer
from broadstreet.portal.live import Clients
from broadstreet.portal.roster import IMPORT, Roster, RosterLoader
from broadstreet.portal.selection import Selection
from broadstreet.portal.sensor import Undecodable
from broadstreet.portal.silence import outages
from broadstreet.portal.snapshot import CityView, city_view, sensor_view, time_of
from broadstreet.portal.vitals import Vitals
from broadstreet.store import Database, Store

FRESH_US: Final = US_PER_S
COST_FACTOR: Final = 10
MAX_FRESH_US: Final = 30 * US_PER_S
"""The roster is kept COST_FACTOR times as long as it took to read: a second at least, and MAX_FRESH_US at most. One in
which nobody is yet is kept a second."""
BATCH_S: Final = 0.5
TICK_S: Final = 2.0
ANSWER_EVERY_TICKS: Final = 5
RELOAD_EVERY_TICKS: Final = 30
RETRY_S: Final = 1.0
MAX_DEAD: Final = 200
"""Dead letters looked through for why a device's messages could not be decoded."""
EXPECTED: Final = (BroadstreetError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error)
"""What the engines may answer with, sooner or later: what needed them is tried again."""
_log = logging.getLogger(__name__)

Item = tuple[str, str, Any, int, bool]
"""A reading of the live stream: entity id, attribute, value, observed_at_ms, beyond."""


class Town:
    """`run` serves the pages that watch; everything else may be asked without it."""

    def __init__(
        self,
        store: Store,
        log: Log,
        database: Database,
        vitals: Vitals,
        clock: Callable[[], int],
        zone: Callable[[], tzinfo],
    ) -> None:
        """zone: answers the city's time zone, in which its sentences tell the time."""
        self.tenant = database.name
        self.database = database
        self.loader = RosterLoader(store, database)
        self.clients = Clients()
        self.zone = zone
        self._log = log
        self._vitals = vitals
        self._clock = clock
        self._loading = asyncio.Lock()
        self._roster: Roster | None = None
        self._bars = Bars()
        self._fresh_until_us = 0
        self._is_followed = False
        """Whether changes move the roster on, so that it need not be read again to be fresh."""
        self._since_load: list[ChangeBatch] | None = None
        self._dead_count = -1
        self._dead_at_us: list[int] = []
        self._dead: dict[int, Undecodable] = {}
        self._rejected: dict[int, Rejected] = {}
        self._items: dict[int, Item] = {}
        self._titles: dict[str, str] = {}
        """New titles by entity id, which the pages are not told yet."""
        self._answer: Answer | None = None

    async def roster(self) -> Roster:
        """The roster, at most a moment old."""
        if self._is_followed and self._roster is not None:
            return self._roster
        if self._roster is None or self._clock() >= self._fresh_until_us:
            async with self._loading:
                if self._roster is None or self._clock() >= self._fresh_until_us:
                    return await self._load()
        return self._roster

    async def bars(self) -> Bars:
        """The bars, at most a minute old."""
        roster = await self.roster()
        if not self._bars.is_fresh(self._clock()):
            async with self._loading:
                if not self._bars.is_fresh(self._clock()):
                    self._bars = await read_bars(self.database, roster, self._clock())
        return self._bars

    async def view(self, selection: Selection) -> CityView:
        """The part selected of the city as it is now."""
        bars = await self.bars()
        return city_view(await self.roster(), bars, selection, self._clock(), self.zone())

    async def dead_letters(self) -> int:
        """How many dead letters there are. Where their number has changed, the newest of each device are noted."""
        number = await self._log.count_dead(self.tenant)
        if number != self._dead_count:
            letters = await self._log.dead_letters(self.tenant, MAX_DEAD)
            self._dead = {
                letter.device_key: Undecodable(letter.received_us, letter.reason, letter.detail, letter.profile)
                for letter in reversed(letters)
            }
            counted = Counter(letter.device_key for letter in letters)
            self._rejected = {
                letter.device_key: Rejected(counted[letter.device_key], number > len(letters), letter_view(letter))
                for letter in reversed(letters)
            }
            self._dead_at_us = sorted(letter.at_us for letter in letters)
            self._dead_count = number
        return number

    def rejected_of(self, device_key: int) -> Rejected | None:
        """A device's dead letters, as `dead_letters` found them last; None where it has none."""
        return self._rejected.get(device_key)

    def died_since(self, at_us: int) -> int:
        """How many letters died since a time, as far as they were looked through: at most MAX_DEAD."""
        return len(self._dead_at_us) - bisect_left(self._dead_at_us, at_us)

    async def run(self) -> None:
        """Serve the pages that watch, until cancelled. What fails is tried again."""
        while True:
            await self.clients.some.wait()
            try:
                await side_by_side(self._follow(), self._send(), self._tick(), self._until_nobody())
            except EXPECTED as error:
                _log.warning("the live view of %s: %s; again in %g s", self.tenant, error, RETRY_S)
                await asyncio.sleep(RETRY_S)
            finally:
                self._is_followed = False

    async def _until_nobody(self) -> None:
        await self.clients.none.wait()

    async def _load(self) -> Roster:
        began_us = self._clock()
        self._since_load = []
        try:
            await self.dead_letters()
            roster = await self.loader.load(self._dead)
            for batch in self._since_load:
                _apply(roster, batch)
                _rename(roster, batch)
        finally:
            self._since_load = None
        if self._roster is not None:
            roster.carry_states(self._roster)
            self._titles |= roster.titles_since(self._roster)
        now_us = self._clock()
        kept_us = min(max(FRESH_US, COST_FACTOR * (now_us - began_us)), MAX_FRESH_US)
        # A city that was just founded fills in a moment, and read it costs next to nothing.
        self._fresh_until_us = now_us + (kept_us if roster.sensors else FRESH_US)
        self._roster = roster
        return roster

    async def _follow(self) -> None:
        """Take in what changes."""
        async with self._log.live_changes(self.tenant) as bodies:
            self._fresh_until_us = 0
            await self.roster()
            self._is_followed = True
            async for body in bodies:
                try:
                    batch = decode_changes(body)
                except CorruptData as error:
                    _log.warning("a batch of changes cannot be read: %s", error)
                    continue
                if self._since_load is not None:
                    self._since_load.append(batch)
                assert self._roster is not None
                self._items |= _apply(self._roster, batch)
                self._titles |= _rename(self._roster, batch)
        raise EngineFailed("the stream of changes has ended")

    async def _send(self) -> None:
        """Send what was gathered, twice a second."""
        while True:
            await asyncio.sleep(BATCH_S)
            if self._items:
                items, self._items = list(self._items.values()), {}
                self.clients.tell("readings", {"at_ms": self._clock() // 1_000, "items": items})
            if self._titles:
                titles, self._titles = self._titles, {}
                self.clients.tell("renamed", {"items": list(titles.items())})

    async def _tick(self) -> None:
        """Every two seconds: who is new, who fell silent or speaks again, how the house does."""
        roster = await self.roster()
        roster.turned(self._clock())
        told = set(roster.sensors)
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            dead = await self.dead_letters()
            roster = await self._look_for_new(told)
            roster.hear(await self.loader.heard(), self._dead)
            now_us = self._clock()
            turned = [(s.id, s.state(now_us), time_of(s.heard_us)) for s in roster.turned(now_us)]
            if turned:
                self.clients.tell("states", {"items": turned})
            pulse = self._vitals.pulse()
            self.clients.tell(
                "system",
                {
                    "readings_per_s": pulse.readings_per_s,
                    "lag_s": pulse.lag_s,
                    "connections": pulse.connections,
                    "dead": dead,
                },
            )
            if ticks % RELOAD_EVERY_TICKS == 0:
                roster = await self._reload()  # what the stream of changes may have missed
            if ticks % ANSWER_EVERY_TICKS == 0:
                self._tell_answer(roster, now_us)

    async def _look_for_new(self, told: set[str]) -> Roster:
        """The roster, read again if something came or went; the pages are told who is new and who is gone."""
        roster = await self.roster()
        if await self.loader.fingerprint() != roster.fingerprint:
            roster = await self._reload()
        if gone := told - roster.sensors.keys():
            self.clients.tell("gone", {"items": sorted(gone)})
            told -= gone
        if new := roster.sensors.keys() - told:
            now_us, zone = self._clock(), self.zone()
            together = outages(roster.sensors.values(), now_us)
            for entity_id in sorted(new):
                sensor = roster.sensors[entity_id]
                self.clients.tell("appeared", sensor_view(sensor, together, self._bars, now_us, zone))
            told |= new
        return roster

    async def _reload(self) -> Roster:
        async with self._loading:
            return await self._load()

    def _tell_answer(self, roster: Roster, now_us: int) -> None:
        answer = city_answer(roster, outages(roster.sensors.values(), now_us), now_us, self.zone())
        if answer != self._answer:
            self._answer = answer
            self.clients.tell("answer", answer)


def _rename(roster: Roster, batch: ChangeBatch) -> dict[str, str]:
    """Take new names over; the titles that came of them, by entity id."""
    changed = zip(batch.series, batch.value, batch.flags, strict=True)
    renamed = (roster.rename(series, value) for series, value, flags in changed if flags & Flag.CURRENT)
    return {sensor.id: sensor.title for sensor in renamed if sensor is not None}


def _apply(roster: Roster, batch: ChangeBatch) -> dict[int, Item]:
    """Move the roster's values forward; the newest item of each series that is drawn."""
    items: dict[int, Item] = {}
    for series, as_of_us, value, flags in zip(batch.series, batch.as_of_us, batch.value, batch.flags, strict=True):
        if flags & Flag.CURRENT:
            found = roster.apply(series, value, as_of_us, batch.at_us, is_import=batch.kind == IMPORT)
            # What is imported is nothing heard; the pages ask for the city again when the sensor turns.
            if found is not None and batch.kind != IMPORT:
                sensor, current = found
                items[series] = (sensor.id, current.name, value, as_of_us // 1_000, current.beyond)
    return items
