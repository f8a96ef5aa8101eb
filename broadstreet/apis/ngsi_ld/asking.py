"""What a caller asks to be shown, and of which entities: query parameters, or the body of a POST query (5.2.23 of the
standard), become a `Presentation` and a `Selection`.

Both ways lead through `Wishes`, so that they mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec

from broadstreet.apis.ngsi_ld.ordering import OrderWish
from broadstreet.apis.ngsi_ld.parameters import Parameters
from broadstreet.apis.ngsi_ld.projection import MEMBERS, checked, members_of, plain_name, projection_of
from broadstreet.context import (
    Form,
    GeoQuery,
    Presentation,
    Selection,
    Selector,
    Vocabulary,
    parse_coordinates,
    parse_georel,
    parse_query,
    parse_scope_query,
    parse_types,
)
from broadstreet.context.bounds import DEFAULT_LIMIT, MAX_LIMIT, MAX_NAMES, MAX_OFFSET, MAX_PATTERN_LENGTH
from broadstreet.context.language import parse_languages
from broadstreet.model.errors import InvalidInput, InvalidRequest, TooLarge, TooMany
from broadstreet.model.identifiers import check_uri

SHOWING: Final = ("attrs", "pick", "omit", "lang", "datasetId", "options", "format")
"""Parameters that say what is shown."""
SELECTING: Final = (
    "id",
    "type",
    "idPattern",
    "q",
    "scopeQ",
    "georel",
    "geometry",
    "coordinates",
    "geoproperty",
    "expandValues",
    "jsonKeys",
    "csf",
)
"""Parameters that say which entities are meant."""
PAGING: Final = ("limit", "offset", "count", "local")

_FORMS: Final = {
    "normalized": Form.NORMALIZED,
    "concise": Form.CONCISE,
    "simplified": Form.SIMPLIFIED,
    "keyValues": Form.SIMPLIFIED,
}
Struct = TypeVar("Struct", bound=msgspec.Struct)


class EntitySelector(msgspec.Struct, forbid_unknown_fields=True):
    """One of the selectors of a POST query (5.2.33)."""

    type: str
    id: str | list[str] | None = None
    idPattern: str | None = None


class GeoWish(msgspec.Struct, forbid_unknown_fields=True):
    """A geographic query (5.2.13)."""

    georel: str
    geometry: str
    coordinates: Any
    geoproperty: str | None = None


class Wishes(msgspec.Struct, forbid_unknown_fields=True):
    """Everything a query may ask for, by the names of the standard."""

    type: str = "Query"
    entities: list[EntitySelector] | None = None
    attrs: list[str] | None = None
    pick: list[str] | None = None
    omit: list[str] | None = None
    q: str | None = None
    geoQ: GeoWish | None = None
    scopeQ: str | None = None
    lang: str | None = None
    datasetId: list[str] | None = None
    expandValues: list[str] | None = None
    jsonKeys: list[str] | None = None
    csf: str | None = None
    ordering: OrderWish | None = None


Asked = TypeVar("Asked", bound=Wishes)


def convert(document: Any, kind: type[Struct], where: str) -> Struct:
    """A JSON value as a typed request. Raises InvalidInput."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error), where=where) from None


def wishes_of_body(document: dict[str, Any]) -> Wishes:
    """The body of a POST query. Raises InvalidInput."""
    return wishes_as(document, Wishes)


def wishes_as(document: dict[str, Any], kind: type[Asked]) -> Asked:
    """The body of a POST query that may ask for all that `kind` has. Raises InvalidInput."""
    wishes = convert({key: value for key, value in document.items() if key != "@context"}, kind, "body")
    if wishes.type != "Query":
        raise InvalidInput("the body's type is Query", where="type")
    for name in ("entities", "attrs", "pick", "omit", "datasetId"):
        if getattr(wishes, name) == []:
            raise InvalidInput(f"{name} is empty", where=name)
    return wishes


def wishes_of_parameters(parameters: Parameters) -> Wishes:
    """Query parameters as the same wishes, but for id, type and idPattern. Raises InvalidInput."""
    georel, geometry, coordinates = (parameters.text(name) for name in ("georel", "geometry", "coordinates"))
    given = [georel is not None, geometry is not None, coordinates is not None]
    if any(given) and not all(given):
        raise InvalidInput("georel, geometry and coordinates come together", where="georel")
    return Wishes(
        attrs=parameters.names("attrs") or None,
        pick=members_of(parameters, "pick") or None,
        omit=members_of(parameters, "omit") or None,
        q=parameters.text("q"),
        geoQ=GeoWish(georel or "", geometry or "", coordinates, parameters.text("geoproperty")) if all(given) else None,
        scopeQ=parameters.text("scopeQ"),
        lang=parameters.text("lang"),
        datasetId=parameters.names("datasetId") or None,
        expandValues=parameters.names("expandValues") or None,
        jsonKeys=parameters.names("jsonKeys") or None,
        csf=parameters.text("csf"),
    )


