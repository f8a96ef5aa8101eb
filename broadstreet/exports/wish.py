"""What somebody wants to take away: which entities and attributes, of when, summed up or not, in which format.

A wish is written as a URL's query, and `parse_wish(wish.query)` is the wish again. Names are those of the core
@context; a list has commas between, but for `id`, which is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta

from broadstreet.access import Permission
from broadstreet.context import (
    CORE,
    GeoQuery,
    Selection,
    Selector,
    parse_coordinates,
    parse_georel,
    parse_query,
    parse_types,
)
from broadstreet.history import Method, Period, time_zone
from broadstreet.model.clock import MAX_US, MIN_US, parse_rfc3339
from broadstreet.model.errors import InvalidInput, InvalidQuery
from broadstreet.model.terms import expand

What = Literal["history", "entities"]
Format = Literal["csv", "ndjson", "parquet", "arrow", "geojson"]

PERMISSION: Final[Permission] = "history:export"
MAX_NAMES: Final = 256
"""Ids, and names of attributes, of one wish."""
MAX_ENTITIES: Final = 200_000
"""Entities of one export."""
DEFAULT_LAST: Final = "P7D"
_MULTIPLE: Final = frozenset({"attrs", "methods"})
_NUMBERS: Final = frozenset({"near", "box"})

Name = Annotated[str, Meta(min_length=1, max_length=1_024)]
Names = Annotated[tuple[Name, ...], Meta(max_length=MAX_NAMES)]


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    what:    `history`: what was observed; `entities`: their newest values, with where they stand.
    format:  `geojson` is for entities.
    id, type, q, street, near, box: which entities; all that is given must hold, nothing given is all of them. `near` is
             longitude, latitude and metres, `box` west, south, east, north in degrees.
    dataset: the dataset that series belong to.
    attrs:   names of attributes; none is all.
    from, to, last: of when, from on and before to; or as long as `last` (ISO 8601) until now.
    every:   the length of a period (ISO 8601) by which history is summed up, by `methods`, in the time zone `zone`.
    verbatim: of CSV: texts that a spreadsheet would take for a formula stay as they are.
    """

    what: What = "history"
    format: Format = "csv"
    id: Names = ()
    type: Name | None = None
    q: Annotated[str, Meta(max_length=8_192)] | None = None
    street: Name | None = None
    near: tuple[float, float, float] | None = None
    box: tuple[float, float, float, float] | None = None
    dataset: Name | None = None
    attrs: Names = ()
    begin: str | None = msgspec.field(default=None, name="from")
    end: str | None = msgspec.field(default=None, name="to")
    last: str | None = None
    every: str | None = None
    methods: tuple[Method, ...] = (Method.AVG,)
    zone: str = "UTC"
    verbatim: bool = False

    def __post_init__(self) -> None:
        """Raises InvalidInput, InvalidQuery for what cannot be carried out."""
        if self.format == "geojson" and self.what != "entities":
            raise InvalidInput("GeoJSON is for entities", where="format", remedy="Ask for what=entities.")
        if self.what == "entities" and (self.begin, self.end, self.last, self.every) != (None,) * 4:
            raise InvalidInput("entities are told as they are now", where="from, to, last, every")
        if self.last is not None and (self.begin, self.end) != (None, None):
            raise InvalidInput("a range is given by `last`, or by `from` and `to`", where="last")
        if not self.methods or len(set(self.methods)) != len(self.methods):
            raise InvalidInput("methods are named once each", where="methods")
        self.range_us(0)
        self.selection()
        self.period()
        time_zone(self.zone)

    @property
    def query(self) -> str:
        """The wish as a URL's query."""
        pairs: list[tuple[str, str]] = []
        for name, value in msgspec.to_builtins(self).items():
            if name == "id":
                pairs += [(name, one) for one in value]
            elif isinstance(value, list | tuple):
                pairs.append((name, ",".join(one if isinstance(one, str) else f"{one:g}" for one in value)))
            else:
                pairs.append((name, "true" if value is True else value))
        return urlencode(pairs, quote_via=quote, safe=":,/")

    @property
    def file_name(self) -> str:
        """What a browser saves it as."""
        one = self.id[0].rpartition(":")[2] if len(self.id) == 1 else ""
        kinds = [self.what, self.type or "", one, *self.attrs[:3], self.street or "", self.every or ""]
        days = [text[:10] for text in (self.begin, self.end) if text] or [self.last or ""]
        named = ["".join(c if c.isascii() and c.isalnum() else "-" for c in part).strip("-") for part in kinds + days]
        return "_".join(part[:60] for part in named if part) + "." + self.format

    def range_us(self, now_us: int) -> tuple[int, int]:
        """From when on, and before when."""
        if self.begin is None and self.end is None:
            last = Period.parse(self.last or DEFAULT_LAST, "last")
            back = Period(-last.months, -last.days, -last.us)
            return max(back.after(now_us, 1, time_zone(self.zone)), MIN_US), now_us + 1
        from_us = MIN_US if self.begin is None else parse_rfc3339(self.begin, "from")
        to_us = MAX_US if self.end is None else parse_rfc3339(self.end, "to")
        if from_us > to_us:
            raise InvalidQuery("the range ends before it begins", where="from, to", remedy="Swap them.")
        return from_us, to_us

    def period(self) -> Period | None:
        """By which periods it is summed up; None where it is not."""
        return None if self.every is None else Period.parse(self.every, "every")

    def selection(self) -> Selection:
        """Which entities are meant. Raises InvalidInput, InvalidQuery, TooLarge, TooMany."""
        types = None if self.type is None else parse_types(self.type, CORE)
        asked = [f"({self.q})"] if self.q else []
        if self.street is not None:
            street = msgspec.json.encode(self.street).decode()
            asked.append(f"(address[streetAddress]=={street}|address=={street})")
        return Selection(
            selectors=(Selector(ids=self.id, types=types),) if self.id or types is not None else (),
            query=parse_query(";".join(asked)) if asked else None,
            geo=self._geo(),
            limit=MAX_ENTITIES,
        )

    def _geo(self) -> GeoQuery | None:
        if self.near is not None and self.box is not None:
            raise InvalidInput("a place is given by `near` or by `box`", where="near, box")
        location = expand("location")
        if self.near is not None:
            lon, lat, metres = self.near
            return parse_georel(f"near;maxDistance=={metres:f}", parse_coordinates("Point", [lon, lat]), location)
        if self.box is not None:
            west, south, east, north = self.box
            ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
            return parse_georel("intersects", parse_coordinates("Polygon", [ring]), location)
        return None


def parse_wish(pairs: Iterable[tuple[str, str]]) -> Wish:
    """A wish from a URL's query, whose names and values are decoded. Raises InvalidInput, InvalidQuery."""
    found: dict[str, Any] = {}
    for name, text in pairs:
        if name == "id":
            found.setdefault(name, []).append(text)
        elif name in found:
            raise InvalidInput(f"{name[:80]!r} is given twice", where=name[:80])
        elif name in _MULTIPLE:
            found[name] = [part for part in text.split(",") if part]
        elif name in _NUMBERS:
            found[name] = text.split(",")
        else:
            found[name] = text
    return wish_of(found, strict=False)


def wish_of(described: Mapping[str, Any], *, strict: bool = True) -> Wish:
    """A wish from its parts. strict: numbers and booleans must not be texts. Raises InvalidInput, InvalidQuery."""
    try:
        return msgspec.convert(described, Wish, strict=strict)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        if isinstance(cause, InvalidInput | InvalidQuery):
            raise cause from None
        raise InvalidInput(
            f"the description of the export is not right: {error}",
            remedy="docs/reference/exports.md says what it may hold.",
        ) from None


FORMATS: Final[Sequence[Format]] = get_args(Format)
