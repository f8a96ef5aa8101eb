"""The audit: who did what to whom, written in the transaction that did it, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

MAX_PAGE = 1_000
_SQL = load_queries("audit")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines are asked for; None: any.

    action: `<noun>.<verb>`, or how it begins, such as `token.`; refused: whether it was refused, not done.
    """

    principal: str | None = None
    action: str | None = None
    subject: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    refused: bool | None = None


EVERY_LINE: Final = AuditFilter()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit. key: its place, by which a reader pages back."""

    key: int
    at_us: int
    principal: str
    tenant: str | None
    action: str
    subject: str
    detail: Mapping[str, Any]


async def record(
    connection: Connection,
    at_us: int,
    by: str,
    action: str,
    subject: str,
    *,
    tenant: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write a line inside the caller's transaction. No secret goes in.

    by: a principal's name; action: `<noun>.<verb>`; subject: the name or id of what was changed.
    """
    await connection.execute(_SQL["insert"], at_us, by, tenant, action, subject, dict(detail or {}))


class Audit:
    """The audit of the whole house."""

    def __init__(self, control: Database) -> None:
        self._control = control

    async def read(
        self, tenant: str, *, before: int | None = None, limit: int = 100, wanted: AuditFilter = EVERY_LINE
    ) -> list[AuditEntry]:
        """Lines of a tenant and of its accounts, newest first. before: the key of the last line seen."""
        rows = await self._control.fetch(_SQL["list"], tenant, before, min(limit, MAX_PAGE), *astuple(wanted))
        return [
            AuditEntry(
                row["key"], row["at"], row["principal"], row["tenant"], row["action"], row["subject"], row["detail"]
            )
            for row in rows
        ]

    async def record(
        self,
        at_us: int,
        by: str,
        action: str,
        subject: str,
        *,
        tenant: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a line by itself, for what was done in another schema (a tenant's role cannot reach the audit)."""
        async with self._control.transaction() as connection:
            await record(connection, at_us, by, action, subject, tenant=tenant, detail=detail)
