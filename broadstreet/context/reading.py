"""Entities as they are now, read from the store: one query an entity, two a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from broadstreet.context.meta import Metas
from broadstreet.context.representation import AttributeRow, EntityRow
from broadstreet.model.entity import Kind, Meta
from broadstreet.model.errors import NotFound
from broadstreet.store import Database, Terms, load_queries

if TYPE_CHECKING:
    import asyncpg

_SQL = load_queries("entity")
_KINDS = {int(kind): kind for kind in Kind}
_NO_META: Meta = {}


class Reader:
    """Reads for one tenant."""

    def __init__(self, database: Database, terms: Terms, metas: Metas) -> None:
        self._database = database
        self._terms = terms
        self._metas = metas

    async def entity(self, entity_id: str) -> EntityRow:
        """An entity by its id. Raises NotFound."""
        rows = await self._database.fetch(_SQL["entity"], entity_id)
        if not rows:
            raise NotFound(f"there is no entity {entity_id[:200]}", where="id")
        await self._know(rows)
        return self._entity(rows)

    async def entities(self, keys: Sequence[int]) -> list[EntityRow]:
        """Entities by their keys, in that order; one that is gone meanwhile is left out."""
        if not keys:
            return []
        rows = await self._database.fetch(_SQL["entities"], list(keys))
        await self._know(rows)
        grouped: dict[int, list[asyncpg.Record]] = {}
        for row in rows:
            grouped.setdefault(row["key"], []).append(row)
        return [self._entity(grouped[key]) for key in keys if key in grouped]

    async def _know(self, rows: Sequence[asyncpg.Record]) -> None:
        """Look up the names and sub-attributes that are not known yet; mostly there are none."""
        keys = {row["term_key"] for row in rows}.union(*[row["types"] for row in rows])
        keys.discard(None)
        if None in map(self._terms.iri, keys):
            await self._terms.iris(keys)
        metas = {row["meta_key"] for row in rows}
        if None in map(self._metas.body, metas):
            await self._metas.learn(self._database, metas)

    def _entity(self, rows: Sequence[asyncpg.Record]) -> EntityRow:
        first = rows[0]
        attributes = [self._attribute(row) for row in rows if row["series_key"] is not None]
        modified_at_us = max([first["modified_at"], *[one.modified_at_us for one in attributes]])
        types = [self._iri(key) for key in first["types"]]
        return EntityRow(first["id"], types, first["scopes"], first["created_at"], modified_at_us, attributes)

    def _attribute(self, row: Any) -> AttributeRow:
        return AttributeRow(
            self._iri(row["term_key"]),
            row["dataset_id"],
            _KINDS[row["kind"]],
            row["number"],
            row["value"],
            self._metas.body(row["meta_key"]) or _NO_META,
            row["observed_at"],
            row["attribute_created_at"],
            row["attribute_modified_at"],
        )

    def _iri(self, key: int) -> str:
        iri = self._terms.iri(key)
        assert iri is not None, "every key was looked up before"
        return iri
