"""What a notebook shows of a thing: a small table, every text escaped, long values cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

import msgspec

MAX_CELL: Final = 120
"""Characters of a cell."""
MAX_ROWS: Final = 60


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; columns that are empty in every row are left out."""
    shown = rows[:MAX_ROWS]
    kept = [at for at in range(len(header)) if at == 0 or any(row[at] not in ("", None) for row in shown)]
    head = _row("th", [header[at] for at in kept])
    body = "".join(_row("td", [cell(row[at]) for at in kept]) for row in shown)
    more = f"<p>… and {len(rows) - MAX_ROWS:,} more</p>" if len(rows) > MAX_ROWS else ""
    return f"<table><caption>{escape(caption)}</caption><thead>{head}</thead><tbody>{body}</tbody></table>{more}"


def facts(told: Mapping[str, str]) -> str:
    """A line of what is known besides."""
    said = " · ".join(f"{escape(name)}: {escape(value)}" for name, value in told.items() if value)
    return f"<p>{said}</p>" if said else ""


def cell(value: Any) -> str:
    """A value as one line of text."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(one)}</{tag}>' for one in cells)}</tr>"
