"""An NGSI-LD document becomes a fragment: the normalized, concise and simplified representations, read strictly.

Every name is checked and expanded, every value checked by its kind; what cannot be understood is refused with the
place where it stands. Members that only the system sets (createdAt and the like) are taken and ignored.
"""

from __future__ import annotations

from collections.abc import Container
from enum import Enum
from typing import Any, Final, NoReturn

from msgspec import UNSET, UnsetType

from broadstreet.context.bounds import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_NAME_LENGTH,
    MAX_OBSERVATIONS,
    MAX_SCOPES,
    MAX_TYPES,
)
from broadstreet.context.fragment import NULL, AttributeFragment, EntityFragment, holds_null, is_null
from broadstreet.context.scope import check_scope
from broadstreet.context.transience import END
from broadstreet.context.value import check_value
from broadstreet.context.vocabulary import Vocabulary
from broadstreet.model.clock import format_rfc3339, parse_rfc3339
from broadstreet.model.entity import KINDS, Kind, Meta
from broadstreet.model.errors import InvalidInput, TooMany
from broadstreet.model.geometry import GEOMETRY_TYPES
from broadstreet.model.identifiers import check_uri
from broadstreet.model.terms import expand

_BY_MEMBER: Final = {
    "object": Kind.RELATIONSHIP,
    "languageMap": Kind.LANGUAGE_PROPERTY,
    "vocab": Kind.VOCAB_PROPERTY,
    "json": Kind.JSON_PROPERTY,
    "valueList": Kind.LIST_PROPERTY,
    "objectList": Kind.LIST_RELATIONSHIP,
    "value": Kind.PROPERTY,
}
_SYSTEM: Final = frozenset({"createdAt", "modifiedAt", "deletedAt"})
_OF_ENTITY: Final = frozenset({"id", "@id", "type", "@type", "scope", "@context", END}) | _SYSTEM
_OF_ATTRIBUTE: Final = frozenset({"type", "@type", "datasetId", "observedAt", "instanceId", *_BY_MEMBER}) | _SYSTEM
# Members that stand for something else than an attribute wherever they stand; vocab and json may be meant as words.
_NEVER_ATTRIBUTES: Final = frozenset(
    {"datasetId", "observedAt", "instanceId", "unitCode", "objectType", "lang", "entity", "entityList", *_BY_MEMBER}
) - {"vocab", "json"}
PROOF: Final = "ngsildproof"
SEALED: Final = frozenset({"entityIdSealed", "entityTypeSealed"})
LANG_STRING: Final = "langString"
_PREVIOUS: Final = "previous"
_WITH_UNIT: Final = frozenset({None, Kind.PROPERTY, Kind.LIST_PROPERTY})
_GEOGRAPHIC: Final = frozenset(map(expand, ("location", "observationSpace", "operationSpace")))


class Nulls(Enum):
    """Where NGSI-LD Null may stand in a document."""

    REFUSED = "nowhere: there is nothing to remove"
    WHOLE = "in place of an attribute or a sub-attribute"
    WITHIN = "also in place of a member of a value"


def parse_entity(body: Any, vocabulary: Vocabulary, nulls: Nulls = Nulls.REFUSED) -> EntityFragment:
    """A whole entity: it has an id and a type."""
    fragment = parse_fragment(body, vocabulary, nulls)
    if fragment.id is None:
        _refuse("an entity has an id", "id", "Give it a URI, such as urn:ngsi-ld:AirQualityObserved:a-17.")
    if not fragment.types:
        _refuse("an entity has a type", "type")
    return fragment


def parse_fragment(
    body: Any, vocabulary: Vocabulary, nulls: Nulls = Nulls.WHOLE, *, is_simplified: bool = False
) -> EntityFragment:
    """A part of an entity. is_simplified: names stand for bare values. Raises InvalidInput, TooMany, TooLarge."""
    if not isinstance(body, dict):
        _refuse("an entity is a JSON object", None)
    reader = _Reader(vocabulary, nulls, is_simplified)
    identifier = body.get("id", body.get("@id"))
    if identifier is not None:
        identifier = _uri(identifier, "id")
    types = body.get("type", body.get("@type"))
    attributes = [a for name, given in body.items() if name not in _OF_ENTITY for a in reader.attribute(name, given)]
    if len(attributes) > MAX_ATTRIBUTES:
        raise TooMany(f"an entity has at most {MAX_ATTRIBUTES} attributes in one request")
    expires_at_us = _end(body[END], nulls, END) if END in body else UNSET
    scopes = _scopes(body.get("scope"), nulls)
    return EntityFragment(identifier, _types(types, vocabulary), attributes, scopes, expires_at_us)


