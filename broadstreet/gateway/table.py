"""An HTTP body as CSV: a header row, then a row an item, which becomes the JSON object that the device would have sent.

A column is a field of the device's profile (`no2`, `data.t`), the profile's time, or `device`. What a cell means is the
profile's to say: a number where the field is one, else text, true or false, or JSON. An empty cell is no field.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from broadstreet.devices import Profile
from broadstreet.devices.profile import TimeFormat, ValueType
from broadstreet.gateway.bounds import MAX_ITEM_BYTES, MAX_ITEMS
from broadstreet.gateway.items import TOO_LONG, Items, Rejected
from broadstreet.model.errors import InvalidInput, TooLarge

DEVICE: Final = "device"
MAX_COLUMNS: Final = 256
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_EXACT: Final = 2**53
_CELL_OVERHEAD_BYTES: Final = 6
_BOOLEANS: Final = {"true": True, "false": False}
_encode = msgspec.json.encode
_decode = msgspec.json.decode

Reader = Callable[[str], Any]
"""A cell's text to its JSON value. Raises ValueError, whose words say what was wanted."""


class Row(NamedTuple):
    """A row: the device that its cell names ('' without such a column) and its cells."""

    device: str
    cells: list[str]


class Table:
    """A body of rows. `rows` by their index from 0, below the header."""

    def __init__(self, columns: list[str], rows: dict[int, Row], rejected: list[Rejected]) -> None:
        self.columns = columns
        self.rows = rows
        self.rejected = rejected

    @classmethod
    def of(cls, body: bytes) -> Table:
        """Read a body. Raises InvalidInput for one that is no table at all, TooLarge."""
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput(f"the table is not UTF-8: {error}", where="body") from None
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows: dict[int, Row] = {}
        rejected: list[Rejected] = []
        try:
            columns = [name.strip() for name in next(reader, [])]
            _check_header(columns)
            place = columns.index(DEVICE) if DEVICE in columns else None
            index = -1
            for cells in reader:
                if not cells:
                    continue
                index += 1
                if index >= MAX_ITEMS:
                    raise TooLarge(
                        f"more than {MAX_ITEMS:,} rows", where="body", remedy="Send them in several requests."
                    )
                if len(cells) != len(columns):
                    rejected.append(Rejected(index, f"it has {len(cells)} cells, the header {len(columns)}"))
                else:
                    rows[index] = Row("" if place is None else cells[place].strip(), cells)
        except csv.Error as error:
            raise InvalidInput(f"the table cannot be read: {error}", where=f"line {reader.line_num}") from None
        return cls(columns, rows, rejected)

    def weights(self) -> dict[int, int]:
        """About how long each row is as an item, whatever its device's profile makes of it."""
        names = sum(len(name) + _CELL_OVERHEAD_BYTES for name in self.columns)
        return {index: names + sum(map(len, row.cells)) for index, row in self.rows.items()}

    def items(self, profiles: Mapping[str, Profile], device: str | None) -> tuple[dict[str, list[int]], Items]:
        """The rows as items, by the device of each. What is wrong with a row is added to `rejected`.

        profiles: by device, of those that may send. device: the one that sends; None where each row names its own.
        """
        devices: dict[str, list[int]] = {}
        items: Items = {}
        ways: dict[str, list[tuple[int, tuple[str, ...], Reader]]] = {}
        for index, row in self.rows.items():
            name = device or row.device
            if not name:
                self.rejected.append(Rejected(index, f"it does not name its device in a column {DEVICE!r}"))
                continue
            profile = profiles.get(name)
            if profile is None:
                # The device is unknown: that is said where devices are looked up, for all ways of sending.
                devices.setdefault(name, []).append(index)
                items[index] = b"{}"
                continue
            way = ways.get(profile.name)
            if way is None:
                way = ways[profile.name] = _way(self.columns, profile)
            payload = _payload(way, row.cells)
            if isinstance(payload, str):
                self.rejected.append(Rejected(index, payload))
            elif len(payload) > MAX_ITEM_BYTES:
                self.rejected.append(Rejected(index, TOO_LONG))
            else:
                devices.setdefault(name, []).append(index)
                items[index] = payload
        return devices, items


def _check_header(columns: list[str]) -> None:
    if not columns or not all(columns) or len(columns) > MAX_COLUMNS or len(set(columns)) < len(columns):
        raise InvalidInput(
            f"a table begins with the names of its columns, 1 to {MAX_COLUMNS}, none empty and none twice",
            where="line 1",
            remedy="Name a column as the field of the profile is named.",
        )


def _way(columns: list[str], profile: Profile) -> list[tuple[int, tuple[str, ...], Reader]]:
    """Which columns count for a profile, where in the payload each belongs, and how its cells are read."""
    readers: dict[str, Reader] = {mapping.field: _READERS[mapping.type] for mapping in profile.attributes.values()}
    if profile.time is not None:
        readers[profile.time] = str if profile.time_format is TimeFormat.RFC3339 else _number
    return [(place, tuple(name.split(".")), readers[name]) for place, name in enumerate(columns) if name in readers]


def _payload(way: list[tuple[int, tuple[str, ...], Reader]], cells: list[str]) -> bytes | str:
    """A row as the device would have sent it, or what is wrong with it."""
    found: dict[str, Any] = {}
    for place, path, read in way:
        cell = cells[place].strip()
        if not cell:
            continue
        try:
            value = read(cell)
        except ValueError as error:
            return f"{'.'.join(path)} is to be {error}, not {cell[:80]!r}"
        inner = found
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
            if type(inner) is not dict:
                return f"{'.'.join(path)} lies within a column that has a value of its own"
        inner[path[-1]] = value
    return _encode(found) if found else "no cell of it is a field of the device's profile"


def _number(cell: str) -> int | float:
    if _NUMBER.fullmatch(cell) is None:
        raise ValueError("a number")
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError("a finite number")
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _boolean(cell: str) -> bool:
    try:
        return _BOOLEANS[cell.lower()]
    except KeyError:
        raise ValueError("true or false") from None


def _json(cell: str) -> Any:
    try:
        return _decode(cell)
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("JSON") from None


_READERS: Final[dict[ValueType, Reader]] = {
    ValueType.NUMBER: _number,
    ValueType.TEXT: str,
    ValueType.BOOLEAN: _boolean,
    ValueType.JSON: _json,
}
