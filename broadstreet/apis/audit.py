"""`/v1/audit`: who did what to whom, when and why; a page at a time, or as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Stream

from broadstreet.access import AuditEntry, requires
from broadstreet.access.audit import MAX_PAGE, AuditFilter
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339, parse_rfc3339
from broadstreet.store import load_queries

CSV_TYPE: Final = "text/csv; charset=utf-8; header=present"
HEADER: Final = ("key", "at_utc", "principal", "action", "subject", "why", "detail")
MAX_FILE_LINES: Final = 1_000_000
OF_DEVICES: Final = ("device.", "command.")
"""Actions whose subject is a device."""
_SQL = load_queries("device")

Refused = Annotated[bool | None, QueryParameter(description="True: what was refused; false: what was done.")]
Action = Annotated[str | None, QueryParameter(description="Such as token.create, or how it begins: token.")]


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to whom. `key` is where to page on from; `entity` the one of a device that it was done to."""

    key: int
    at: str
    principal: str
    action: str
    subject: str
    entity: str | None
    detail: Mapping[str, Any]


def filter_of(
    who: Annotated[str | None, QueryParameter(name="principal")] = None,
    action: Action = None,
    subject: Annotated[str | None, QueryParameter()] = None,
    begin: Annotated[str | None, QueryParameter(name="from")] = None,
    end: Annotated[str | None, QueryParameter(name="to")] = None,
    refused: Refused = None,
) -> AuditFilter:
    """Which lines a request asks for. Raises InvalidInput for a time that is none."""
    return AuditFilter(
        principal=who or None,
        action=action or None,
        subject=subject or None,
        from_us=parse_rfc3339(begin, "from") if begin else None,
        to_us=parse_rfc3339(end, "to") if end else None,
        refused=refused,
    )


@get("/audit", opt=requires("audit:read"))
async def read_audit(
    call: NamedDependency[Call],
    wanted: NamedDependency[AuditFilter],
    before: Annotated[int | None, QueryParameter(description="The key of the last line seen; left out: begin.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="How many at most.")] = 100,
) -> list[AuditLine]:
    """Who did what to whom, newest first."""
    entries = await call.services.access.audit.read(call.principal.tenant, before=before, limit=limit, wanted=wanted)
    devices = {entry.subject for entry in entries if entry.action.startswith(OF_DEVICES)}
    rows = await call.database.fetch(_SQL["entities"], sorted(devices)) if devices else []
    entities = {row["id"]: row["entity"] for row in rows}
    return [
        AuditLine(
            key=entry.key,
            at=format_rfc3339(entry.at_us),
            principal=entry.principal,
            action=entry.action,
            subject=entry.subject,
            entity=entities.get(entry.subject) if entry.action.startswith(OF_DEVICES) else None,
            detail=entry.detail,
        )
        for entry in entries
    ]


@get("/audit.csv", opt=requires("audit:read"))
async def audit_file(call: NamedDependency[Call], wanted: NamedDependency[AuditFilter]) -> Stream:
    """The same as a file, all of it, newest first."""
    return Stream(
        _lines(call, wanted),
        media_type=CSV_TYPE,
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


async def _lines(call: Call, wanted: AuditFilter) -> AsyncIterator[bytes]:
    yield _csv([HEADER])
    before, told = None, 0
    while told < MAX_FILE_LINES:
        audit = call.services.access.audit
        entries = await audit.read(call.principal.tenant, before=before, limit=MAX_PAGE, wanted=wanted)
        if not entries:
            return
        yield _csv(map(_row, entries))
        before, told = entries[-1].key, told + len(entries)


def _row(entry: AuditEntry) -> tuple[object, ...]:
    detail = msgspec.json.encode(entry.detail).decode()
    at = format_rfc3339(entry.at_us)
    return entry.key, at, entry.principal, entry.action, entry.subject, entry.detail.get("why", ""), detail


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def audit_router() -> Router:
    """`/audit` and `/audit.csv`, to stand below `/v1`."""
    return Router(
        "/",
        route_handlers=[read_audit, audit_file],
        dependencies={"wanted": Provide(filter_of, sync_to_thread=False)},
        tags=["People"],
    )
