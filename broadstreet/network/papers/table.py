"""A table of a paper: named columns, rows of plain values. CSV, workbook and page each write it in their own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

Value = str | int | float | bool | None
Row = tuple[Value, ...]


class Sort(StrEnum):
    """What a column holds. money: whole cents; share: of one."""

    TEXT = "text"
    COUNT = "count"
    METRES = "metres"
    MONEY = "money"
    DECIBELS = "decibels"
    DEGREES = "degrees"
    SHARE = "share"
    NUMBER = "number"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """name: for programs, its unit last. title: for people. is_summed: whether its sum over all rows means anything."""

    name: str
    title: str
    sort: Sort = Sort.TEXT
    is_summed: bool = False


@dataclass(frozen=True)
class Table:
    """name: of a file or sheet. note: what must be known to read it."""

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]

    def __post_init__(self) -> None:
        for row in self.rows:
            assert len(row) == len(self.columns), f"{self.name}: {row}"

    def sums(self) -> Row:
        """For each column what its rows come to; None where that means nothing."""
        return tuple(
            sum(value for row in self.rows if isinstance(value := row[n], int | float)) if column.is_summed else None
            for n, column in enumerate(self.columns)
        )

    @cached_property
    def is_summed(self) -> bool:
        return any(column.is_summed for column in self.columns)

    def of(self, name: str) -> list[Value]:
        """A column's values."""
        at = [column.name for column in self.columns].index(name)
        return [row[at] for row in self.rows]


def text(name: str, title: str) -> Column:
    return Column(name, title)


def count(name: str, title: str, *, summed: bool = False) -> Column:
    return Column(name, title, Sort.COUNT, summed)


def metres(name: str, title: str, *, summed: bool = False) -> Column:
    return Column(name, title, Sort.METRES, summed)


def money(name: str, title: str, *, summed: bool = True) -> Column:
    return Column(name, title, Sort.MONEY, summed)
