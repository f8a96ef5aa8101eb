"""Query parameters of NGSI-LD: what each operation takes, read strictly and described in one place.

A `Query` names an operation's parameters once; it describes them in OpenAPI, and refuses any other (6.3.20 of the
standard: an unknown parameter is an InvalidRequest, and is never passed over).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from litestar.openapi.spec import Operation, Parameter, RequestBody
from litestar.openapi.spec.enums import OpenAPIType
from litestar.openapi.spec.media_type import OpenAPIMediaType
from litestar.openapi.spec.schema import Schema
from litestar.types import Scope

from broadstreet.apis.ngsi_ld.answers import Answer
from broadstreet.context.bounds import DEFAULT_LIMIT, MAX_JOIN_LEVEL, MAX_LIMIT, MAX_NAMES, MAX_OFFSET, MAX_QUERY_LENGTH
from broadstreet.model.errors import InvalidInput, InvalidRequest, TooMany

_TEXT: Final = Schema(type=OpenAPIType.STRING)
_FLAG: Final = Schema(type=OpenAPIType.BOOLEAN, default=False)


def _choice(*values: str) -> Schema:
    return Schema(type=OpenAPIType.STRING, enum=list(values))


def _integer(default: int, maximum: int, minimum: int = 0) -> Schema:
    return Schema(type=OpenAPIType.INTEGER, minimum=minimum, maximum=maximum, default=default)


_JOINS: Final = ("inline", "flat", "@none")
_FORMS: Final = ("normalized", "concise", "simplified", "keyValues")
_KNOWN: Final[dict[str, tuple[str, Schema]]] = {
    "id": ("Ids of entities, joined by commas.", _TEXT),
    "type": ("Entity types: names joined by `,` or `|` (any) and `;` (all), or `*`.", _TEXT),
    "idPattern": ("A regular expression that ids match.", _TEXT),
    "attrs": ("Attributes, joined by commas: an entity has one of them, and only these are shown.", _TEXT),
    "pick": ("Members to show, joined by commas; those of linked entities in braces.", _TEXT),
    "omit": ("Members to leave out, joined by commas; those of linked entities in braces.", _TEXT),
    "q": ('A query over attributes, such as `NO2>40;street=="Aleksanterinkatu"`.', _TEXT),
    "scopeQ": ("A query over scopes, such as `/Helsinki/#`.", _TEXT),
    "georel": (
        "`near;maxDistance==…` or `near;minDistance==…` in metres, `within`, `contains`, `intersects`, `equals`, "
        "`disjoint` or `overlaps`.",
        _TEXT,
    ),
    "geometry": ("The type of the query's geometry.", _TEXT),
    "coordinates": ("The coordinates of the query's geometry, as JSON: `[24.94,60.17]`.", _TEXT),
    "geoproperty": ("The GeoProperty asked about; left out: location.", _TEXT),
    "geometryProperty": ("The GeoProperty that gives a GeoJSON feature its geometry; left out: location.", _TEXT),
    "orderBy": (
        "In which order, joined by commas: attributes or members, such as `name;desc` or `location;dist-asc`.",
        _TEXT,
    ),
    "orderFrom": ("From where the distances of orderBy are measured, as JSON: `[24.94,60.17]`.", _TEXT),
    "collation": ("How texts are ordered; left out: by their code points.", _TEXT),
    "csf": ("A query over sources of context; this broker is the only one, and checks its grammar alone.", _TEXT),
    "lang": ("Languages, best first, in which LanguageProperties are shown as texts.", _TEXT),
    "datasetId": ("Ids of attribute instances, joined by commas; `@none` is the default one.", _TEXT),
    "expandValues": ("Attributes whose values in q are terms of the @context.", _TEXT),
    "jsonKeys": ("Attributes whose values in q are plain JSON, as all are that expandValues does not name.", _TEXT),
    "join": ("Where linked entities stand: in their relationships, or behind the entities.", _choice(*_JOINS)),
    "joinLevel": ("How many links one behind the other are followed.", _integer(1, MAX_JOIN_LEVEL, minimum=1)),
    "containedBy": ("Ids of entities that are not joined in, joined by commas.", _TEXT),
    "limit": ("How many at most.", _integer(DEFAULT_LIMIT, MAX_LIMIT)),
    "offset": ("How many to pass over.", _integer(0, MAX_OFFSET)),
    "count": ("Whether to say how many there are, in NGSILD-Results-Count.", _FLAG),
    "local": ("Whether to ask this broker alone, which it does anyway; allows a query without a filter.", _FLAG),
    "options": ("Options, joined by commas: `keyValues`, `concise`, `sysAttrs` and the operation's own.", _TEXT),
    "format": ("The representation.", _choice(*_FORMS, "temporalValues", "aggregatedValues")),
    "keep": ("Attributes that stay, joined by commas: the entities stay with them.", _TEXT),
    "drop": ("Attributes that go, joined by commas: everything else stays.", _TEXT),
    "deleteAll": ("Whether all instances of the attribute go.", _FLAG),
    "details": ("Whether to tell more than names.", _FLAG),
    "kind": ("Of which kind.", _choice("Hosted", "Cached", "ImplicitlyCreated")),
    "reload": ("Whether a copy is fetched anew instead.", _FLAG),
    "timerel": ("How the times lie to timeAt.", _choice("before", "after", "between")),
    "timeAt": ("A time, as 2026-03-01T12:00:00Z.", _TEXT),
    "endTimeAt": ("The other end of `between`.", _TEXT),
    "timeproperty": ("The time that counts.", _choice("observedAt", "createdAt", "modifiedAt")),
    "lastN": ("How many of the newest instances of each attribute.", _TEXT),
    "aggrMethods": ("How values become one: totalCount, distinctCount, sum, avg, min, max, stddev, sumsq.", _TEXT),
    "aggrPeriodDuration": ("The length of a period, as PT1H or P1D; left out: the whole range.", _TEXT),
}


class Parameters:
    """One request's query parameters."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def all(self) -> dict[str, str]:
        """All of them as they came."""
        return self._values

    def with_values(self, values: Mapping[str, str]) -> Parameters:
        """These parameters and others."""
        return Parameters({**self._values, **values})

    def text(self, name: str) -> str | None:
        """A parameter as it stands; None where it is left out. Raises InvalidInput where it is empty."""
        value = self._values.get(name)
        if value == "":
            raise InvalidInput(f"{name} is empty", where=name)
        return value

    def flag(self, name: str) -> bool:
        """True or false; false where it is left out. Raises InvalidInput."""
        value = self._values.get(name, "false")
        if value not in ("true", "false"):
            raise InvalidInput(f"{name} is true or false", where=name)
        return value == "true"

    def integer(self, name: str, default: int, maximum: int) -> int:
        """A whole number from 0 on. Raises InvalidInput."""
        text = self._values.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or int(text[:12]) > maximum:
            raise InvalidInput(f"{name} is a whole number from 0 to {maximum}", where=name)
        return int(text)

    def names(self, name: str, joined_by: str = ",|") -> list[str]:
        """A list joined by any of these characters; empty where it is left out. Raises InvalidInput, TooMany."""
        text = self.text(name)
        if text is None:
            return []
        names = [part.strip() for part in re.split(f"[{joined_by}]", text)]
        if "" in names:
            raise InvalidInput(f"{name} holds an empty name", where=name)
        if len(names) > MAX_NAMES:
            raise TooMany(f"{name} holds at most {MAX_NAMES} names", where=name)
        return names

    @property
    def options(self) -> set[str]:
        """What options and format ask for, where an operation has few enough not to tell them apart."""
        return {*self.names("options"), *self.names("format")}


