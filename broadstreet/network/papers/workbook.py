"""Tables as a workbook (Office Open XML): a sheet each, that prints on paper lying down.

Texts are written as texts and nothing of the plan ever becomes a formula or a link. The only formulas are our own: sums
under columns whose sum means something, each with its value beside it for readers that do not reckon. Rows are written
out as they come, so that a sheet takes no more memory than its table.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from broadstreet.model.errors import TooLarge
from broadstreet.network.papers.table import Column, Sort, Table, Value

MAX_ROWS: Final = 1_048_576
"""Of a sheet, by the format."""
WIDEST: Final = 48
MEASURED: Final = 200
"""So many rows say how wide a column is."""
HEADER_ROW: Final = 3
_NUMBERS: Final = {
    Sort.COUNT: "#,##0",
    Sort.METRES: '#,##0.0 "m"',
    Sort.MONEY: "#,##0.00",
    Sort.NUMBER: "#,##0.00",
    Sort.DECIBELS: '0.00 "dB"',
    Sort.DEGREES: "0.0000000",
    Sort.SHARE: "0 %",
}
_INK, _MUTED, _LINE, _FIBRE, _PAPER = "#1A1D21", "#5B626B", "#D9D6CC", "#0B6E75", "#FBFAF5"


def write_workbook(tables: Iterable[Table], out: Path, *, title: str, date: str, currency: str) -> None:
    """All tables. Raises TooLarge where one has more rows than a sheet."""
    options = {
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "constant_memory": True,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(str(out), options) as book:
        book.set_properties({"title": title, "created": datetime.fromisoformat(f"{date}T00:00:00+00:00")})
        formats = _Formats(book)
        for table in tables:
            if len(table.rows) + HEADER_ROW + 2 > MAX_ROWS:
                raise TooLarge(
                    f"the table {table.name} has {len(table.rows):,} rows, and a sheet takes {MAX_ROWS:,}",
                    where="the workbook",
                    remedy="Take it as CSV, which has no bound.",
                )
            _Sheet(book.add_worksheet(table.title[:31].replace("/", " ")), formats, table, currency).write(title)


class _Formats:
    def __init__(self, book: Any) -> None:
        base = {"font_name": "Calibri", "font_size": 10, "font_color": _INK, "valign": "top"}
        self.title = book.add_format({**base, "font_name": "Georgia", "font_size": 15})
        self.note = book.add_format({**base, "font_color": _MUTED, "text_wrap": True})
        head = {**base, "bold": True, "text_wrap": True, "bottom": 1, "bottom_color": _INK, "bg_color": _PAPER}
        self.head = book.add_format(head)
        self.head_right = book.add_format({**head, "align": "right"})
        self.text = book.add_format(base)
        self.sort = {sort: book.add_format({**base, "num_format": code}) for sort, code in _NUMBERS.items()}
        total = {**base, "bold": True, "top": 1, "top_color": _INK}
        self.total_text = book.add_format(total)
        self.total = {sort: book.add_format({**total, "num_format": code}) for sort, code in _NUMBERS.items()}


class _Sheet:
    def __init__(self, sheet: Any, formats: _Formats, table: Table, currency: str) -> None:
        self.sheet, self.formats, self.table, self.currency = sheet, formats, table, currency

    def write(self, title: str) -> None:
        sheet, table, columns = self.sheet, self.table, self.table.columns
        last = len(columns) - 1
        sheet.write_string(0, 0, table.title, self.formats.title)
        if table.note and last:
            sheet.set_row(1, 15 * (1 + len(table.note) // 90))
            sheet.merge_range(1, 0, 1, min(last, 7), "", self.formats.note)
            sheet.write_string(1, 0, table.note, self.formats.note)
        for number, column in enumerate(columns):
            is_text = column.sort in (Sort.TEXT, Sort.FLAG)
            head = self.formats.head if is_text else self.formats.head_right
            unit = f", {self.currency}" if column.sort is Sort.MONEY else ""
            sheet.write_string(HEADER_ROW, number, column.title + unit, head)
            sheet.set_column(number, number, self._width(number, column))
        for number, row in enumerate(table.rows, start=HEADER_ROW + 1):
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                self._cell(number, place, column, value)
        if table.rows:
            sheet.autofilter(HEADER_ROW, 0, HEADER_ROW + len(table.rows), last)
            self._totals()
        self._print(title)

    def _cell(self, row: int, place: int, column: Column, value: Value) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            self.sheet.write_string(row, place, "yes" if value else "no", self.formats.text)
        elif isinstance(value, str):
            self.sheet.write_string(row, place, value, self.formats.text)
        else:
            money = column.sort is Sort.MONEY
            number = value / 100 if money else value
            self.sheet.write_number(row, place, number, self.formats.sort.get(column.sort, self.formats.text))

    def _totals(self) -> None:
        table = self.table
        if not table.is_summed:
            return
        row = HEADER_ROW + 1 + len(table.rows)
        sums = table.sums()
        for place, (column, value) in enumerate(zip(table.columns, sums, strict=True)):
            if isinstance(value, int | float):
                ends = (xl_rowcol_to_cell(at, place) for at in (HEADER_ROW + 1, row - 1))
                known = value / 100 if column.sort is Sort.MONEY else value
                form = self.formats.total[column.sort]
                self.sheet.write_formula(row, place, f"=SUM({':'.join(ends)})", form, known)
            else:
                self.sheet.write_string(row, place, "" if place else "In all", self.formats.total_text)

    def _width(self, place: int, column: Column) -> float:
        if column.sort is Sort.MONEY:
            return 14
        if column.sort not in (Sort.TEXT, Sort.FLAG):
            return max(9.0, min(13.0, len(column.title) * 0.8))
        longest = max((len(str(row[place] or "")) for row in self.table.rows[:MEASURED]), default=0)
        return min(WIDEST, max(longest, len(column.title), 8) + 1)

    def _print(self, title: str) -> None:
        sheet = self.sheet
        sheet.freeze_panes(HEADER_ROW + 1, 1)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.repeat_rows(HEADER_ROW)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&L{title.replace('&', '&&')}&C{self.table.title}&R&P of &N")
