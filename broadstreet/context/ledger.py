"""Writing decisions down, any number of entities in one transaction: see writing.py for what happens within it.

Two writers of one entity wait for each other; where they meet at its creation, or wait for each other in a ring, one of
them looks again and decides again, which is why a decision is a function.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg

from broadstreet.access import Principal
from broadstreet.context.decision import Decision
from broadstreet.context.meta import Metas
from broadstreet.context.transience import Ends
from broadstreet.context.writing import Decide, RaceLost, Writing
from broadstreet.model.errors import Conflict
from broadstreet.store import Database, Terms

ATTEMPTS: Final = 5


class Ledger:
    """Writes for one tenant."""

    def __init__(self, database: Database, terms: Terms, metas: Metas, ends: Ends | None = None) -> None:
        """ends: told of what is written that has an end."""
        self._database = database
        self._terms = terms
        self._metas = metas
        self._ends = ends

    async def write(
        self,
        principal: Principal,
        at_us: int,
        ids: Sequence[str],
        iris: Iterable[str],
        decide: Decide,
        names: Sequence[str] | None = None,
        *,
        reaps: bool = False,
    ) -> Sequence[Decision]:
        """Load the entities of these ids, decide, write; answers the decisions.

        iris: every name and type a decision may bring in. names: IRIs of the attributes a decision is about; None for
        all. reaps: whether what has ended is still there to be decided on. Raises what `decide` raises, and Conflict
        where others keep coming between.
        """
        keys = await self._terms.intern(iris)
        wanted = None if names is None else sorted({keys[name] for name in names})
        for _ in range(ATTEMPTS):
            try:
                async with self._database.transaction() as connection:
                    writing = Writing(connection, self._terms, self._metas, keys, at_us, reaps=reaps)
                    decided = await writing.run(principal, ids, wanted, decide)
            except (RaceLost, asyncpg.DeadlockDetectedError):
                continue
            if self._ends is not None and writing.next_end_us is not None:
                self._ends.expect(writing.next_end_us)
            return decided
        raise Conflict("others keep changing the same entities", remedy="Try again in a moment.")
