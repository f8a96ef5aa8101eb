"""One partition of one tenant: read packs from behind the cursor, apply them, trim the log below it.

The loop holds no state that matters: what it remembers of attributes is checked as it is used. Whatever goes wrong, it
starts again from the cursor in PostgreSQL, having looked whether that still counts in the log that is there.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from broadstreet.log import Log, Pack, RawMessage
from broadstreet.log.raw import RawStream
from broadstreet.model.errors import EngineFailed
from broadstreet.recorder.applying import (
    AlreadyThere,
    Applied,
    Applying,
    CursorMoved,
    PacksRepeated,
    Place,
    RegistryMoved,
)
from broadstreet.recorder.batch import Batch, Heard, gather, open_packs
from broadstreet.recorder.beginning import Beginning, Cursor
from broadstreet.recorder.memory import Memory
from broadstreet.recorder.meter import Meter
from broadstreet.recorder.once import MessagesRepeated, Repeated, forget_once, without
from broadstreet.recorder.plan import Plans
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

MAX_PACKS = 256
"""Packs in one transaction at most."""
MAX_MESSAGES = 40_000
"""Messages after which a transaction takes no further pack."""
PACE_S = 0.4
"""The longest pause from the beginning of one transaction to that of the next."""
PACE_FACTOR_S = 0.0063
"""The pause after a transaction of one message; it grows with the square root of their number. So it is proportional to
the rate: 40 ms at 1,000 messages a second, PACE_S from 10,000 on. Under load each series' current value is then written
a few times a second and not with every pack, which halves the work."""
WAIT_S = 5.0
"""How long a reader waits for a pack before it asks again."""
TRIM_EVERY_S = 10.0
FORGET_EVERY_S = 3600.0
MAX_ATTEMPTS = 20
_SQL = load_queries("recorder")
_logger = logging.getLogger(__name__)


class Partition:
    """Applies one partition. `clock` gives now, in microseconds since 1970."""

    def __init__(
        self,
        log: Log,
        database: Database,
        control: Database,
        plans: Plans,
        partition: int,
        *,
        meter: Meter,
        clock: Callable[[], int],
        future_limit_s: float,
        keep_bytes: int,
    ) -> None:
        self._log = log
        self._database = database
        self._plans = plans
        self._partition = partition
        self._meter = meter
        self._clock = clock
        self._future_limit_us = int(future_limit_s * 1_000_000)
        self._keep_bytes = keep_bytes
        self._label = f"{database.name}.{partition}"
        self._beginning = Beginning(log, database, control, partition)
        self._raw = RawStream(log)
        self._memory = Memory()
        self._applied = 0
        """Messages, since the process started."""

    async def run(self) -> None:
        """Apply until cancelled, or until something fails: then run again."""
        await self._plans.refresh()
        self._memory.forget()
        cursor = await self._beginning.find(self._clock())
        stream, after = cursor
        trimmed_at, forgot_at = self._clock(), 0
        async with self._log.read_raw(self._database.name, self._partition, after) as reader:
            held: list[RawMessage] = []
            while True:
                messages = held or await reader.fetch(MAX_PACKS, WAIT_S)
                if not messages:
                    await self._check_stream(stream)
                else:
                    began_us, before = self._clock(), self._applied
                    cursor, held = await self._apply(stream, cursor, messages)
                    if not held:
                        pause_s = min(PACE_S, PACE_FACTOR_S * math.sqrt(self._applied - before))
                        await asyncio.sleep(pause_s - (self._clock() - began_us) / 1_000_000)
                if self._clock() - trimmed_at > TRIM_EVERY_S * 1_000_000:
                    trimmed_at = self._clock()
                    await self._trim(cursor[1])
                if self._clock() - forgot_at > FORGET_EVERY_S * 1_000_000:
                    forgot_at = self._clock()
                    await forget_once(self._database, forgot_at)

    async def _check_stream(self, stream: str) -> None:
        """A reader of a stream that was recreated would wait for ever."""
        if await self._log.raw_incarnation() != stream:
            raise EngineFailed("the log was made anew")

    async def _apply(self, stream: str, cursor: Cursor, messages: list[RawMessage]) -> tuple[Cursor, list[RawMessage]]:
        """Apply as many of these messages as one transaction takes; answers the cursor and the messages left over."""
        packs, dead = open_packs(self._database.name, messages, self._clock())
        taken = _take(packs)
        last = messages[-1].sequence if taken == len(packs) else packs[taken][0] - 1
        left = [message for message in messages if message.sequence > last]
        packs = packs[:taken]
        if packs:
            self._meter.begin(self._label, next((pack.received_us[0] for _, pack in packs if len(pack)), self._clock()))
        repeated: set[bytes] = set()
        left_out: Repeated = {}
        carefully = False
        for attempt in range(MAX_ATTEMPTS):
            fresh = _without(packs, repeated)
            opened = [without(pack, left_out) for _, pack in fresh]
            plans = await self._plans.load(key for pack in opened for key in pack.device)
            version = self._plans.version
            now_us = self._clock()
            gathered = gather(opened, plans, now_us=now_us, future_limit_us=self._future_limit_us)
            gathered.dead += [letter for letter in dead if letter.entry <= last]
            batch, heard = Batch.of(gathered), Heard.of(opened, plans)
            try:
                async with self._database.transaction() as connection:
                    applying = Applying(connection, self._memory, self._database.name, now_us)
                    place = Place(self._partition, stream, cursor, last, left_out)
                    applied = await applying.apply(
                        place, fresh, batch, heard, gathered.dead, gathered.answers, version, carefully=carefully
                    )
                applying.committed()
                self._count(applied, fresh, attempt)
                self._meter.finish(self._label, self._clock())
                return Cursor(stream, last), left
            except RegistryMoved:
                await self._plans.refresh()
            except PacksRepeated as error:
                repeated |= error.ids
            except MessagesRepeated as error:
                left_out = error.repeated
            except AlreadyThere:
                carefully = True
            except CursorMoved as error:
                raise EngineFailed("another recorder applies this partition", where=self._label) from error
        raise EngineFailed(f"a batch was not applied in {MAX_ATTEMPTS} attempts", where=self._label)

    def _count(self, applied: Applied, packs: list[tuple[int, Pack]], retries: int) -> None:
        meter = self._meter
        messages = sum(len(pack) for _, pack in packs)
        self._applied += messages
        meter.messages += messages
        meter.readings += applied.applied
        meter.repeated += applied.repeated
        meter.corrected += applied.corrected
        meter.dead += applied.dead
        meter.packs += len(packs)
        meter.transactions += 1
        meter.retries += retries

    async def _trim(self, applied: int) -> None:
        """Drop the oldest quarter of the log's span, up to what is applied, when it holds more than it is to keep."""
        info = await self._log.stream_info("RAW")
        if info.state.bytes > self._keep_bytes:
            quarter = info.state.first_seq + (info.state.last_seq - info.state.first_seq) // 4 + 1
            await self._raw.trim(self._database.name, self._partition, min(applied + 1, quarter))


def _take(packs: list[tuple[int, Pack]]) -> int:
    """How many of the packs go into one transaction: at least one, and none after MAX_MESSAGES."""
    count = 0
    for index, (_, pack) in enumerate(packs):
        count += len(pack)
        if count >= MAX_MESSAGES:
            return index + 1
    return len(packs)


def _without(packs: list[tuple[int, Pack]], repeated: set[bytes]) -> list[tuple[int, Pack]]:
    """The packs whose id was not applied before, each id once."""
    seen = set(repeated)
    fresh = []
    for sequence, pack in packs:
        if pack.id not in seen:
            seen.add(pack.id)
            fresh.append((sequence, pack))
    return fresh