def selector_of(parameters: Parameters, vocabulary: Vocabulary) -> Selector:
    """id, type and idPattern of the query parameters."""
    types = parameters.text("type")
    if types == "*" and parameters.all.get("local") == "false":
        raise InvalidInput("all types are asked of this broker alone", where="local")
    return selector(parameters.names("id"), parameters.text("idPattern"), types, vocabulary)


def selector(ids: Iterable[str], pattern: str | None, types: str | None, vocabulary: Vocabulary) -> Selector:
    """A selector, checked. Raises InvalidInput, TooLarge."""
    if pattern is not None and len(pattern) > MAX_PATTERN_LENGTH:
        raise TooLarge(f"a pattern has at most {MAX_PATTERN_LENGTH} characters", where="idPattern")
    if pattern is not None and "\x00" in pattern:
        raise InvalidInput("the character U+0000 stands nowhere", where="idPattern")
    expression = None if types is None else parse_types(types, vocabulary)
    return Selector(tuple(check_uri(one, "id") for one in ids), pattern, expression)


def selection_of(
    wishes: Wishes,
    parameters: Parameters,
    vocabulary: Vocabulary,
    selectors: tuple[Selector, ...],
    *,
    levels: int = 0,
) -> Selection:
    """Which entities are meant, and which portion of them. levels: how many links q may follow.

    Raises InvalidInput, InvalidQuery and the like.
    """
    limit = parameters.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    counts = parameters.flag("count")
    if limit == 0 and not counts:
        raise InvalidInput("a limit of 0 asks for the count alone", where="limit", remedy="Add count=true.")
    if wishes.csf is not None:
        parse_query(wishes.csf)  # it chooses among other sources, and there are none
    types_asked = [parameters.all.get("type"), *(one.type for one in wishes.entities or ())]
    return Selection(
        selectors=selectors or _selectors(wishes, vocabulary),
        attributes=_required(wishes, vocabulary),
        query=None if wishes.q is None else parse_query(wishes.q, levels),
        geo=_geo(wishes.geoQ, vocabulary),
        scopes=None if wishes.scopeQ is None else parse_scope_query(wishes.scopeQ),
        is_local=parameters.flag("local") or "*" in types_asked,
        vocabulary=vocabulary,
        expanded=frozenset(wishes.expandValues or ()),
        limit=limit,
        offset=parameters.integer("offset", 0, MAX_OFFSET),
        counts=counts,
    )


def _required(wishes: Wishes, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Attributes of which an entity has one: those of attrs, or those picked where nothing else would be shown."""
    picked = [plain_name(one) for one in wishes.pick or ()]
    names = checked(wishes.attrs, "attrs") or (picked if MEMBERS.isdisjoint(picked) else [])
    return tuple(vocabulary.expand(name) for name in names)


def presentation_of(
    wishes: Wishes,
    parameters: Parameters,
    read: Vocabulary,
    shown: Vocabulary,
    *,
    more_options: Iterable[str] = (),
    levels: int = 0,
) -> Presentation:
    """What is shown and how. read: what names mean in the request; shown: in the answer; more_options: the caller's;
    levels: how many links are followed.

    Raises InvalidRequest for a format or an option that is not known, InvalidInput.
    """
    options, formats = parameters.names("options"), parameters.names("format")
    check_known(options, {*_FORMS, "sysAttrs", *more_options}, "options")
    check_known(formats, {*_FORMS, *more_options}, "format")
    # format goes before options (6.3.7), and of several the first counts.
    forms = [_FORMS[name] for name in (*formats, *options) if name in _FORMS]
    return Presentation(
        vocabulary=shown,
        form=forms[0] if forms else Form.NORMALIZED,
        projection=projection_of(wishes.attrs, wishes.pick, wishes.omit, wishes.datasetId, read, levels),
        with_times="sysAttrs" in options,
        languages=parse_languages(wishes.lang or ""),
    )


def check_known(names: Iterable[str], known: set[str], where: str) -> None:
    """InvalidRequest for a name that is not among the known."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidRequest(
            f"{unknown[0][:40]!r} is not known in {where}", where=where, remedy=f"Known: {', '.join(sorted(known))}."
        )


def _selectors(wishes: Wishes, vocabulary: Vocabulary) -> tuple[Selector, ...]:
    if len(wishes.entities or ()) > MAX_NAMES:
        raise TooMany(f"a query has at most {MAX_NAMES} selectors", where="entities")
    return tuple(
        selector([one.id] if isinstance(one.id, str) else one.id or (), one.idPattern, one.type, vocabulary)
        for one in wishes.entities or ()
    )


def _geo(wish: GeoWish | None, vocabulary: Vocabulary) -> GeoQuery | None:
    if wish is None:
        return None
    geometry = parse_coordinates(wish.geometry, wish.coordinates)
    return parse_georel(wish.georel, geometry, vocabulary.name(wish.geoproperty or "location", "geoproperty"))
