"""Entities as they are now, read from the store: one query an entity, two a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    async def _know(self, rows: Iterable[asyncpg.Record]) -> None:
        """Look up the names and sub-attributes that are not known yet; mostly there are none."""
        terms = {row["term_key"] for row in rows}
        terms.discard(None)
        await self._terms.iris(terms.union(*(row["types"] for row in rows)))
        await self._metas.learn(self._database, {row["meta_key"] for row in rows})

    def _entity(self, rows: Sequence[asyncpg.Record]) -> EntityRow:
        first = rows[0]
        attributes = [self._attribute(row) for row in rows if row["series_key"] is not None]
        return EntityRow(
            id=first["id"],
            types=[self._iri(key) for key in first["types"]],
            scopes=first["scopes"],
            created_at_us=first["created_at"],
            modified_at_us=max([first["modified_at"], *(one.modified_at_us for one in attributes)]),
            attributes=attributes,
        )

    def _attribute(self, row: Any) -> AttributeRow:
        return AttributeRow(
            name=self._iri(row["term_key"]),
            dataset_id=row["dataset_id"],
            kind=_KINDS[row["kind"]],
            number=row["number"],
            value=row["value"],
            meta=self._metas.body(row["meta_key"]) or _NO_META,
            observed_at_us=row["observed_at"],
            created_at_us=row["attribute_created_at"],
            modified_at_us=row["attribute_modified_at"],
        )

    def _iri(self, key: int) -> str:
        iri = self._terms.iri(key)
        assert iri is not None, "every key was looked up before"
        return iri
