"""A line a row: CSV (RFC 4180) and NDJSON.

Times are RFC 3339. In CSV a text is as it is and any other JSON value as JSON; a cell that a spreadsheet would take for
a formula gets an apostrophe before it, unless it is asked for verbatim: people open these files in spreadsheets, and
whoever may write an attribute may write a formula into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import msgspec
import polars as pl

from broadstreet.exports.form import Form

FORMULA: Final = r"^[=+\-@\t\r]"
"""How a cell begins that a spreadsheet may take for a formula (OWASP, CSV Injection)."""
_EXACT: Final = 1e15
"""Whole numbers up to here are written without a fraction."""
_encode = msgspec.json.encode
_decode = msgspec.json.decode


def _rfc3339(name: str) -> pl.Expr:
    at = pl.col(name)
    whole = at.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return pl.when(at.dt.microsecond() == 0).then(whole).otherwise(at.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))


def with_times(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its times as text."""
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(_rfc3339(name).alias(name) for name in times)


class Csv(Form):
    """A header, then a line a row; `number` and `value` are one column."""

    def __init__(self, columns: Mapping[str, Any], *, verbatim: bool) -> None:
        self._columns = [name for name in columns if name != "number"]
        self._texts = [] if verbatim else [name for name, kind in columns.items() if kind == pl.String]

    def begin(self) -> bytes:
        """The header."""
        return (",".join(self._columns) + "\r\n").encode()

    def rows(self, frame: pl.DataFrame) -> bytes:
        """Lines."""
        told = with_times(frame)
        if "value" in self._columns:
            told = told.with_columns(pl.Series("value", map(_plain, frame["value"].to_list()), pl.String))
        guarded = [
            pl.when(pl.col(name).str.contains(FORMULA)).then("'" + pl.col(name)).otherwise(name).alias(name)
            for name in self._texts
        ]
        told = told.with_columns(guarded)
        if "value" in self._columns:
            told = told.with_columns(pl.coalesce(_number(), "value").alias("value"))
        target = BytesIO()
        told.select(self._columns).write_csv(target, include_header=False, line_terminator="\r\n")
        return target.getvalue()


def _number() -> pl.Expr:
    """A number as text that reads back as the same."""
    number = pl.col("number")
    is_whole = (number == number.floor()) & (number.abs() < _EXACT)
    whole = number.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(is_whole).then(whole).otherwise(number.cast(pl.String))


def _plain(value: str | None) -> str | None:
    """A JSON value as a cell: a text without its quotes."""
    return str(_decode(value)) if value is not None and value.startswith('"') else value


class Ndjson(Form):
    """`value` is the JSON value itself, `sub_attributes` an object; of what is not known nothing is said."""

    def rows(self, frame: pl.DataFrame) -> bytes:
        """Lines."""
        return b"".join(_line(row) for row in with_times(frame).iter_rows(named=True))


def _line(row: dict[str, Any]) -> bytes:
    said = {name: value for name, value in row.items() if value is not None and name not in ("number", "value")}
    if "value" in row:
        said["value"] = row["number"] if row["number"] is not None else msgspec.Raw((row["value"] or "null").encode())
    for name in ("sub_attributes", "geometry"):
        if name in said:
            said[name] = msgspec.Raw(said[name].encode())
    return _encode(said) + b"\n"