def parse_evolution(body: Any, vocabulary: Vocabulary, *, is_whole: bool) -> EntityFragment:
    """What an entity's attributes were over time: of one there may be many instances, told apart by their times.

    is_whole: whether an id and a type must be there. Raises InvalidInput, TooMany, TooLarge.
    """
    if not isinstance(body, dict):
        _refuse("an entity is a JSON object", None)
    times = {name: given for name, given in body.items() if name not in _OF_ENTITY}
    header = {name: given for name, given in body.items() if name in _OF_ENTITY}
    told_scopes = _told_scopes(header.get("scope"))
    if told_scopes:
        del header["scope"]
    fragment = (parse_entity if is_whole else parse_fragment)(header, vocabulary, Nulls.REFUSED)
    fragment.told_scopes = told_scopes
    if sum(len(given) if isinstance(given, list) else 1 for given in times.values()) > MAX_OBSERVATIONS:
        raise TooMany(f"at most {MAX_OBSERVATIONS} instances in one request", remedy="Send them in several.")
    reader = _Reader(vocabulary, Nulls.REFUSED, is_simplified=False)
    deletions = _Reader(vocabulary, Nulls.WHOLE, is_simplified=False)
    for name, given in times.items():
        instances = given if isinstance(given, list) else [given]
        if not instances or not all(isinstance(one, dict) for one in instances):
            _refuse("over time an attribute is an instance, or a list of them", name)
        for each in instances:
            fragment.attributes += (deletions if _is_deletion(each) else reader).attribute(name, each)
    return fragment


def _is_deletion(instance: dict[str, Any]) -> bool:
    """Whether an instance over time says that its attribute was deleted."""
    return any(is_null(instance.get(kind.value_key)) for kind in Kind)


def _told_scopes(scope: Any) -> list[tuple[int, list[str]]]:
    """Since when an entity had which scopes; nothing where they are not told as instances over time."""
    instances = scope if isinstance(scope, list) else [scope]
    if not instances or not all(isinstance(one, dict) and "value" in one for one in instances):
        return []
    return [
        (parse_utc(one.get("observedAt"), "scope.observedAt"), _scopes(one["value"], Nulls.WHOLE) or [])
        for one in instances
    ]


def parse_attribute(body: Any, name: str, vocabulary: Vocabulary, nulls: Nulls = Nulls.WHOLE) -> AttributeFragment:
    """What is sent for one attribute by its path. name: as it stands in the path; the value may be left out."""
    reader = _Reader(vocabulary, nulls, is_simplified=False)
    return reader.instance(vocabulary.name(name, "attrId"), body, name, 0)


def _types(types: Any, vocabulary: Vocabulary) -> list[str]:
    if types is None:
        return []
    names = types if isinstance(types, list) else [types]
    if not names or len(names) > MAX_TYPES or not all(isinstance(name, str) for name in names):
        _refuse(f"a type is a name, or a list of 1 to {MAX_TYPES} names", "type")
    if "type" in names:
        _refuse("'type' cannot name a type", "type")
    return list(dict.fromkeys(vocabulary.name(name, "type") for name in names))


def _scopes(scope: Any, nulls: Nulls) -> list[str] | None:
    if scope is None:
        return None
    scopes = scope if isinstance(scope, list) else [scope]
    if len(scopes) > MAX_SCOPES or not all(isinstance(one, str) for one in scopes):
        _refuse(f"a scope is a text, or a list of at most {MAX_SCOPES} texts", "scope")
    if scopes == [NULL] and nulls is not Nulls.REFUSED:
        return []
    return list(dict.fromkeys(check_scope(one) for one in scopes))


def _end(text: Any, nulls: Nulls, where: str) -> int | None:
    """When something ends; None where NGSI-LD Null takes its end away."""
    return None if text == NULL and nulls is not Nulls.REFUSED else parse_utc(text, where)


