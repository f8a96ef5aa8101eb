"""Entities that match, as JSON texts: those that are on the shelf are not read again.

An answer is of one moment where nothing has to be measured: if an entity changes between the asking for stamps and the
reading of what is not known, all are asked for once more, in one query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broadstreet.context.reading import Reader
from broadstreet.context.rendering import Rendering
from broadstreet.context.search import Search
from broadstreet.context.selection import Selection
from broadstreet.context.shelf import Shelf

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True)
class WrittenPage:
    """A page of entities as JSON texts. count: of all that match, where it was asked for; more: whether some follow."""

    texts: list[str]
    count: int | None
    more: bool


class WrittenSearch:
    """Finds entities of one tenant and writes them out in one form."""

    def __init__(self, search: Search, reader: Reader, rendering: Rendering, shelf: Shelf | None) -> None:
        """shelf: None where stamps do not tell states apart."""
        self._search = search
        self._reader = reader
        self._rendering = rendering
        self._shelf = shelf

    async def page(self, selection: Selection) -> WrittenPage:
        """A page of what matches. Raises InvalidQuery, TooMany."""
        shelf = self._shelf
        if selection.is_measured:
            page = await self._search.page(selection)
            if shelf is None or not shelf.is_worth_asking:
                texts = await self._texts(shelf, await self._reader.rows(page.keys))
            else:
                texts = list((await self._from(shelf, await self._reader.stamps(page.keys)))[0])
            return WrittenPage(texts, page.count, page.more)
        if shelf is not None and shelf.is_worth_asking:
            stamped = await self._search.stamped(selection)
            texts, is_of_one_moment = await self._from(shelf, stamped.rows)
            if is_of_one_moment:
                return WrittenPage(texts, stamped.count, stamped.more)
        found = await self._search.rows(selection, with_times=False)
        return WrittenPage(await self._texts(shelf, found.rows), found.count, found.more)

    async def _from(self, shelf: Shelf, stamped: Sequence[asyncpg.Record]) -> tuple[list[str], bool]:
        """The texts of these keys and stamps, read where they are not known; whether all were in that state still."""
        number = self._rendering.number
        texts = {row["key"]: shelf.get((number, row["key"]), row["stamp"] or 0) for row in stamped}
        unknown = [key for key, text in texts.items() if text is None]
        shelf.learn(len(texts) - len(unknown), len(texts))
        if not unknown:
            return [text for text in texts.values() if text is not None], True
        rows = await self._reader.rows(unknown)
        said = {row["key"]: row["stamp"] for row in stamped}
        is_of_one_moment = len(rows) == len(unknown) and all(row["stamp"] == said[row["key"]] for row in rows)
        texts |= {row["key"]: text for row, text in zip(rows, await self._written(shelf, rows), strict=True)}
        return [text for text in texts.values() if text is not None], is_of_one_moment

    async def _texts(self, shelf: Shelf | None, rows: Sequence[asyncpg.Record]) -> list[str]:
        """Entities that were read, in their order."""
        if shelf is None:
            return [self._rendering.entity(row) for row in await self._reader.shown(rows)]
        number = self._rendering.number
        texts = [shelf.get((number, row["key"]), row["stamp"] or 0) for row in rows]
        unknown = [row for row, text in zip(rows, texts, strict=True) if text is None]
        shelf.learn(len(rows) - len(unknown), len(rows))
        written = iter(await self._written(shelf, unknown))
        return [next(written) if text is None else text for text in texts]

    async def _written(self, shelf: Shelf, rows: Sequence[asyncpg.Record]) -> list[str]:
        """What was not known, which is known from now on."""
        texts = [self._rendering.entity(row) for row in await self._reader.shown(rows)]
        for row, text in zip(rows, texts, strict=True):
            shelf.put((self._rendering.number, row["key"]), row["stamp"] or 0, text)
        return texts
