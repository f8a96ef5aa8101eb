"""A sheet of values: a TOML file that people edit, read into a typed value, all that is wrong in it told at once.

A sheet's tables are structs, or tables of structs by name or number; its leaves are numbers, words and prices. A price
is written in the currency's own unit (`62.50`) and kept in whole cents. Who edits a sheet changes many lines, so all
faults are told together, each with its place (`trench.asphalt.labour_per_m`) and what belongs there.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NewType, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge

MAX_SHEET_BYTES: Final = 1_000_000
"""The longest sheet that is read. The ones that come with the house have a few thousand bytes."""
MAX_PRICE_CENTS: Final = 10_000_000_00
"""The dearest price of one thing: ten million."""
MAX_PRICE_PER_M_CENTS: Final = 20_000_00
"""The dearest price of one metre: twenty thousand. A price per kilometre, or one in cents, mostly lies beyond it."""
MAX_AMOUNT_CENTS: Final = 10_000_000_000_00
"""The most money that is spoken of at once, a year's budget or a grant: ten thousand million."""
MAX_TOLD: Final = 20
"""How many faults of a sheet are told; of the others the number is."""

Cents = NewType("Cents", int)
"""Money in whole hundredths of the currency's unit: what one thing costs."""
Amount = NewType("Amount", int)
"""Money in whole hundredths of the currency's unit: what a whole project or year has."""

S = TypeVar("S", bound=msgspec.Struct)
Fault = tuple[str, str]
"""A place in the sheet, and what is wrong there."""


class BadSheet(InvalidInput):
    """Lines of a sheet cannot be used; `lines` are all of them, each a place in the sheet and what is wrong there."""

    def __init__(self, lines: Sequence[Fault], where: str) -> None:
        self.lines = tuple(lines)
        told = "; ".join(f"{place}: {fault}" if place else fault for place, fault in lines[:MAX_TOLD])
        more = f"; and {len(lines) - MAX_TOLD} more" if len(lines) > MAX_TOLD else ""
        super().__init__(
            f"{len(lines)} of its lines cannot be used: {told}{more}" if len(lines) > 1 else told,
            where=where,
            remedy="Mend what is named; the sheet that comes with Broadstreet shows every line.",
        )


def read_sheet(path: Path, kind: type[S]) -> S:
    """The value that a file holds. Raises NotFound, TooLarge, or InvalidInput with every fault and its place."""
    if not path.is_file():
        raise NotFound("there is no such file", where=str(path), remedy="Give the path of a TOML file.")
    if (size := path.stat().st_size) > MAX_SHEET_BYTES:
        raise TooLarge(
            f"a sheet of {size} bytes is over the bound of {MAX_SHEET_BYTES}",
            where=str(path),
            remedy="This is hardly a sheet of prices: give the TOML file that holds them.",
        )
    return parse_sheet(path.read_bytes(), kind, str(path))


def parse_sheet(content: bytes, kind: type[S], where: str) -> S:
    """The value that bytes of TOML hold. where: what they are called in an error."""
    try:
        tables = tomllib.loads(content.decode(), parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise InvalidInput("this is not text in UTF-8", where=where, remedy="Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"this is not TOML: {error}", where=where, remedy="Mend that line.") from error
    faults: list[Fault] = []
    value = _struct(tables, kind, "", faults)
    if value is not None:
        return value
    raise BadSheet(faults, where)


def _struct(table: object, kind: type[S], at: str, faults: list[Fault]) -> S | None:
    """The struct that a table holds; None, with what is wrong added to the faults, where it holds none."""
    if not isinstance(table, Mapping):
        faults.append((at, f"a table is expected here, not {_shown(table)}"))
        return None
    before = len(faults)
    hints = get_type_hints(kind, include_extras=True)
    optional = {field.name for field in msgspec.structs.fields(kind) if not field.required}
    for key in table:
        if key not in hints:
            close = difflib.get_close_matches(key, hints, n=1, cutoff=0.5)
            known = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(hints))}"
            faults.append((_below(at, key), f"there is no such entry; {known}"))
    faults.extend((_below(at, name), _missing(hint)) for name, hint in hints.items() if name not in {*table, *optional})
    values = {name: _value(table[name], hints[name], _below(at, name), faults) for name in hints if name in table}
    if len(faults) > before:
        return None
    try:
        return kind(**values)
    except ValueError as error:  # each value holds by itself, but not beside the others
        faults.append((at, str(error)))
        return None


def _value(value: object, hint: Any, at: str, faults: list[Fault]) -> object:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _struct(value, hint, at, faults)
    if get_origin(hint) is dict:
        return _table(value, hint, at, faults)
    if hint is Cents or hint is Amount:
        dearest = MAX_PRICE_PER_M_CENTS if at.endswith("_per_m") else MAX_PRICE_CENTS
        return _price(value, at, MAX_AMOUNT_CENTS if hint is Amount else dearest, faults)
    plain = float(value) if isinstance(value, Decimal) else value
    try:
        return msgspec.convert(plain, hint)
    except msgspec.ValidationError as error:
        faults.append((at, f"{_reason(error)}; found {_shown(value)}"))
        return None


def _table(value: object, hint: Any, at: str, faults: list[Fault]) -> dict[Any, Any]:
    """A table of structs, by name or by number."""
    key_type, struct = get_args(hint)
    if not isinstance(value, Mapping) or not value:
        faults.append((at, f"a table with one entry or more is expected here, not {_shown(value)}"))
        return {}
    found = {}
    for key, entry in value.items():
        try:
            found[msgspec.convert(key, key_type, strict=False)] = _struct(entry, struct, _below(at, key), faults)
        except msgspec.ValidationError as error:
            faults.append((_below(at, key), f"the name of an entry here: {_reason(error)}"))
    return found


def _price(value: object, at: str, bound: int, faults: list[Fault]) -> int:
    """Cents of a price in the currency's unit. bound: in cents."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        faults.append((at, f"a price is a number alone, such as 62.50; found {_shown(value)}"))
        return 0
    cents = Decimal(value) * 100
    if cents < 0:
        faults.append((at, f"a price is not negative; found {value}"))
    elif cents > bound:
        unit = "for each metre, in the currency's unit: not cents, not per kilometre" if bound < MAX_PRICE_CENTS else ""
        faults.append((at, f"{value} is over the bound of {bound // 100} {unit}".rstrip()))
    elif cents != int(cents):
        faults.append((at, f"a price has whole cents; found {value}"))
    return int(cents)


def _missing(hint: Any) -> str:
    """What is said of an entry that is not there."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"is missing: a table with {', '.join(get_type_hints(hint))}"
    return "is missing"


def _below(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _reason(error: msgspec.ValidationError) -> str:
    return str(error).partition(" - at ")[0].replace("`", "").lower()


def _shown(value: object) -> str:
    text = "a table" if isinstance(value, Mapping) else repr(value) if not isinstance(value, Decimal) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