class _Reader:
    """Reads the attributes of one document."""

    def __init__(self, vocabulary: Vocabulary, nulls: Nulls, is_simplified: bool) -> None:
        self._vocabulary = vocabulary
        self._nulls = nulls
        self._may_be_null = nulls is not Nulls.REFUSED
        self._is_simplified = is_simplified

    def attribute(self, name: str, given: Any) -> list[AttributeFragment]:
        """The instances of one attribute: one, or several told apart by datasetId."""
        if name in _NEVER_ATTRIBUTES or name.startswith(_PREVIOUS):
            _refuse(f"{name} cannot name an attribute", name)
        iri = self._vocabulary.name(name, name)
        if self._is_simplified:
            return [self._bare(iri, given, name)]
        if not _has_instances(given):
            return [self.instance(iri, given, name, 0)]
        instances = [self.instance(iri, one, f"{name}[{at}]", 0) for at, one in enumerate(given)]
        if len({one.dataset_id for one in instances}) < len(instances):
            _refuse("two instances of one attribute have the same datasetId", name)
        return instances

    def instance(self, iri: str, given: Any, where: str, depth: int) -> AttributeFragment:
        """One attribute instance, in the normalized or the concise representation."""
        if not isinstance(given, dict) or (_says(given, GEOMETRY_TYPES) and "coordinates" in given):
            return self._bare(iri, given, where)
        kind = self._kind(given, where)
        if iri == self._vocabulary.expand(PROOF) and not isinstance(given.get("value", {}), dict):
            _refuse(f"the value of {PROOF} is an object, the proof", where)
        _check_members(kind, given, where)
        if iri in _GEOGRAPHIC and kind not in (None, Kind.GEO_PROPERTY):
            _refuse("this attribute is a GeoProperty", where)
        if kind is None and not self._may_be_null:
            _refuse("an attribute has a value, an object or a languageMap", where)
        value: Any = UNSET
        if kind is not None and kind.value_key in given:
            value = self._value(kind, given[kind.value_key], f"{where}.{kind.value_key}")
        elif not self._may_be_null and kind is not None:
            _refuse(f"a {kind.type_name} has {kind.value_key!r}", where)
        return AttributeFragment(
            iri,
            _dataset_id(given, where),
            kind,
            value,
            self._observed_at(given, where),
            self._meta(given, where, depth, iri, kind),
        )

    def _bare(self, iri: str, value: Any, where: str) -> AttributeFragment:
        """A value that stands for its attribute, as in the concise and simplified representations."""
        is_geometry = isinstance(value, dict) and _says(value, GEOMETRY_TYPES) and "coordinates" in value
        kind = Kind.GEO_PROPERTY if is_geometry else Kind.PROPERTY
        return AttributeFragment(iri, kind=kind, value=self._value(kind, value, where))

    def _kind(self, given: dict[str, Any], where: str) -> Kind | None:
        """What the attribute is: what it says, or what its members show, or None."""
        said = given.get("type", given.get("@type"))
        if said is not None:
            kind = KINDS.get(said) if isinstance(said, str) else None
            if kind is None:
                _refuse(f"{said!r:.80} is no kind of attribute", where, f"Use one of {', '.join(KINDS)}.")
            return kind
        for member, kind in _BY_MEMBER.items():
            if member in given:
                value = given[member]
                is_geometry = isinstance(value, dict) and _says(value, GEOMETRY_TYPES)
                return Kind.GEO_PROPERTY if is_geometry and kind is Kind.PROPERTY else kind
        return None

    def _value(self, kind: Kind, value: Any, where: str) -> Any:
        may_hold = self._nulls is Nulls.WITHIN or (self._may_be_null and is_null(value))
        if not may_hold and holds_null(value):
            _refuse(f"{NULL} removes something, and there is nothing to remove here", where)
        return check_value(kind, value, self._vocabulary, where)

    def _observed_at(self, given: dict[str, Any], where: str) -> int | UnsetType | None:
        if "observedAt" not in given:
            return UNSET
        text, where = given["observedAt"], f"{where}.observedAt"
        if text == NULL and self._may_be_null:
            return None
        return parse_utc(text, where)

    def _meta(self, given: dict[str, Any], where: str, depth: int, iri: str, kind: Kind | None) -> Meta:
        """Sub-attributes, their names expanded. iri, kind: of the attribute."""
        if depth >= MAX_DEPTH:
            raise TooMany(f"sub-attributes nest at most {MAX_DEPTH} deep", where=where)
        meta: Meta = {}
        for name, sub in given.items():
            if name in _OF_ATTRIBUTE:
                continue
            place = f"{where}.{name}"
            if name == "unitCode":
                is_code = isinstance(sub, str) and len(sub) <= MAX_NAME_LENGTH and sub.isprintable()
                meta[name] = sub if is_code else _refuse("a unitCode is a short text", place)
            elif name == END:
                at_us = _end(sub, self._nulls, place)
                meta[name] = NULL if at_us is None else format_rfc3339(at_us)
            elif name == "valueType":
                meta[name] = self._value_type(sub, kind, place)
            elif name in SEALED:
                meta[name] = self._sealed(name, sub, is_proof=iri == self._vocabulary.expand(PROOF), where=place)
            elif name == "objectType":
                meta[name] = sub if sub == NULL else _types(sub, self._vocabulary)
            else:
                meta[self._vocabulary.name(name, place)] = self._sub_attribute(sub, place, depth + 1)
        if not self._may_be_null and NULL in meta.values():
            _refuse(f"{NULL} removes something, and there is nothing to remove here", where)
        return meta

    def _value_type(self, given: Any, kind: Kind | None, where: str) -> str:
        """What the values of an attribute are (4.5.2.2); those of a LanguageProperty are texts in languages."""
        if given == NULL:
            return NULL
        if not isinstance(given, str) or (kind is Kind.LANGUAGE_PROPERTY and given != LANG_STRING):
            _refuse(f"a valueType is a name; a LanguageProperty's is {LANG_STRING}", where)
        return self._vocabulary.name(given, where)

    def _sealed(self, name: str, given: Any, *, is_proof: bool, where: str) -> str:
        """Which entity or type a proof is about (4.5.2.2)."""
        if not is_proof or not isinstance(given, str):
            _refuse(f"{name} is a text in {PROOF}", where)
        return self._vocabulary.name(given, where) if name == "entityTypeSealed" else _uri(given, where)

    def _sub_attribute(self, given: Any, where: str, depth: int) -> Any:
        """A sub-attribute in the normalized form with expanded names, NGSI-LD Null, or a list of instances."""
        if given == NULL:
            return NULL
        if _has_instances(given):
            return [self._sub_attribute(one, f"{where}[{at}]", depth) for at, one in enumerate(given)]
        part = self.instance("", given, where, depth)
        if part.is_null:
            return NULL
        if part.kind is None or part.value is UNSET:
            _refuse("a sub-attribute has a value, an object or a languageMap", where)
        body: dict[str, Any] = {"type": part.kind.type_name, part.kind.value_key: part.value, **part.meta}
        if part.dataset_id:
            body["datasetId"] = part.dataset_id
        if isinstance(part.observed_at_us, int):
            body["observedAt"] = given["observedAt"]
        return body


