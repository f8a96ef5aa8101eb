"""Which types of entities there are, and which attributes (5.7.5 to 5.7.10 of the standard)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from broadstreet.context.transience import there
from broadstreet.model.entity import Kind
from broadstreet.model.errors import NotFound
from broadstreet.store import Database, Terms, load_queries

if TYPE_CHECKING:
    import asyncpg

_SQL = load_queries("entity")


class AttributeUse(msgspec.Struct, frozen=True):
    """An attribute as entities use it. Names are IRIs; `count` is of entities, or of instances."""

    name: str
    kinds: list[Kind]
    types: list[str]
    count: int


class TypeUse(msgspec.Struct, frozen=True):
    """A type of entities, an IRI, with how many there are and the attributes they have."""

    name: str
    count: int
    attributes: list[AttributeUse]


class Discovery:
    """Looks around in one tenant."""

    def __init__(self, database: Database, terms: Terms, overdue_us: int | None = None) -> None:
        """overdue_us: now, where something may have ended that is to be left out."""
        self._database = database
        self._terms = terms
        self._overdue_us = overdue_us

    async def types(self, *, with_attributes: bool) -> list[TypeUse]:
        """All types that entities have, by name."""
        counts = {row["type_key"]: row["entities"] for row in await self._fetch("types")}
        names = await self._terms.iris(counts)
        attributes = await self._attributes_of(list(counts)) if with_attributes else {}
        found = [TypeUse(names[key], count, attributes.get(key, [])) for key, count in counts.items()]
        return sorted(found, key=lambda one: one.name)

    async def type(self, iri: str) -> TypeUse:
        """One type. Raises NotFound where no entity has it."""
        key = (await self._terms.find([iri])).get(iri)
        counts = {row["type_key"]: row["entities"] for row in await self._fetch("types")}
        if key is None or key not in counts:
            raise NotFound("no entity has this type", where="type")
        return TypeUse(iri, counts[key], (await self._attributes_of([key])).get(key, []))

    async def attributes(self) -> list[AttributeUse]:
        """All attributes that entities have, by name."""
        return sorted(await self._attributes(None), key=lambda one: one.name)

    async def attribute(self, iri: str) -> AttributeUse:
        """One attribute. Raises NotFound where no entity has it."""
        key = (await self._terms.find([iri])).get(iri)
        found = await self._attributes([key]) if key is not None else []
        if not found:
            raise NotFound("no entity has this attribute", where="attrId")
        return found[0]

    async def _fetch(self, query: str, *arguments: list[int] | None) -> Sequence[asyncpg.Record]:
        if self._overdue_us is None:
            return await self._database.fetch(_SQL[query], *arguments)
        return await self._database.fetch(there(_SQL[query], len(arguments) + 1), *arguments, self._overdue_us)

    async def _attributes_of(self, type_keys: Sequence[int]) -> dict[int, list[AttributeUse]]:
        rows = await self._fetch("attributes_of_types", list(type_keys))
        names = await self._terms.iris({row["term_key"] for row in rows})
        found: dict[int, list[AttributeUse]] = {}
        for row in rows:
            kinds = [Kind(kind) for kind in row["kinds"]]
            use = AttributeUse(names[row["term_key"]], kinds, [], row["entities"])
            found.setdefault(row["type_key"], []).append(use)
        return found

    async def _attributes(self, term_keys: Sequence[int] | None) -> list[AttributeUse]:
        keys = None if term_keys is None else list(term_keys)
        rows = await self._fetch("types_of_attributes", keys)
        names = await self._terms.iris({key for row in rows for key in (row["term_key"], *row["type_keys"])})
        return [
            AttributeUse(
                names[row["term_key"]],
                [Kind(kind) for kind in row["kinds"]],
                sorted(names[key] for key in row["type_keys"]),
                row["instances"],
            )
            for row in rows
        ]
