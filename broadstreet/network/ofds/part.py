"""How a JSON object of the standard becomes one of ours, and goes out again as it came.

A kind of object is a `Part`: a struct whose fields are the standard's members by their types. What more the standard
asks of a member stands beside its type as a `Rule`. `take` makes a part of an object and notes each fault; `give`
makes the object again. What must always hold: `give(take(x))` is x, whatever x is. So a member that is unknown, or
whose value is not of the type it should be, stays as it came in `other`; what stands in a list in place of an object
is a part without members that has it in `instead`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, ClassVar, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ofds.fault import Faults, Kind, shown

MAX_DEPTH: Final = 64
"""How deep a value that the standard does not know may nest."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_IRI: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:[^\x00-\x20\x7f-\x9f<>\"{}|\\^`%\[\]\ue000-\uffff]|%[0-9A-Fa-f]{2})*"
)


@dataclass(frozen=True)
class Rule:
    """
    What the standard asks of a member beyond its type.

    codes: the closed list it is from. form: uuid, date or iri. value: the only one allowed.
    """

    required: bool = False
    codes: frozenset[str] | None = None
    form: str | None = None
    value: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """
    A JSON object of the standard.

    other:   members that are unknown, or whose values are not of their type, as they came.
    instead: what stood here in place of an object.
    """

    closed: ClassVar[bool] = False
    """Whether the standard allows no members but its own."""

    may_be_empty: ClassVar[bool] = False
    """Whether the standard lets it say nothing."""

    identified: ClassVar[bool] = False
    """Whether its `id` tells it from others of its list."""

    other: dict[str, Any] = {}
    instead: Any = UNSET


P = TypeVar("P", bound=Part)
Reader = Callable[[Any, str, Faults], Any]


@dataclass(frozen=True)
class Member:
    """A member of a kind of part. name: in JSON. read: gives the value, or UNSET if it is not of its type."""

    field: str
    name: str
    rule: Rule
    read: Reader
    default: Any


@cache
def members(kind: type[Part]) -> dict[str, Member]:
    """The members that a kind of part has by the standard, by their names in JSON."""
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in msgspec.structs.fields(kind):
        if field.name not in ("other", "instead"):
            hint, rule = hints[field.name], Rule()
            if get_origin(hint) is Annotated:
                hint, rule = get_args(hint)
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            found[field.encode_name] = Member(field.name, field.encode_name, rule, _reader(hint, rule), default)
    return found


def take(kind: type[P], raw: Any, path: str, faults: Faults) -> P:
    """A part from a JSON value; each fault in it is noted."""
    if not isinstance(raw, dict):
        faults.add(Kind.WRONG_TYPE, path, f"{shown(raw)} stands where an object should", "Replace it by an object.")
        _no_deeper(raw, path)
        return kind(instead=raw)
    known = members(kind)
    values: dict[str, Any] = {}
    other: dict[str, Any] = {}
    for name, value in raw.items():
        member = known.get(name)
        if member is None:
            if kind.closed:
                faults.add(
                    Kind.NOT_ALLOWED, f"{path}/{_pointed(name)}", "no other member is allowed here", "Remove it."
                )
            else:
                what = "the standard does not know this member; it is kept as it came"
                faults.add(
                    Kind.UNKNOWN_MEMBER, f"{path}/{_pointed(name)}", what, "Use the standard's where there is one."
                )
            read = UNSET
        else:
            read = member.read(value, f"{path}/{name}", faults)
        if read is UNSET:
            _no_deeper(value, f"{path}/{name}")
            other[name] = value
        else:
            values[member.field if member else name] = read
    if not raw and not kind.may_be_empty:
        faults.add(Kind.EMPTY, path, "an object without members", "Leave it out, or say something.")
    for member in known.values():
        if member.rule.required and member.name not in raw:
            faults.add(
                Kind.MISSING, f"{path}/{member.name}", f"'{member.name}' is missing", "The standard requires it."
            )
    return kind(**values, other=other)


def give(part: Part) -> Any:
    """The JSON value a part was made of, or stands for."""
    if part.instead is not UNSET:
        return part.instead
    given: dict[str, Any] = {}
    for member in members(type(part)).values():
        value = getattr(part, member.field)
        if value is None or value == member.default:
            continue
        if isinstance(value, Part):
            given[member.name] = give(value)
        elif isinstance(value, tuple):
            given[member.name] = [give(item) if isinstance(item, Part) else item for item in value]
        else:
            given[member.name] = value
    for name, value in part.other.items():
        given.setdefault(name, value)
    return given


def _reader(hint: Any, rule: Rule) -> Reader:
    """What reads a member of this type."""
    inner = [argument for argument in get_args(hint) if argument is not type(None) and argument is not Ellipsis]
    if get_origin(hint) is tuple:
        return _texts(rule) if inner[0] is str else _parts(inner[0])
    if get_origin(hint) is list:
        return _positions if get_origin(inner[0]) is list else _position
    sort = inner[0]
    if issubclass(sort, Part):
        return lambda raw, path, faults: (
            take(sort, raw, path, faults) if isinstance(raw, dict) else _no(raw, path, faults, "an object")
        )
    return {str: _text(rule), bool: _flag, int: _whole, float: _number}[sort]


