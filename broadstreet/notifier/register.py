"""The subscriptions of a tenant as they stand, made ready to be asked.

They are looked at anew where their epoch says that one was made, changed or removed, or where one has ended; those that
are what they were stay as they are, so that a thousand subscriptions made one after the other cost a thousand readings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from broadstreet.context import CORE, Contexts
from broadstreet.model.errors import BroadstreetError
from broadstreet.notifier.look import Look
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, load_queries

_SQL = load_queries("notifier")
_logger = logging.getLogger(__name__)


class Register:
    """One tenant's. base: the address of this house, before paths."""

    def __init__(self, database: Database, contexts: Contexts, base: str, clock: Callable[[], int]) -> None:
        self.subscriptions: tuple[Subscribed, ...] = ()
        """Those that are served, oldest first."""
        self._database = database
        self._contexts = contexts
        self._base = base
        self._clock = clock
        self._epoch: int | None = None
        self._ends_us: int | None = None
        self._made: dict[int, tuple[str, Subscribed | None]] = {}
        """By its key each subscription's row as it was read, and what was made of it; None where that is nothing."""

    def forget(self) -> None:
        """Whatever is known may be old."""
        self._epoch, self._made = None, {}

    async def refresh(self) -> bool:
        """Look whether they are others now. Nothing is taken for known until this returns."""
        epoch, now_us = await self._database.fetchval(_SQL["epoch"]), self._clock()
        if epoch == self._epoch and (self._ends_us is None or now_us < self._ends_us):
            return False
        rows = [row for row in await self._database.fetch(_SQL["register"]) if _is_served(row, now_us)]
        made = {row["key"]: self._made[row["key"]] for row in rows if self._is_known(row)}
        await self._make([row["key"] for row in rows if row["key"] not in made], made)
        self._made = made
        found = (made[row["key"]][1] for row in rows if row["key"] in made)
        self.subscriptions = tuple(one for one in found if one is not None)
        self._ends_us = min((one.ends_at_us for one in self.subscriptions if one.ends_at_us is not None), default=None)
        self._epoch = epoch
        return True

    def _is_known(self, row: Any) -> bool:
        known = self._made.get(row["key"])
        return known is not None and known[0] == row["version"]

    async def _make(self, keys: list[int], made: dict[int, tuple[str, Subscribed | None]]) -> None:
        """Read these, and make them ready."""
        if not keys:
            return
        looks = {one.look.alike: one.look for _, one in made.values() if one is not None}
        for row in await self._database.fetch(_SQL["subscriptions"], keys):
            made[row["key"]] = (row["version"], await self._subscribed(row, looks))

    async def _subscribed(self, row: Any, looks: dict[object, Look]) -> Subscribed | None:
        address: str = row["jsonld_context"]
        try:
            vocabulary = await self._contexts.vocabulary(self._database.name, address, may_fetch=True)
        except BroadstreetError as error:
            _logger.warning("%s speaks the core's @context alone: %s", row["id"], error)
            vocabulary, address = CORE, str(CORE.uri)
        shown = self._base + address if address.startswith("/") else address
        try:
            return Subscribed.of(row, vocabulary, shown, looks)
        except BroadstreetError as error:
            _logger.error("%s cannot be served: %s", row["id"], error)
            return None


def _is_served(row: Any, now_us: int) -> bool:
    return row["is_active"] and (row["expires_at"] is None or row["expires_at"] > now_us)