class Query:
    """The query parameters one operation takes, and how it is described."""

    def __init__(self, *names: str, body: str | None = None, answers: Mapping[int, str | Answer]) -> None:
        """body: what the request's body is, where it has one. answers: by their status; a text has no body."""
        self._names = frozenset(names)
        self.operation = _describe(names, body, answers)
        """What describes the operation to OpenAPI."""

    def read(self, scope: Scope) -> Parameters:
        """The parameters of a request. Raises InvalidRequest, InvalidInput."""
        raw = scope["query_string"]
        if not raw:
            return _NONE
        if len(raw) > 4 * MAX_QUERY_LENGTH:
            raise InvalidRequest("the query string is too long", remedy="Use POST /entityOperations/query.")
        values: dict[str, str] = {}
        for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="replace"):
            if name not in self._names:
                raise InvalidRequest(
                    f"the parameter {name[:40]!r} is not known here",
                    where=name[:40],
                    remedy=f"Known: {', '.join(sorted(self._names)) or 'none'}.",
                )
            if "\x00" in value:
                raise InvalidInput("the character U+0000 stands nowhere", where=name)
            if name in values and name != "options":
                raise InvalidInput(f"{name} comes twice", where=name)
            values[name] = f"{values[name]},{value}" if name in values else value
        return Parameters(values)


_NONE: Final = Parameters({})


def _describe(names: Sequence[str], body: str | None, answers: Mapping[int, str | Answer]) -> type[Operation]:
    parameters = [
        Parameter(name=name, param_in="query", description=_KNOWN[name][0], schema=_KNOWN[name][1]) for name in names
    ]

    @dataclass
    class Described(Operation):
        """An operation whose handler reads its parameters and body itself."""

        def __post_init__(self) -> None:
            self.parameters = [*(self.parameters or []), *parameters] or None
            self.responses = {
                str(status): (Answer(told) if isinstance(told, str) else told).described()
                for status, told in answers.items()
            }
            if body is not None:
                content = {media: OpenAPIMediaType(schema=Schema(description=body)) for media in BODY_MEDIA_TYPES}
                self.request_body = RequestBody(content=content, description=body, required=True)

    return Described


BODY_MEDIA_TYPES: Final = ("application/json", "application/ld+json")
"""What a body comes as, in either direction."""