def _no(raw: Any, path: str, faults: Faults, wanted: str) -> Any:
    faults.add(Kind.WRONG_TYPE, path, f"{shown(raw)} is not {wanted}; it is kept as it came", f"Write {wanted}.")
    return UNSET


def _text(rule: Rule) -> Reader:
    def read(raw: Any, path: str, faults: Faults) -> Any:
        if not isinstance(raw, str):
            return _no(raw, path, faults, "a text")
        if rule.value is not None and raw != rule.value:
            faults.add(Kind.WRONG_VALUE, path, f"{shown(raw)} is not {rule.value!r}", f"Write {rule.value!r}.")
        elif not raw and rule.form is None:
            faults.add(Kind.EMPTY, path, "an empty text", "Leave it out, or say something.")
        elif rule.codes is not None and raw not in rule.codes:
            faults.add(Kind.NOT_IN_LIST, path, f"{shown(raw)} is not in the closed list", _one_of(rule.codes))
        elif rule.form is not None and not has_form(raw, rule.form):
            form = {"uuid": "a UUID", "date": "a date such as 2026-12-31", "iri": "a web address (IRI)"}[rule.form]
            faults.add(Kind.WRONG_FORM, path, f"{shown(raw)} is not {form}", f"Write {form}.")
        return raw

    return read


def has_form(text: str, form: str) -> bool:
    """Whether a text is a uuid, a date (RFC 3339) or an iri (RFC 3987, absolute)."""
    if form == "uuid":
        return _UUID.fullmatch(text) is not None
    if form == "iri":
        return _IRI.fullmatch(text) is not None
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


def _one_of(codes: frozenset[str]) -> str:
    few = len(codes) <= 12
    return f"Use one of {', '.join(sorted(codes))}." if few else f"Use one of its {len(codes)} codes."


def _flag(raw: Any, path: str, faults: Faults) -> Any:
    return raw if isinstance(raw, bool) else _no(raw, path, faults, "true or false")


def _is_number(raw: Any) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool)


def _whole(raw: Any, path: str, faults: Faults) -> Any:
    is_whole = _is_number(raw) and (isinstance(raw, int) or raw.is_integer())
    return int(raw) if is_whole else _no(raw, path, faults, "a whole number")


def _number(raw: Any, path: str, faults: Faults) -> Any:
    return raw if _is_number(raw) else _no(raw, path, faults, "a number")


def _list(raw: Any, path: str, faults: Faults) -> bool:
    """Whether it is a list with something in it."""
    if not isinstance(raw, list):
        _no(raw, path, faults, "a list")
        return False
    if not raw:
        faults.add(Kind.EMPTY, path, "an empty list", "Leave it out, or fill it.")
    return bool(raw)


def _texts(rule: Rule) -> Reader:
    one = _text(rule)

    def read(raw: Any, path: str, faults: Faults) -> Any:
        if not _list(raw, path, faults):
            return UNSET
        found = tuple(one(item, f"{path}/{n}", faults) for n, item in enumerate(raw))
        if UNSET in found:
            return UNSET
        _repeated(raw, path, faults)
        return found

    return read


def _parts(kind: type[Part]) -> Reader:
    def read(raw: Any, path: str, faults: Faults) -> Any:
        if not _list(raw, path, faults):
            return UNSET
        if not kind.identified:
            _repeated(raw, path, faults)
        return tuple(take(kind, item, f"{path}/{n}", faults) for n, item in enumerate(raw))

    return read


def _repeated(raw: list[Any], path: str, faults: Faults) -> None:
    seen: set[str] = set()
    for n, item in enumerate(raw if len(raw) > 1 else ()):
        key = json.dumps(item, sort_keys=True)
        if key in seen:
            faults.add(Kind.REPEATED, f"{path}/{n}", f"{shown(item)} is in the list already", "Name it once.")
        seen.add(key)


def _position(raw: Any, path: str, faults: Faults) -> Any:
    if not isinstance(raw, list) or len(raw) < 2 or not all(_is_number(number) for number in raw):
        return _no(raw, path, faults, "a position: a list of longitude and latitude")
    if not in_degrees(raw):
        what = f"{shown(raw)} is no longitude and latitude in degrees"
        faults.add(
            Kind.NOT_DEGREES, path, what, "Convert it to WGS 84 degrees, longitude first; a projection counts metres."
        )
        return UNSET
    return raw


def _positions(raw: Any, path: str, faults: Faults) -> Any:
    if not isinstance(raw, list) or len(raw) < 2:
        return _no(raw, path, faults, "a list of two positions or more")
    for n, position in enumerate(raw):
        if _position(position, f"{path}/{n}", faults) is UNSET:
            return UNSET
    return raw


def in_degrees(position: list[float]) -> bool:
    """Whether it can be a longitude and a latitude."""
    return math.fabs(position[0]) <= 180 and math.fabs(position[1]) <= 90


def _no_deeper(value: Any, path: str) -> None:
    """Refuse what nests so deep that it could not be written again."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for holder in level
            if isinstance(holder, dict | list)
            for item in (holder.values() if isinstance(holder, dict) else holder)
        ]
        if not level:
            return
    raise InvalidInput(f"a value nests deeper than {MAX_DEPTH} levels", where=path, remedy="Make it flatter.")


def _pointed(name: str) -> str:
    """A member's name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
