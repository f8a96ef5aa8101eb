"""Reading a table, row by row, with the number and the text of every line.

A line of a CSV file is a row: cells hold no line breaks, so that one stray quote spoils its own line and not the rest
of the file. In Parquet the number is the row's, from 1, and the text is what the row would be in CSV.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import polars as pl

from broadstreet.importer.source import Format, Source, open_bytes
from broadstreet.model.errors import InvalidInput

PARQUET_ROWS: Final = 16_384
MAX_COLUMNS: Final = 100_000
BLANK: Final = "a blank line"
"""The fault of a row without a text."""


class Record(NamedTuple):
    """A row. cells: as many as the table has columns; none where `fault` says what is wrong with the row."""

    line: int
    text: str
    cells: list[str]
    fault: str | None = None


class Table(Protocol):
    """Rows of a file, in its order."""

    columns: list[str]
    rows: int
    """How many there are, about; for showing progress."""

    def records(self, skip: int = 0) -> Iterator[Record]:
        """Every row but the first `skip`."""


def open_table(source: Source, encoding: str, delimiter: str, columns: list[str] | None = None) -> Table:
    """The table of a file that was inspected. columns: their names, where the file has no header.

    Raises InvalidInput for a file without a header, or that is no Parquet after all.
    """
    if source.format is Format.PARQUET:
        return _Parquet(source.path, columns)
    return _Csv(source, encoding, delimiter, columns)


class _Csv:
    """Text with a delimiter, quotes as RFC 4180 has them, within a line."""

    def __init__(self, source: Source, encoding: str, delimiter: str, columns: list[str] | None) -> None:
        self._source = source
        # A byte order mark is no part of the first column's name.
        self._encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        self._delimiter = delimiter
        self._has_header = columns is None
        self.columns = columns if columns is not None else self._header()
        self.rows = source.lines - self._has_header

    def _header(self) -> list[str]:
        where = str(self._source.path)
        with self._open() as file:
            text = file.readline()
        parsed = self._split(1, text.rstrip("\r\n"))
        if parsed.fault or not text.strip():
            raise InvalidInput(
                f"the first line is no header: {parsed.fault or 'it is blank'}",
                where=f"{where}, line 1",
                remedy="Name the columns there, or in file.columns.",
            )
        return _checked([cell.strip() for cell in parsed.cells], where)

    def _open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(open_bytes(self._source.path, self._source.format), encoding=self._encoding, newline="")

    def records(self, skip: int = 0) -> Iterator[Record]:
        width, delimiter = len(self.columns), self._delimiter
        with self._open() as file:
            for line, ended in enumerate(file, 1):
                if line <= skip + self._has_header:
                    continue
                text = ended.rstrip("\r\n")
                record = self._split(line, text) if '"' in text else Record(line, text, text.split(delimiter))
                if record.fault is None and len(record.cells) != width:
                    fault = f"{len(record.cells)} cells instead of {width}" if text.strip() else BLANK
                    record = Record(line, text, [], fault)
                yield record

    def _split(self, line: int, text: str) -> Record:
        """A line that has quotes."""
        try:
            (cells,) = csv.reader([text], delimiter=self._delimiter, strict=True)
        except (csv.Error, ValueError) as error:
            return Record(line, text, [], f"quotes that do not match: {error}")
        return Record(line, text, cells)


class _Parquet:
    """Columns in a file; values become the texts that the same rows would hold in CSV."""

    def __init__(self, path: Path, columns: list[str] | None) -> None:
        self._frame = pl.scan_parquet(path)
        where = str(path)
        try:
            self.columns = _checked(list(self._frame.collect_schema().names()), where)
            self.rows = int(self._frame.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise InvalidInput(f"the Parquet file is damaged: {error}", where=where, remedy="Fetch it again.") from None
        if columns is not None:
            raise InvalidInput("a Parquet file names its columns itself", where="file.columns", remedy="Leave it out.")

    def records(self, skip: int = 0) -> Iterator[Record]:
        for start in range(skip, self.rows, PARQUET_ROWS):
            rows = self._frame.slice(start, PARQUET_ROWS).collect().rows()
            for line, row in enumerate(rows, start + 1):
                cells = [_text(value) for value in row]
                yield Record(line, to_csv(cells), cells)


def to_csv(cells: list[str]) -> str:
    """Cells as one line of CSV, without its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _checked(columns: list[str], where: str) -> list[str]:
    if len(columns) > MAX_COLUMNS:
        raise InvalidInput(
            f"the table has {len(columns)} columns, {MAX_COLUMNS} are the most",
            where=where,
            remedy="Mend file.delimiter.",
        )
    return columns
