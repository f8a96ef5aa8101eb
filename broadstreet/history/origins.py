"""Forgetting what wrote, once that is long ago: a row for each pack of readings that ever came grows without end.

What points at an origin are observations and current values. Where nothing older than a moment is left in the table,
its observations point at packs that came after it, since no reading is taken from the future; so, but for what is
current, packs from before are pointed at by files alone, which go on without them. Origins of people, programs, imports
and simulators stay: they are few, and what they say of a value must not be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broadstreet.model.clock import MIN_US
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Database

PAGE: Final = 20_000
"""How many are forgotten in one statement."""

_SQL = load_queries("retention")
_PAST_SQL = load_queries("past")


async def forget_origins(database: Database, before_us: int, ahead_us: int) -> int:
    """Forget packs that were written before a moment; answers how many.

    ahead_us: how far ahead of its pack a reading may be. Nothing is forgotten while the table holds older observations.
    """
    if await database.fetchval(_PAST_SQL["oldest_before"], before_us + ahead_us) is not None:
        return 0
    current = {row["origin_key"] for row in await database.fetch(_SQL["current_origins"])}
    forgotten, last = 0, (MIN_US, 0)
    while rows := await database.fetch(_SQL["old_origins"], before_us, *last, PAGE):
        last = rows[-1]["at"], rows[-1]["key"]
        keys = [row["key"] for row in rows if row["key"] not in current]
        await database.execute(_SQL["forget_origins"], keys)
        forgotten += len(keys)
    return forgotten
