"""An attribute's value as a request gives it, checked by the attribute's kind and brought to the form that is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

import msgspec

from broadstreet.context.bounds import MAX_VALUE_BYTES, MAX_VALUE_DEPTH
from broadstreet.context.fragment import is_null
from broadstreet.context.vocabulary import Vocabulary
from broadstreet.model.entity import Kind
from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.model.geometry import parse_geometry
from broadstreet.model.identifiers import check_iri
from broadstreet.model.numbers import nearest_double

_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*|@none")
_encode: Final = msgspec.json.Encoder().encode
# The one character that PostgreSQL cannot keep, as JSON writes it: behind an even number of backslashes.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def check_value(kind: Kind, value: Any, vocabulary: Vocabulary, where: str) -> Any:
    """The value as it is kept. NGSI-LD Null passes. Raises InvalidInput, TooLarge."""
    if value is None:
        _refuse("null is no value", where, "Leave the member out, or send urn:ngsi-ld:null to remove the attribute.")
    if is_null(value):
        return value
    if isinstance(value, (dict, list, str)):
        _check_text(value, where)
    _check_number(value, where)
    return _CHECKS[kind](value, vocabulary, where)


def _check_text(value: Any, where: str) -> None:
    encoded = _encode(value)
    if _NUL.search(encoded) is not None:
        _refuse("a value cannot hold the character U+0000", where)
    size = len(encoded)
    if size > MAX_VALUE_BYTES:
        raise TooLarge(f"a value of {size} bytes is over the bound of {MAX_VALUE_BYTES}", where=where)
    layer, depth = [value], 0
    while layer := [part for item in layer for part in _parts(item)]:
        depth += 1
        for part in layer:
            _check_number(part, where)
        if depth > MAX_VALUE_DEPTH:
            raise TooLarge(f"a value nests at most {MAX_VALUE_DEPTH} deep", where=where)


def _check_number(value: Any, where: str) -> None:
    if isinstance(value, int) and math.isinf(nearest_double(value)):
        _refuse("a number is beyond the largest double", where)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _any(value: Any, _: Vocabulary, where: str) -> Any:
    return value


def _json(value: Any, _: Vocabulary, where: str) -> Any:
    if not isinstance(value, (dict, list)):
        _refuse("a JsonProperty's json is an object or a list", where)
    return value


def _geometry(value: Any, _: Vocabulary, where: str) -> Any:
    if isinstance(value, str):  # 4.7.2: a geometry may come as text that holds it
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            _refuse("a GeoProperty's value is a GeoJSON geometry", where)
    return parse_geometry(value, where).geojson()


def _uris(value: Any, _: Vocabulary, where: str) -> Any:
    if isinstance(value, list):
        if not value:
            _refuse("a Relationship's object is a URI or a list of them that is not empty", where)
        return [_uri(item, where) for item in value]
    return _uri(value, where)


def _uri(value: Any, where: str) -> str:
    if not isinstance(value, str):
        _refuse("a Relationship's object is a URI", where)
    return check_iri(value, where)


def _language_map(value: Any, _: Vocabulary, where: str) -> Any:
    if not isinstance(value, dict) or not value:
        _refuse('a languageMap is an object such as {"en": "Street light", "fi": "Katuvalo"}', where)
    for tag, texts in value.items():
        if _LANGUAGE.fullmatch(tag) is None:
            _refuse(f"{tag[:40]!r} is no language tag", where, "Use one of RFC 5646, such as en or fi-FI, or @none.")
        if not isinstance(texts, str) and not (isinstance(texts, list) and all(isinstance(t, str) for t in texts)):
            _refuse(f"what stands under {tag!r} is a text or a list of texts", where)
    return value


def _vocab(value: Any, vocabulary: Vocabulary, where: str) -> Any:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return [vocabulary.expand(item) for item in value]
    if not isinstance(value, str):
        _refuse("a VocabProperty's vocab is a term or a list of them", where)
    return vocabulary.expand(value)


def _list(value: Any, _: Vocabulary, where: str) -> Any:
    if not isinstance(value, list):
        _refuse("a valueList is a list", where)
    return value


def _object_list(value: Any, _: Vocabulary, where: str) -> Any:
    if not isinstance(value, list) or not value:
        _refuse('an objectList is a list such as [{"object": "urn:…"}]', where)
    return [_uri(item.get("object") if isinstance(item, dict) else item, where) for item in value]


_CHECKS: Final[dict[Kind, Callable[[Any, Vocabulary, str], Any]]] = {
    Kind.PROPERTY: _any,
    Kind.GEO_PROPERTY: _geometry,
    Kind.RELATIONSHIP: _uris,
    Kind.LANGUAGE_PROPERTY: _language_map,
    Kind.VOCAB_PROPERTY: _vocab,
    Kind.JSON_PROPERTY: _json,
    Kind.LIST_PROPERTY: _list,
    Kind.LIST_RELATIONSHIP: _object_list,
}


def _refuse(message: str, where: str, remedy: str | None = None) -> NoReturn:
    raise InvalidInput(message, where=where, remedy=remedy)
