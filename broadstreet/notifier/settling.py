"""How deliveries went, written down: what was delivered waits no longer, and the subscription's counters move.

Everything that is known by then goes into one transaction, and while it is written more comes together. What was
delivered and not yet written down when the house is killed is delivered again: at least once, never less.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import asyncpg

from broadstreet.store import Database, load_queries

_SQL = load_queries("notifier")
MAX_FAILURE_LENGTH: Final = 500
COLUMNS: Final = 8


@dataclass(slots=True)
class _Tally:
    sent: int = 0
    failed: int = 0
    dropped: int = 0
    at_us: int | None = None
    success_at_us: int | None = None
    failure_at_us: int | None = None
    failure: str | None = None


class Settler:
    """Writes outcomes down, for one tenant."""

    def __init__(self, database: Database) -> None:
        self.has_failed = False
        """Whether writing failed, since whoever begins anew said that it is forgotten."""
        self._database = database
        self._tallies: dict[int, _Tally] = {}
        self._keys: list[int] = []
        self._has_some = asyncio.Event()
        self._turn = asyncio.Lock()

    def succeeded(self, subscription_key: int, keys: Sequence[int], at_us: int) -> None:
        """A notification was taken. keys: of what it held."""
        tally = self._tally(subscription_key)
        tally.sent += 1
        tally.at_us = tally.success_at_us = at_us
        self._keys += keys

    def failed(self, subscription_key: int, at_us: int, failure: str) -> None:
        """A notification was not taken."""
        tally = self._tally(subscription_key)
        tally.sent += 1
        tally.failed += 1
        tally.at_us = tally.failure_at_us = at_us
        tally.failure = failure[:MAX_FAILURE_LENGTH].replace("\x00", "")

    def dropped(self, subscription_key: int, count: int, keys: Sequence[int] = ()) -> None:
        """Entities were given up. keys: of those that still wait."""
        self._tally(subscription_key).dropped += count
        self._keys += keys

    def superseded(self, keys: Sequence[int]) -> None:
        """Newer ones wait in their place."""
        if keys:
            self._keys += keys
            self._has_some.set()

    async def run(self) -> None:
        """Write down until cancelled, or until something fails: then run again, and nothing is forgotten."""
        while True:
            await self._has_some.wait()
            await self.settle()

    async def settle(self) -> None:
        """Write down what is known by now."""
        is_written = False
        try:
            while not is_written:
                # Where a subscription was removed meanwhile, it is seen the next time that it is there no more.
                with suppress(asyncpg.ForeignKeyViolationError):
                    async with self._turn:
                        await self._settle()
                    is_written = True
        finally:
            self.has_failed = self.has_failed or not is_written

    async def forget(self, subscription_keys: Sequence[int]) -> None:
        """Nothing waits for these any more. Not while outcomes are written down: two who delete the same rows may wait
        for each other."""
        async with self._turn:
            await self._database.execute(_SQL["forget"], subscription_keys)

    async def _settle(self) -> None:
        self._has_some.clear()
        keys, tallies = self._keys, self._tallies
        self._keys, self._tallies = [], {}
        is_written = False
        try:
            if keys or tallies:
                await self._database.execute(_SQL["settle"], keys, *_columns(tallies))
            is_written = True
        finally:
            if not is_written:
                self._keys = keys + self._keys
                for key, later in self._tallies.items():
                    tallies[key] = _sum(tallies[key], later) if key in tallies else later
                self._tallies = tallies
                self._has_some.set()

    def _tally(self, subscription_key: int) -> _Tally:
        self._has_some.set()
        return self._tallies.setdefault(subscription_key, _Tally())


def _columns(tallies: dict[int, _Tally]) -> list[list[object]]:
    """In the order of keys, so that two writers never wait for each other in a ring."""
    rows = [
        (key, one.sent, one.failed, one.dropped, one.at_us, one.success_at_us, one.failure_at_us, one.failure)
        for key, one in sorted(tallies.items())
    ]
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(COLUMNS)]


def _sum(first: _Tally, later: _Tally) -> _Tally:
    return _Tally(
        first.sent + later.sent,
        first.failed + later.failed,
        first.dropped + later.dropped,
        later.at_us or first.at_us,
        later.success_at_us or first.success_at_us,
        later.failure_at_us or first.failure_at_us,
        later.failure or first.failure,
    )
