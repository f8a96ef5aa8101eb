"""Tables as CSV (RFC 4180), all of them in one archive.

A text that a spreadsheet would take for a formula gets an apostrophe before it, as in every CSV of the house: labels
come from maps that anyone may edit. Money is in the currency's own unit, exact to the cent; numbers have a point.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

from broadstreet.exports.lines import FORMULA
from broadstreet.network.papers.table import Column, Sort, Table, Value

BOM: Final = "\ufeff"
"""By it spreadsheets know UTF-8."""
MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""When files of an archive were written: always the same, so that equal plans give equal archives."""
_DECIMALS: Final = {Sort.METRES: 2, Sort.NUMBER: 2, Sort.DECIBELS: 2, Sort.DEGREES: 7, Sort.SHARE: 4}
_is_formula: Final = re.compile(FORMULA).match


def write_csv(table: Table, file: IO[bytes]) -> None:
    """One table."""
    out = io.TextIOWrapper(file, encoding="utf-8", newline="")
    out.write(BOM)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        writer.writerow([cell(column, value) for column, value in zip(table.columns, row, strict=True)])
    out.detach()


def cell(column: Column, value: Value) -> str:
    """A value as a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"'{value}" if _is_formula(value) else value
    if column.sort is Sort.MONEY:
        return money(round(value))
    if column.sort in _DECIMALS:
        return f"{value:.{_DECIMALS[column.sort]}f}"
    return str(value)


def money(cents: int) -> str:
    """Cents in the currency's own unit: 1234.05."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"


def write_csv_archive(tables: Iterable[Table], out: Path) -> None:
    """A file for each table."""
    with archive(out) as found:
        for table in tables:
            with found.open(member(f"{table.name}.csv"), "w") as file:
                write_csv(table, file)


def archive(out: Path) -> zipfile.ZipFile:
    """An archive to write into."""
    return zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)


def member(name: str) -> zipfile.ZipInfo:
    """A file of an archive."""
    info = zipfile.ZipInfo(name, MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
