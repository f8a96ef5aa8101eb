"""Interned sub-attributes of one tenant: a JSON object becomes a small integer, and back.

What is interned never changes and never goes, so both directions are cached; the caches are emptied when they are full.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from broadstreet.model.entity import Meta, meta_hash
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

MAX_CACHED: Final = 100_000
_SQL = load_queries("entity")


class Metas:
    """The sub-attributes of one tenant."""

    def __init__(self) -> None:
        self._keys: dict[bytes, int] = {}
        self._bodies: dict[int, Meta] = {}

    def body(self, key: int | None) -> Meta | None:
        """The sub-attributes of a key, where they are known here; of None, none."""
        return {} if key is None else self._bodies.get(key)

    async def learn(self, source: Connection | Database, keys: Iterable[int | None]) -> None:
        """Make sure that `body` knows these keys."""
        missing = {key for key in keys if key is not None and key not in self._bodies}
        if missing:
            if len(self._bodies) > MAX_CACHED:
                self._bodies.clear()
            self._bodies.update({row["key"]: row["body"] for row in await source.fetch(_SQL["metas"], sorted(missing))})

    async def intern(self, connection: Connection, bodies: Iterable[Meta]) -> dict[bytes, int]:
        """Keys of these sub-attributes by their hash, written down where they are new.

        Inside the caller's transaction, after its locks. The keys are remembered only once they are seen committed,
        so that a rollback leaves no key here that does not exist.
        """
        wanted = {meta_hash(body): body for body in bodies if body}
        missing = sorted(wanted.keys() - self._keys.keys())
        if not missing:
            return {digest: self._keys[digest] for digest in wanted}
        if len(self._keys) > MAX_CACHED:
            self._keys.clear()
        found = await self._find(connection, sorted(wanted.keys() - self._keys.keys()))
        self._keys.update(found)
        new = sorted(wanted.keys() - self._keys.keys())
        if not new:
            return {digest: self._keys[digest] for digest in wanted}
        await connection.execute(_SQL["intern_metas"], [wanted[digest] for digest in new], new)
        written = await self._find(connection, new)
        return {digest: self._keys.get(digest) or written[digest] for digest in wanted}

    async def _find(self, connection: Connection, hashes: list[bytes]) -> dict[bytes, int]:
        return {row["hash"]: int(row["key"]) for row in await connection.fetch(_SQL["meta_keys"], hashes)}
