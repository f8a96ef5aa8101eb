"""What is kept of one tenant, or of a part of one that somebody sees, while the process runs; and what works on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cached_property

from broadstreet.context.bounds import MAX_BATCHES_AT_ONCE
from broadstreet.context.discovery import Discovery
from broadstreet.context.erasing import Eraser
from broadstreet.context.evolution import Historian
from broadstreet.context.gathering import Gathering
from broadstreet.context.ledger import Ledger
from broadstreet.context.meta import Metas
from broadstreet.context.reading import Reader
from broadstreet.context.rendering import Renderings
from broadstreet.context.representation import Presentation
from broadstreet.context.search import Search
from broadstreet.context.selection import Selection
from broadstreet.context.shelf import Shelf
from broadstreet.context.transience import Ends
from broadstreet.context.written_search import WrittenPage, WrittenSearch
from broadstreet.store import Database, Terms


@dataclass
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

    async def written(self, selection: Selection, presentation: Presentation, shelf: Shelf) -> WrittenPage | None:
        """What matches as JSON texts; None where that takes to look at each attribute. shelf: asked where the tenant is
        seen as it is, and nothing has ended that is there still. Raises InvalidQuery, TooMany."""
        rendering = self.renderings.of(presentation)
        if rendering is None:
            return None
        overdue_us = await self.ends.overdue()
        search = Search(self.database, self.terms, overdue_us)
        reader = Reader(self.database, self.terms, self.metas, overdue_us)
        is_as_stamped = self.database.is_whole and overdue_us is None
        return await WrittenSearch(search, reader, rendering, shelf if is_as_stamped else None).page(selection)

    @property
    def historian(self) -> Historian:
        return Historian(self.database, self.terms, self.metas, self.ends.now())

    @property
    def eraser(self) -> Eraser:
        return Eraser(self.database)

    async def discovery(self) -> Discovery:
        return Discovery(self.database, self.terms, await self.ends.overdue())

    @cached_property
    def batches(self) -> asyncio.Semaphore:
        """Held by each batch while it is written: others wait here, and not for the connections that small requests
        need."""
        return asyncio.Semaphore(MAX_BATCHES_AT_ONCE)

    @cached_property
    def gathering(self) -> Gathering:
        """Writes of single entities."""
        return Gathering(self.ledger)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.database, self.terms, self.metas, self.ends)
