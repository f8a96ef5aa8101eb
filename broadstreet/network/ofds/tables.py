"""Networks as the standard's tables of CSV: a row for each object, in a table for each list that objects stand in.

A column is named by the JSON Pointer of what it holds in the first network (`spans/0/fibreCount`), and a row tells the
ids of the objects that it is within. Geometries are well-known text, lists of codes have semicolons between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from broadstreet.network.ofds.network import Network
from broadstreet.network.ofds.part import give

NETWORKS: Final = "networks"

Rows = dict[str, list[dict[str, str]]]


def tables_of(networks: Iterable[Network]) -> Rows:
    """The tables by name, each a list of rows; a row has the columns that it has something for."""
    found: Rows = {NETWORKS: []}
    for network in networks:
        _lay(give(network), "", {}, NETWORKS, found)
    return found


def columns_of(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """The columns of a table, in the order in which they come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _lay(value: Mapping[str, Any], pointer: str, within: Mapping[str, str], table: str, found: Rows) -> None:
    """Put an object's row into its table, and those of the objects in its lists into theirs."""
    row = dict(within)
    found.setdefault(table, []).append(row)
    known = {**within, f"{pointer}id": str(value["id"])} if "id" in value else dict(within)
    lists = _fill(row, value, pointer)
    for name, items in lists.items():
        below = name.replace("/", "_") if table == NETWORKS else f"{table}_{name.replace('/', '_')}"
        for item in items:
            _lay(item, f"{pointer}{name}/0/", known, below, found)


def _fill(row: dict[str, str], value: Mapping[str, Any], pointer: str) -> dict[str, list[dict[str, Any]]]:
    """Put an object's members into its row; the lists of objects among them are left for tables of their own."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for name, member in value.items():
        match member:
            case {"coordinates": points}:
                row[f"{pointer}{name}"] = _text(points)
            case dict():
                inner = _fill(row, member, f"{pointer}{name}/")
                lists |= {f"{name}/{below}": items for below, items in inner.items()}
            case [dict(), *_]:
                lists[name] = member
            case list():
                row[f"{pointer}{name}"] = ";".join(map(str, member))
            case bool():
                row[f"{pointer}{name}"] = str(member).lower()
            case _:
                row[f"{pointer}{name}"] = str(member)
    return lists


def _text(points: list[Any]) -> str:
    """A geometry as well-known text."""
    if points and not isinstance(points[0], list):
        return f"POINT ({_pair(points)})"
    return f"LINESTRING ({', '.join(map(_pair, points))})"


def _pair(place: list[float]) -> str:
    return " ".join(map(repr, place))
