"""The way out: what a transaction changed, written in that transaction, published after it.

A writer calls `write_origin` first and `write_outbox` last. The relay (in recorder/) publishes rows and deletes those
the log acknowledged; it takes what is there rather than walking by key, because keys are given before commits and a
late commit would be skipped.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

_SQL = load_queries("outbox")


class OutboxKind(StrEnum):
    """Where a row goes: the stream CHANGES or the stream DEAD."""

    CHANGES = "changes"
    DEAD = "dead"


async def write_origin(connection: Connection, kind: str, principal: str, at_us: int, note: str | None = None) -> int:
    """Write down who does something now, for writers that are no pack; answers the origin's key.

    kind: api, import, simulated or registry.
    """
    return int(await connection.fetchval(_SQL["insert_origin"], kind, at_us, principal, note))


async def write_outbox(connection: Connection, kind: OutboxKind, body: bytes) -> None:
    """Leave a packed row for the relay, inside the caller's transaction."""
    await connection.execute(_SQL["insert"], str(kind), body)
