"""Purging (5.6.21 of the standard): deleting all entities that a query means, or some of their attributes.

What is meant is found first and then changed a thousand entities at a time, each thousand in a transaction of its own:
whoever asks for much does not hold up everybody else. An entity that is changed meanwhile is decided on as it stands
then; one that is gone is done with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from broadstreet.context import decision
from broadstreet.context.bounds import MAX_BATCH, MAX_PURGE
from broadstreet.context.decision import Decision, Fate
from broadstreet.context.selection import Selection
from broadstreet.context.stored import StoredEntity
from broadstreet.model.errors import InvalidInput, TooMany
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.access import Principal
    from broadstreet.context.ledger import Ledger
    from broadstreet.context.search import Search

_SQL = load_queries("entity_write")


@dataclass(frozen=True)
class Rest:
    """What stays of an entity that is meant. Names are IRIs; neither given: nothing stays."""

    kept: frozenset[str] | None = None
    """These attributes stay, and the entity with them."""
    dropped: frozenset[str] | None = None
    """These attributes go, and everything else stays."""

    def __post_init__(self) -> None:
        """Raises InvalidInput for both."""
        if self.kept is not None and self.dropped is not None:
            raise InvalidInput("what is kept and what is dropped are not named together", where="keep, drop")

    def goes(self, name: str) -> bool:
        """Whether an attribute goes."""
        if self.dropped is not None:
            return name in self.dropped
        return self.kept is None or name not in self.kept

    def decide(self, stored: StoredEntity) -> Decision:
        """What becomes of an entity that is there."""
        if self.kept is None and self.dropped is None:
            return decision.delete(stored, stored.id)
        deletes = [one for one in stored.attributes.values() if one.is_there and self.goes(one.name)]
        decided = decision.kept(stored)
        decided.fate, decided.deletes = Fate.CHANGED if deletes else Fate.KEPT, deletes
        return decided


async def purge(
    principal: Principal,
    at_us: int,
    selection: Selection,
    rest: Rest,
    *,
    database: Database,
    search: Search,
    ledger: Ledger,
) -> int:
    """Purge what a selection means; answers how many entities that were.

    Raises InvalidInput for one that names no type, attribute, q or place and is not local; TooMany over MAX_PURGE.
    """
    replace(selection, scopes=None).check_narrow()
    page = await search.page(replace(selection, limit=MAX_PURGE, offset=0, counts=False))
    if page.more:
        raise TooMany(f"more than {MAX_PURGE:,} entities are meant", remedy="Name fewer, and ask again.")

    def decide(stored: Mapping[str, StoredEntity]) -> list[Decision]:
        return [rest.decide(entity) for entity in stored.values() if entity.is_there]

    for start in range(0, len(page.keys), MAX_BATCH):
        rows = await database.fetch(_SQL["ids"], page.keys[start : start + MAX_BATCH])
        await ledger.write(principal, at_us, [row["id"] for row in rows], (), decide)
    return len(page.keys)
