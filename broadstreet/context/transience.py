"""What has an end (expiresAt, 4.22 of the standard): entities, attributes, sub-attributes.

An entity's end stands in its row, an attribute's among its sub-attributes, so that each observation has its own; the
table `transient` says which attributes have one. What has ended is deleted by the house (reaping.py). Until it has
been, reads leave it out: they know from `Ends` whether there is any such thing; if not, they are as they always were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from broadstreet.model.clock import MIN_US, US_PER_S, parse_rfc3339
from broadstreet.model.entity import Meta
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

END: Final = "expiresAt"
"""Under which an end stands among sub-attributes."""
ASK_AFTER_US: Final = US_PER_S
"""How long an answer of the database about the next end is believed; another process may set one meanwhile."""
_SQL = load_queries("transient")


class Ends:
    """When the next thing of one tenant ends, as far as this process knows."""

    def __init__(self, database: Database, clock: Callable[[], int] | None) -> None:
        """clock: now, in microseconds since 1970; None: what has ended is there until it is deleted."""
        self._database = database
        self._clock = clock
        self._asked_us = MIN_US
        self._next_us: int | None = None

    def expect(self, at_us: int) -> None:
        """Something will end then."""
        self._next_us = at_us if self._next_us is None else min(at_us, self._next_us)

    def now(self) -> int | None:
        """Now, where somebody asks."""
        return None if self._clock is None else self._clock()

    async def overdue(self) -> int | None:
        """Now, where something has ended that is not deleted yet; None where nothing has."""
        if self._clock is None:
            return None
        now_us = self._clock()
        if abs(now_us - self._asked_us) >= ASK_AFTER_US:
            self._asked_us, self._next_us = now_us, await self._database.fetchval(_SQL["next"])
        return now_us if self._next_us is not None and self._next_us <= now_us else None


def end_of(meta: Meta) -> int | None:
    """When an attribute with these sub-attributes ends; None: never."""
    text = meta.get(END)
    return None if text is None else parse_rfc3339(text, END)


def next_end(meta: Meta) -> int | None:
    """When the first of an attribute and its sub-attributes ends; None: none does."""
    ends = [end for part in meta.values() for end in _ends_within(part)]
    own = end_of(meta)
    return min(ends if own is None else [own, *ends], default=None)


async def keep_ends(
    connection: Connection, written: Sequence[tuple[int, int, Meta]], before: Sequence[tuple[int, Meta]]
) -> int | None:
    """Write down when attributes end. written: series, entity and sub-attributes of those that are set; before: series
    and sub-attributes of those that were replaced or deleted. Answers when the first one ends."""
    ending = [
        (series, entity, end_of(meta), end) for series, entity, meta in written if (end := next_end(meta)) is not None
    ]
    if ending:
        await connection.execute(_SQL["keep"], *(list(column) for column in zip(*ending, strict=True)))
    stay = {series for series, *_ in ending}
    released = [series for series, meta in before if series not in stay and next_end(meta) is not None]
    if released:
        await connection.execute(_SQL["release"], released)
    return min((first for *_, first in ending), default=None)


def _ends_within(part: Any) -> list[int]:
    if isinstance(part, list):
        return [end for one in part for end in _ends_within(one)]
    end = next_end(part) if isinstance(part, dict) and "type" in part else None
    return [] if end is None else [end]


def lasting(meta: Meta, at_us: int) -> Meta | None:
    """What has not ended of sub-attributes, the same where nothing has; None where the whole attribute has."""
    first = next_end(meta)
    if first is None or first > at_us:
        return meta
    own = end_of(meta)
    if own is not None and own <= at_us:
        return None
    kept: Meta = {}
    for name, part in meta.items():
        several = part if isinstance(part, list) else [part]
        left = [one for one in (_lasting_part(one, at_us) for one in several) if one is not None]
        if left:
            kept[name] = left if isinstance(part, list) else left[0]
    return kept


def _lasting_part(part: Any, at_us: int) -> Any:
    return lasting(part, at_us) if isinstance(part, dict) and "type" in part else part


def there(query: str, parameter: int) -> str:
    """A query that looks at what is there (`a.deleted_at IS NULL`, `e.deleted_at IS NULL`), asked to leave out what has
    ended. parameter: the number of the one that says now."""
    return query.replace("a.deleted_at IS NULL", f"a.deleted_at IS NULL AND {attribute_lasts('a', parameter)}").replace(
        "e.deleted_at IS NULL", f"e.deleted_at IS NULL AND {entity_lasts(parameter)}"
    )


def attribute_lasts(alias: str, parameter: int) -> str:
    """A condition on a table with series keys."""
    return f"{alias}.series_key NOT IN ({_SQL['series'].replace('$1', f'${parameter}')})"


def entity_lasts(parameter: int) -> str:
    """A condition on `entity e`."""
    return f"(e.expires_at IS NULL OR e.expires_at > ${parameter})"
