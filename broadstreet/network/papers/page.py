"""Pages that print: the frame of every paper in HTML, and tables on it. One file, no script, nothing fetched."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from broadstreet.network.papers.lines import money
from broadstreet.network.papers.markup import Markup, element, together
from broadstreet.network.papers.table import Column, Row, Sort, Table, Value

NO_BREAK: Final = "\u00a0"
LEFT: Final = frozenset({Sort.TEXT, Sort.FLAG})
MUCH_CENTS: Final = 1_000_000
"""A column in which there is so much is read in whole units."""


def page(title: str, lead: str, *parts: object) -> Markup:
    """A whole page. lead: what stands at its foot on paper."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(_style().replace("LEAD", _css_text(lead)))),
    )
    return Markup("<!doctype html>\n" + element("html", head, element("body", *parts), lang="en") + "\n")


def section(title: str, *parts: object, id: str, fresh: bool = False, whole: bool = False) -> Markup:
    """A part of a page under its title. On paper a fresh one begins a page, and a whole one stands on one page."""
    head = element("h2", title, id=id)
    return element("section", head, *parts, aria_labelledby=id, class_="fresh" if fresh else "whole" if whole else None)


@cache
def _style() -> str:
    return resources.files("broadstreet.network.papers").joinpath("paper.css").read_text(encoding="utf-8")


def _css_text(words: str) -> str:
    """Text as a string of CSS within a page: whatever is not plain is written by its number."""
    return "".join(c if c.isalnum() or c in " ,.:-" else f"\\{ord(c):x} " for c in words)


def grid(
    table: Table, *, only: tuple[str, ...] = (), caption: str | None = None, note: bool = True, exact: bool = False
) -> Markup:
    """A table. only: names of the columns that are shown, all unless said. exact: money to the cent, whatever its size;
    otherwise a column that holds much is told in whole units."""
    places = [n for n, column in enumerate(table.columns) if not only or column.name in only]
    columns = [table.columns[n] for n in places]
    sums = table.sums()
    cents = [exact or not _is_much([row[n] for row in table.rows]) for n in places]
    head = element("tr", [element("th", c.title, scope="col", class_=_side(c)) for c in columns])
    body = [_row(columns, cents, [row[n] for n in places]) for row in table.rows]
    foot = None
    if any(sums[n] is not None for n in places) and len(table.rows) > 1:
        foot = element("tfoot", _row(columns, cents, ["In all", *[sums[n] for n in places][1:]]))
    drawn = element("thead", head), element("tbody", body), foot
    return together(
        framed(caption or table.title, *drawn), element("p", table.note, class_="note") if note and table.note else None
    )


def framed(caption: str, *parts: object, class_: str | None = None) -> Markup:
    """A table that scrolls by itself where the screen is narrower, by keyboard as well."""
    drawn = element("table", element("caption", caption), *parts, class_=class_)
    return element("div", drawn, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _is_much(values: list[Value]) -> bool:
    return any(isinstance(value, int | float) and abs(value) >= MUCH_CENTS for value in values)


def _row(columns: list[Column], cents: list[bool], values: list[Value]) -> Markup:
    told = [shown(column, value, cents=exact) for column, exact, value in zip(columns, cents, values, strict=True)]
    sides = [_side(column) for column in columns]
    first = element("th", told[0], scope="row", class_=sides[0])
    return element(
        "tr", first, [element("td", cell, class_=side) for cell, side in zip(told[1:], sides[1:], strict=True)]
    )


def _side(column: Column) -> str | None:
    return None if column.sort in LEFT else "n"


def shown(column: Column, value: Value, *, cents: bool = True) -> str:
    """A value as people read it; nothing of what is counted is a dash."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if column.is_summed and not value:
        return "–"
    match column.sort:
        case Sort.MONEY:
            return amount(round(value), cents=cents)
        case Sort.METRES | Sort.NUMBER:
            return f"{value:,.1f}" if value != round(value) else f"{value:,.0f}"
        case Sort.DECIBELS:
            return f"{value:.2f}"
        case Sort.SHARE:
            return f"{100 * value:.0f} %"
        case Sort.DEGREES:
            return f"{value:.6f}"
        case _:
            return f"{value:,}"


def amount(cents_: int, currency: str = "", *, cents: bool = False) -> str:
    """Money with its thousands parted, in whole units or to the cent."""
    told = f"{cents_ / 100:,.0f}"
    if cents:
        whole, _, rest = money(cents_).partition(".")
        told = f"{int(whole):,}.{rest}" if int(whole) else money(cents_)
    return f"{currency}{NO_BREAK}{told}" if currency else told


def pairs(title: str, rows: list[Row]) -> Markup:
    """Two columns: what, and its value."""
    columns = (Column("what", "What"), Column("value", "Value"))
    return grid(Table("pairs", title, "", columns, rows))
