"""Entities as they are now, read from the store: one query an entity, a page or a search.

An entity comes as one row, its attribute instances as columns. Most answers are made from the columns as they are
(rendering.py); whoever asks for an attribute by itself has the columns taken apart.
"""

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
from broadstreet.store.database import POSTGRES_EPOCH_US

if TYPE_CHECKING:
    import asyncpg

_SQL = load_queries("entity")
_KINDS = {int(kind): kind for kind in Kind}
_NO_META: Meta = {}
_EXACT = 2**53


class Columns:
    """The attribute instances of one entity, in the order they came: their names and sub-attributes by key, values as
    JSON text."""

    __slots__ = ("_metas", "_row", "_terms", "dataset_ids", "kinds", "meta_keys", "observed", "term_keys", "values")

    def __init__(self, row: Any, terms: Terms, metas: Metas) -> None:
        """row: of the queries `entity`, `entities` and `found`. terms and metas: they know all keys in it."""
        self._row = row
        self._terms = terms
        self._metas = metas
        self.term_keys: list[int] = row["term_keys"] or []
        self.dataset_ids: list[str] = row["dataset_ids"] or []
        self.kinds: list[int] = row["kinds"] or []
        self.meta_keys: list[int | None] = row["meta_keys"] or []
        self.values: list[str | None] = row["values"] or []
        self.observed: list[int | None] = row["observed"] or []
        """In microseconds, as PostgreSQL counts them."""

    @property
    def is_plain(self) -> bool:
        """Whether every attribute has one instance, the default one."""
        return len(set(self.term_keys)) == len(self.term_keys) and not any(self.dataset_ids)

    def name(self, term_key: int) -> str:
        """An attribute's IRI."""
        iri = self._terms.iri(term_key)
        assert iri is not None, "every key was looked up before"
        return iri

    def meta(self, key: int | None) -> Meta:
        """Sub-attributes."""
        return self._metas.body(key) or _NO_META

    def rows(self) -> list[AttributeRow]:
        """Each instance by itself."""
        nothing = [0] * len(self.term_keys)
        created, modified = self._row["attributes_created_at"], self._row["attributes_modified_at"]
        return [
            AttributeRow(
                self.name(term_key),
                dataset_id,
                (kind := _KINDS[kind_key]),
                (number := number_of(kind, value)),
                value if number is None else None,
                self.meta(meta_key),
                None if observed is None else observed + POSTGRES_EPOCH_US,
                created_at_us,
                modified_at_us,
            )
            for term_key, dataset_id, kind_key, meta_key, value, observed, created_at_us, modified_at_us in zip(
                self.term_keys,
                self.dataset_ids,
                self.kinds,
                self.meta_keys,
                self.values,
                self.observed,
                created or nothing,
                modified or nothing,
                strict=True,
            )
        ]


def number_of(kind: Kind, text: str | None) -> float | None:
    """The number that a value's JSON text is, where it is one that is kept as a number."""
    if kind is not Kind.PROPERTY or not text or text[0] not in "-0123456789":
        return None
    return None if text.lstrip("-").isdigit() and abs(int(text)) > _EXACT else float(text)


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
        found = await self.shown(await self._database.fetch(_SQL["entity"], entity_id, with_times))
        if not found:
            raise NotFound(f"there is no entity {entity_id[:200]}", where="id")
        return found[0]

    async def entities(self, keys: Sequence[int], *, with_times: bool = False) -> list[EntityRow]:
        """Entities by their keys, in that order; one that is gone meanwhile is left out."""
        return await self.shown(await self.rows(keys, with_times=with_times))

    async def rows(self, keys: Sequence[int], *, with_times: bool = False) -> Sequence[asyncpg.Record]:
        """As `entities`, as rows for `shown`."""
        return await self._database.fetch(_SQL["entities"], list(keys), with_times) if keys else []

    async def stamps(self, keys: Sequence[int]) -> Sequence[asyncpg.Record]:
        """Keys and stamps of entities, in that order; one that is gone meanwhile is left out."""
        return await self._database.fetch(_SQL["stamps"], list(keys)) if keys else []

    async def named(self, ids: Sequence[str], *, with_times: bool = False) -> list[EntityRow]:
        """Those of these ids that are there, in no order."""
        rows = await self._database.fetch(_SQL["named"], list(ids))
        return await self.entities([row["key"] for row in rows], with_times=with_times)

    async def shown(self, rows: Sequence[asyncpg.Record]) -> list[EntityRow]:
        """Entities from rows of the queries `entity`, `entities` and `found`."""
        await self._know(rows)
        iri = self._terms.iri
        entities = []
        for row in rows:
            modified_at_us = max([row["modified_at"], *(row["attributes_modified_at"] or ())])
            types = [iri(key) or "" for key in row["types"]]
            columns = Columns(row, self._terms, self._metas)
            times = row["created_at"], modified_at_us
            entities.append(EntityRow(row["id"], types, row["scopes"], *times, None, row["expires_at"], columns))
        return entities if self._overdue_us is None else _lasting(entities, self._overdue_us)

    async def _know(self, rows: Sequence[asyncpg.Record]) -> None:
        """Look up the names and sub-attributes that are not known yet; mostly there are none."""
        keys, metas = set[int](), set[int | None]()
        for row in rows:
            keys.update(row["types"])
            keys.update(row["term_keys"] or ())
            metas.update(row["meta_keys"] or ())
        if None in map(self._terms.iri, keys):
            await self._terms.iris(keys)
        if None in map(self._metas.body, metas):
            await self._metas.learn(self._database, metas)


def _lasting(entities: Sequence[EntityRow], at_us: int) -> list[EntityRow]:
    """What has not ended of entities."""
    found = [one for one in entities if one.expires_at_us is None or one.expires_at_us > at_us]
    for entity in found:
        metas = [(one, lasting(one.meta, at_us)) for one in entity.attributes]
        entity.attributes = [msgspec.structs.replace(one, meta=meta) for one, meta in metas if meta is not None]
    return found