def parse_utc(text: Any, where: str) -> int:
    """A time as 4.6.3 of the standard has it: RFC 3339, in UTC, written with Z; in microseconds since 1970."""
    if not isinstance(text, str) or not text.endswith("Z"):
        _refuse(f"{text!r:.80} is not a time in UTC", where, "Write it as 2026-03-01T12:00:00Z.")
    return parse_rfc3339(text, where)


def _has_instances(given: Any) -> bool:
    """Whether a list holds attribute instances, rather than being a value itself."""
    return isinstance(given, list) and bool(given) and all(map(_is_instance, given))


def _says(given: dict[str, Any], types: Container[str]) -> bool:
    """Whether an object's type is one of these; a member of that name may be anything."""
    said = given.get("type")
    return isinstance(said, str) and said in types


def _is_instance(given: Any) -> bool:
    return isinstance(given, dict) and (_says(given, KINDS) or not _BY_MEMBER.keys().isdisjoint(given))


def _check_members(kind: Kind | None, given: dict[str, Any], where: str) -> None:
    """Refuse members that belong to another kind of attribute, or to answers alone."""
    if kind is None:
        return
    for name in given:
        is_foreign = name in _BY_MEMBER and name != kind.value_key
        if is_foreign or name.startswith(_PREVIOUS) or (name == "unitCode" and kind not in _WITH_UNIT):
            _refuse(f"a {kind.type_name} has no {name}", where)


def _dataset_id(given: dict[str, Any], where: str) -> str:
    text = given.get("datasetId", "@none")
    return "" if text == "@none" else _uri(text, f"{where}.datasetId")


def _uri(text: Any, where: str) -> str:
    if not isinstance(text, str) or text == NULL:
        _refuse(f"{text!r:.80} is no id", where)
    return check_uri(text, where)


def _refuse(message: str, where: str | None, remedy: str | None = None) -> NoReturn:
    raise InvalidInput(message, where=where, remedy=remedy)
