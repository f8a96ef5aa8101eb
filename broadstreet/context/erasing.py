"""Erasing the past of entities for ever (5.6.13, 5.6.15 and 5.6.16 of the standard), in table and files.

What is current stays: the standard keeps the present and the past apart. Each erasing has its origin and leaves its
change in the outbox; of files it takes more than one transaction, the last of which says that it was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from broadstreet.access import Principal
from broadstreet.context.traces import forget
from broadstreet.history import Span, erase_filed, erase_told, filed_of
from broadstreet.model.change import ChangeBatch, Flag, encode_changes
from broadstreet.model.errors import NotFound
from broadstreet.store import Database, OutboxKind, load_queries, write_origin, write_outbox

ATTEMPTS: Final = 3
_SQL = load_queries("entity_write")


class _Filed(Exception):
    """Files hold something of what is to go."""

    def __init__(self, series_keys: set[int]) -> None:
        super().__init__()
        self.series_keys = series_keys


class Eraser:
    """Erases for one tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase(
        self, principal: Principal, at_us: int, span: Span, missing: NotFound, entity_key: int | None = None
    ) -> None:
        """Take observations out of the past. entity_key: whose scopes go, too. Raises `missing` where there are none,
        Unavailable."""
        filed: set[int] = set()
        for _ in range(ATTEMPTS):
            try:
                await self._erase(principal, at_us, span, filed, missing, entity_key)
            except _Filed as found:
                filed |= found.series_keys
                await erase_filed(self._database, span, at_us)
            else:
                return
        raise AssertionError("what was erased from files does not come back")

    async def _erase(
        self,
        principal: Principal,
        at_us: int,
        span: Span,
        filed: set[int],
        missing: NotFound,
        entity_key: int | None,
    ) -> None:
        """One transaction. filed: series of which files held something, and do no longer."""
        async with self._database.transaction() as connection:
            await connection.fetch(_SQL["lock_attributes"], sorted(span.series_keys))
            gone = filed | await erase_told(connection, span)
            if left := await filed_of(self._database, connection, span):
                raise _Filed(gone | left)
            if not gone:
                raise missing
            if span.is_whole:
                await forget(connection, span.series_keys, entity_key)
            rows = await connection.fetch(_SQL["raise_versions"], sorted(gone))
            versions = {row["series_key"]: row["version"] for row in rows}
            origin_key = await write_origin(connection, "api", principal.name, at_us, principal.via)
            change = _change(principal, origin_key, at_us, list(versions), list(versions.values()))
            await write_outbox(connection, OutboxKind.CHANGES, encode_changes(change))


def _change(
    principal: Principal, origin_key: int, at_us: int, series: list[int], versions: Sequence[int]
) -> ChangeBatch:
    count = len(series)
    return ChangeBatch(
        tenant=principal.tenant,
        origin_key=origin_key,
        kind="api",
        principal=principal.name,
        at_us=at_us,
        series=series,
        version=list(versions),
        as_of_us=[at_us] * count,
        value=[None] * count,
        old=[None] * count,
        flags=[int(Flag.ERASED)] * count,
    )
