"""What is kept of one tenant, or of a part of one that somebody sees, while the process runs; and what works on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from broadstreet.context.discovery import Discovery
from broadstreet.context.erasing import Eraser
from broadstreet.context.evolution import Historian
from broadstreet.context.ledger import Ledger
from broadstreet.context.meta import Metas
from broadstreet.context.reading import Reader
from broadstreet.context.rendering import Renderings
from broadstreet.context.search import Search
from broadstreet.context.transience import Ends
from broadstreet.store import Database, Terms


@dataclass(frozen=True)
class KnownTenant:
    """What is kept of one tenant, or of a part of one that somebody sees, while the process runs."""

    database: Database
    terms: Terms
    metas: Metas
    ends: Ends
    renderings: Renderings = field(default_factory=Renderings)

    async def reader(self) -> Reader:
        return Reader(self.database, self.terms, self.metas, await self.ends.overdue())

    async def search(self) -> Search:
        return Search(self.database, self.terms, await self.ends.overdue())

    @property
    def historian(self) -> Historian:
        return Historian(self.database, self.terms, self.metas, self.ends.now())

    @property
    def eraser(self) -> Eraser:
        return Eraser(self.database)

    async def discovery(self) -> Discovery:
        return Discovery(self.database, self.terms, await self.ends.overdue())

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.database, self.terms, self.metas, self.ends)
