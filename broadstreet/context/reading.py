"""Entities as they are now, read from the store: one query an entity, two a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from broadstreet.context.meta import Metas
from broadstreet.context.representation import AttributeRow, EntityRow
from broadstreet.context.transience import lasting
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

    def __init__(self, database: Database, terms: Terms, metas: Metas, overdue_us: int | None = None) -> None:
        """overdue_us: now, where something may have ended that is to be left out."""
        self._database = database
        self._terms = terms
        self._metas = metas
        self._overdue_us = overdue_us

    async def entity(self, entity_id: str, *, with_times: bool = False) -> EntityRow:
        """An entity by its id. with_times: whether attributes' createdAt and modifiedAt are wanted. Raises NotFound."""
        rows = await self._database.fetch(_SQL["entity"], entity_id, with_times)
        found = await self._entities(rows)
        if not found:
            raise NotFound(f"there is no entity {entity_id[:200]}", where="id")
        return found[0]

    async def entities(self, keys: Sequence[int], *, with_times: bool = False) -> list[EntityRow]:
        """Entities by their keys, in that order; one that is gone meanwhile is left out."""
        if not keys:
            return []
        return await self._entities(await self._database.fetch(_SQL["entities"], list(keys), with_times))

    async def named(self, ids: Sequence[str], *, with_times: bool = False) -> list[EntityRow]:
        """Those of these ids that are there, in no order."""
        rows = await self._database.fetch(_SQL["named"], list(ids))
        return await self.entities([row["key"] for row in rows], with_times=with_times)

    async def _entities(self, rows: Sequence[asyncpg.Record]) -> list[EntityRow]:
        """Entities from their rows; the first of each says what it is."""
        await self._know(rows)
        entities: list[EntityRow] = []
        for row in rows:
            if row["key"] is not None:
                types = [self._iri(key) for key in row["types"]]
                times = row["created_at"], row["modified_at"]
                entities.append(EntityRow(row["id"], types, row["scopes"], *times, [], row["expires_at"]))
            if row["series_key"] is not None:
                attribute = self._attribute(row)
                entity = entities[-1]
                entity.attributes.append(attribute)
                entity.modified_at_us = max(entity.modified_at_us, attribute.modified_at_us)
        return entities if self._overdue_us is None else _lasting(entities, self._overdue_us)

    async def _know(self, rows: Sequence[asyncpg.Record]) -> None:
        """Look up the names and sub-attributes that are not known yet; mostly there are none."""
        keys = {row["term_key"] for row in rows}.union(*[row["types"] for row in rows if row["types"] is not None])
        keys.discard(None)
        if None in map(self._terms.iri, keys):
            await self._terms.iris(keys)
        metas = {row["meta_key"] for row in rows}
        if None in map(self._metas.body, metas):
            await self._metas.learn(self._database, metas)

    def _attribute(self, row: Any) -> AttributeRow:
        return AttributeRow(
            self._iri(row["term_key"]),
            row["dataset_id"],
            _KINDS[row["kind"]],
            row["number"],
            row["value"],
            self._metas.body(row["meta_key"]) or _NO_META,
            row["observed_at"],
            row["attribute_created_at"] or 0,
            row["attribute_modified_at"] or 0,
        )

    def _iri(self, key: int) -> str:
        iri = self._terms.iri(key)
        assert iri is not None, "every key was looked up before"
        return iri


def _lasting(entities: Sequence[EntityRow], at_us: int) -> list[EntityRow]:
    """What has not ended of entities."""
    found = [one for one in entities if one.expires_at_us is None or one.expires_at_us > at_us]
    for entity in found:
        metas = [(one, lasting(one.meta, at_us)) for one in entity.attributes]
        entity.attributes = [msgspec.structs.replace(one, meta=meta) for one, meta in metas if meta is not None]
    return found
