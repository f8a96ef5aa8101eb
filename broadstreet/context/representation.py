"""Entities on their way out: the normalized, concise, simplified and GeoJSON representations (4.5 of the standard).

Values that need no look inside pass from the database to the answer as they are, unparsed (`msgspec.Raw`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

import msgspec

from broadstreet.context.transience import END
from broadstreet.context.vocabulary import CORE, Vocabulary
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.entity import KINDS, Kind, Meta

_decode: Final = msgspec.json.Decoder().decode
_EXACT: Final = 2.0**53
_VALUE_KEYS: Final = frozenset(kind.value_key for kind in Kind)
_NO_VALUE: Final = msgspec.Raw(b"null")
# Kinds whose value is looked into on its way out.
_PARSED: Final = frozenset({Kind.VOCAB_PROPERTY, Kind.LIST_RELATIONSHIP})
# Kinds whose simplified value would be taken for a Property's.
_WRAPPED: Final = frozenset({Kind.LANGUAGE_PROPERTY, Kind.JSON_PROPERTY, Kind.VOCAB_PROPERTY})


class Form(Enum):
    """How much of an attribute is shown."""

    NORMALIZED = "normalized"
    CONCISE = "concise"
    SIMPLIFIED = "simplified"


@dataclass(frozen=True)
class Projection:
    """Which members of an entity are shown. Attributes go by IRI; `id`, `type` and `scope` by those names."""

    attributes: frozenset[str] | None = None
    """None: all."""
    members: frozenset[str] | None = None
    """None: id, type and scope."""
    omitted: frozenset[str] = frozenset()
    dataset_ids: frozenset[str] | None = None
    """None: all instances; '' is the default one."""
    linked: Mapping[str, Projection] = field(default_factory=dict, hash=False)
    """What is shown of the entities that these relationships lead to."""
    beyond: Projection | None = None
    """What is shown of any other linked entity; None: the same as of this one."""

    def shows(self, name: str, dataset_id: str) -> bool:
        """Whether an attribute instance is shown."""
        if self.attributes is not None and name not in self.attributes:
            return False
        return name not in self.omitted and (self.dataset_ids is None or dataset_id in self.dataset_ids)

    def shows_member(self, name: str) -> bool:
        """Whether id, type or scope is shown."""
        return name not in self.omitted and (self.members is None or name in self.members)

    def behind(self, name: str) -> Projection:
        """What is shown of the entities that a relationship leads to."""
        return self.linked.get(name) or self.beyond or self


class AttributeRow(msgspec.Struct):
    """An attribute instance as it was read. `value` is JSON text where it is no number; the times of its creation and
    change are 0 where nobody asked for them."""

    name: str
    dataset_id: str
    kind: Kind
    number: float | None
    value: str | None
    meta: Meta
    observed_at_us: int | None
    created_at_us: int
    modified_at_us: int
    instance_id: str | None = None
    """What names it among those of other times."""
    deleted_at_us: int | None = None
    """When it was deleted, where that is all it tells."""


class AttributeColumns(Protocol):
    """An entity's attribute instances as they were read, not yet looked at one by one."""

    def rows(self) -> list[AttributeRow]:
        """Each by itself."""


class EntityRow:
    """An entity as it was read. `types` are IRIs."""

    __slots__ = ("_attributes", "columns", "created_at_us", "expires_at_us", "id", "modified_at_us", "scopes", "types")

    def __init__(
        self,
        id: str,
        types: Sequence[str],
        scopes: Sequence[str],
        created_at_us: int,
        modified_at_us: int,
        attributes: list[AttributeRow] | None = None,
        expires_at_us: int | None = None,
        columns: AttributeColumns | None = None,
    ) -> None:
        """columns: where the attributes come from, if they are not given."""
        self.id = id
        self.types = types
        self.scopes = scopes
        self.created_at_us = created_at_us
        self.modified_at_us = modified_at_us
        self.expires_at_us = expires_at_us
        self.columns = columns
        self._attributes = attributes

    @property
    def attributes(self) -> list[AttributeRow]:
        """Its attribute instances."""
        if self._attributes is None:
            self._attributes = [] if self.columns is None else self.columns.rows()
        return self._attributes

    @attributes.setter
    def attributes(self, rows: list[AttributeRow]) -> None:
        self._attributes, self.columns = rows, None

    def with_attributes(self, rows: list[AttributeRow]) -> EntityRow:
        """The same entity with other attributes."""
        times = self.created_at_us, self.modified_at_us
        return EntityRow(self.id, self.types, self.scopes, *times, rows, self.expires_at_us)


