"""Interned IRIs: entity types and attribute names as small integers.

A term, once written, never changes and never goes, so both directions are cached without end; a tenant's terms are
counted in hundreds, and bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from broadstreet.model.errors import TooMany
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

MAX_TERMS = 100_000
_SQL = load_queries("term")


class Terms:
    """The terms of one tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[str, int] = {}
        self._iris: dict[int, str] = {}

    def _learn(self, iri: str, key: int) -> None:
        self._keys[iri] = key
        self._iris[key] = iri

    async def intern(self, iris: Iterable[str]) -> dict[str, int]:
        """Keys of these IRIs, written down where they are new.

        A connection of its own is used, so that a term outlives a caller's rollback and the cache never holds a key
        that does not exist. Raises TooMany over MAX_TERMS.
        """
        wanted = set(iris)
        missing = sorted(wanted - self._keys.keys())
        if missing:
            if len(self._keys) + len(missing) > MAX_TERMS:
                raise TooMany(f"a tenant keeps at most {MAX_TERMS} terms", where="attribute or type names")
            async with self._database.transaction() as connection:
                await connection.execute(_SQL["insert"], missing)
                for row in await connection.fetch(_SQL["keys"], missing):
                    self._learn(row["iri"], row["key"])
        return {iri: self._keys[iri] for iri in wanted}

    async def find(self, iris: Iterable[str]) -> dict[str, int]:
        """Keys of those of these IRIs that are known; nothing is written."""
        wanted = set(iris)
        missing = sorted(wanted - self._keys.keys())
        if missing:
            for row in await self._database.fetch(_SQL["keys"], missing):
                self._learn(row["iri"], row["key"])
        return {iri: self._keys[iri] for iri in wanted if iri in self._keys}

    async def iris(self, keys: Iterable[int], connection: Connection | None = None) -> dict[int, str]:
        """IRIs of these keys. connection: one in hand already; otherwise the pool is asked."""
        wanted = set(keys)
        missing = sorted(wanted - self._iris.keys())
        if missing:
            rows = await (connection or self._database).fetch(_SQL["iris"], missing)
            for row in rows:
                self._learn(row["iri"], row["key"])
        return {key: self._iris[key] for key in wanted}

    def iri(self, key: int) -> str | None:
        """The IRI of a key, if it is in the cache."""
        return self._iris.get(key)