@dataclass(frozen=True)
class Presentation:
    """How one answer shows entities."""

    vocabulary: Vocabulary = CORE
    form: Form = Form.NORMALIZED
    projection: Projection = field(default_factory=Projection)
    with_times: bool = False
    """Whether createdAt, modifiedAt and expiresAt are shown (sysAttrs)."""
    languages: tuple[str, ...] = ()
    """LanguageProperties are shown in the first of these that is there, as Properties; none: as they are."""

    def header(self, row: EntityRow) -> dict[str, Any]:
        """An entity's id, type, scope and times."""
        shown: dict[str, Any] = {}
        compact = self.vocabulary.compact
        projection = self.projection
        if projection.shows_member("id"):
            shown["id"] = row.id
        if projection.shows_member("type"):
            types = [compact(iri) for iri in row.types]
            shown["type"] = types[0] if len(types) == 1 else types
        if row.scopes and projection.shows_member("scope"):
            shown["scope"] = row.scopes[0] if len(row.scopes) == 1 else row.scopes
        if self.with_times:
            self._show_times(shown, row.created_at_us, row.modified_at_us)
            if row.expires_at_us is not None:
                shown[END] = format_rfc3339(row.expires_at_us)
        return shown

    def entity(self, row: EntityRow) -> dict[str, Any]:
        """An entity as a JSON object."""
        shown = self.header(row)
        compact = self.vocabulary.compact
        projection = self.projection
        instances: dict[str, list[AttributeRow]] = {}
        for attribute in row.attributes:
            if projection.shows(attribute.name, attribute.dataset_id):
                instances.setdefault(attribute.name, []).append(attribute)
        for name, rows in instances.items():
            shown[compact(name)] = self.attribute(rows[0]) if len(rows) == 1 else self._several(rows)
        return shown

    def feature(self, row: EntityRow, geometry_property: str, shown: dict[str, Any] | None = None) -> dict[str, Any]:
        """An entity as a GeoJSON feature (4.5.16). geometry_property: the IRI of the one that gives the geometry;
        shown: what is shown of it, where that was made already."""
        entity = self.entity(row) if shown is None else shown
        found = [one for one in row.attributes if one.name == geometry_property and one.kind is Kind.GEO_PROPERTY]
        ids = self.projection.dataset_ids
        place = next((one for one in found if (one.dataset_id == "" if ids is None else one.dataset_id in ids)), None)
        return {
            "id": entity.pop("id", row.id),
            "type": "Feature",
            "geometry": None if place is None else _raw(place),
            "properties": entity,
        }

    def _show_times(self, shown: dict[str, Any], created_at_us: int, modified_at_us: int) -> None:
        shown["createdAt"] = format_rfc3339(created_at_us)
        shown["modifiedAt"] = format_rfc3339(modified_at_us)

    def _several(self, rows: Sequence[AttributeRow]) -> Any:
        """The instances of one attribute: a list, or simplified an object by their datasetId."""
        if self.form is Form.SIMPLIFIED:
            return {"dataset": {row.dataset_id or "@none": self.attribute(row) for row in rows}}
        return _objects([self.attribute(row) for row in rows])

    def attribute(self, row: AttributeRow) -> Any:
        """An attribute instance, in the form asked for."""
        value, lang = self._value(row)
        kind = Kind.PROPERTY if lang is not None else row.kind
        if self.form is Form.SIMPLIFIED:
            return {kind.value_key: value} if kind in _WRAPPED else value
        body: dict[str, Any] = {"type": kind.type_name, kind.value_key: value}
        if lang is not None:
            body["lang"] = lang
        if row.meta:
            body.update(self._meta(row.meta))
        if row.observed_at_us is not None:
            body["observedAt"] = format_rfc3339(row.observed_at_us)
        if row.dataset_id:
            body["datasetId"] = row.dataset_id
        if row.instance_id is not None:
            body["instanceId"] = row.instance_id
        if row.deleted_at_us is not None:
            body["deletedAt"] = format_rfc3339(row.deleted_at_us)
        if self.with_times:
            self._show_times(body, row.created_at_us, row.modified_at_us)
        return self._concise(body, kind) if self.form is Form.CONCISE else body

    def value(self, row: AttributeRow) -> Any:
        """An attribute instance's value alone, as it is shown."""
        return self._value(row)[0]

    def _value(self, row: AttributeRow) -> tuple[Any, str | None]:
        """The value to show, and its language where one was chosen."""
        if row.kind is Kind.LANGUAGE_PROPERTY and self.languages:
            return self._translated(_decode(row.value or "{}"))
        if row.kind in _PARSED:
            return self._shown(row.kind, _decode(row.value or "[]")), None
        return _raw(row), None

    def _shown(self, kind: Kind, value: Any) -> Any:
        """A parsed value, its IRIs compacted where they are terms."""
        if kind is Kind.VOCAB_PROPERTY:
            compact = self.vocabulary.compact
            return [compact(iri) for iri in value] if isinstance(value, list) else compact(value)
        if kind is Kind.LIST_RELATIONSHIP and self.form is not Form.SIMPLIFIED:
            return [{"object": uri} for uri in value]
        return value

    def _translated(self, texts: dict[str, Any]) -> tuple[Any, str]:
        """The text in the best language (4.15, RFC 5646): one asked for, a wider or a narrower one, or any."""
        tags = {tag.lower(): tag for tag in texts}
        for language in self.languages:
            tag = _lookup(language.lower(), tags)
            if tag is not None:
                return texts[tags[tag]], tags[tag]
        chosen = "@none" if "@none" in texts else next(iter(texts), "@none")
        return texts.get(chosen), chosen

    def _meta(self, meta: Meta) -> dict[str, Any]:
        """Sub-attributes with their names compacted."""
        compact = self.vocabulary.compact
        shown: dict[str, Any] = {}
        for name, sub in meta.items():
            if name in ("unitCode", "entityIdSealed") or (name == END and self.with_times):
                shown[name] = sub
            elif name in ("valueType", "entityTypeSealed"):
                shown[name] = compact(sub)
            elif name == END:
                continue
            elif name == "objectType":
                types = [compact(iri) for iri in sub]
                shown[name] = types[0] if len(types) == 1 else types
            elif isinstance(sub, list):
                shown[compact(name)] = _objects([self._sub_attribute(one) for one in sub])
            else:
                shown[compact(name)] = self._sub_attribute(sub)
        return shown

    def _sub_attribute(self, sub: dict[str, Any]) -> Any:
        kind = KINDS[sub["type"]]
        body: dict[str, Any] = {"type": sub["type"], kind.value_key: self._shown(kind, sub[kind.value_key])}
        plain = {name: sub[name] for name in ("observedAt", "datasetId") if name in sub}
        rest = {name: value for name, value in sub.items() if name not in body and name not in plain}
        body.update(self._meta(rest), **plain)
        return self._concise(body, kind) if self.form is Form.CONCISE else body

    def _concise(self, body: dict[str, Any], kind: Kind) -> Any:
        """Without what can be seen anyway (4.5.2.3): the type, and the wrapping of a value that stands alone."""
        del body["type"]
        if len(body) > 1 or kind not in (Kind.PROPERTY, Kind.GEO_PROPERTY):
            return body
        value = body["value"]
        is_object = isinstance(value, dict) or (isinstance(value, msgspec.Raw) and bytes(value)[:1] in (b"{", b"["))
        return value if kind is Kind.GEO_PROPERTY or not is_object else body


def _objects(instances: list[Any]) -> list[Any]:
    """Instances beside each other: each is an object, since a bare value would be taken for an item of a list."""
    return [one if isinstance(one, dict) and not _VALUE_KEYS.isdisjoint(one) else {"value": one} for one in instances]


def _lookup(asked: str, tags: Iterable[str]) -> str | None:
    """The tag that is asked for, or one narrower than it, or the same of what it is part of."""
    if not asked:
        return None
    narrower = (tag for tag in tags if tag == asked or tag.startswith(asked + "-"))
    return min(narrower, key=len, default=None) or _lookup(asked.rpartition("-")[0], tags)


def _raw(row: AttributeRow) -> Any:
    """A value as it is kept: a number, an integer where it is whole, or JSON that was not parsed."""
    if row.number is not None:
        return int(row.number) if row.number.is_integer() and abs(row.number) <= _EXACT else row.number
    return _NO_VALUE if row.value is None else msgspec.Raw(row.value.encode())
