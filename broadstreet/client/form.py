"""An entity's other forms, made from the normalized one as the house makes them (4.5 of ETSI GS CIM 009)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from broadstreet.model.entity import KINDS, Kind

Form = Literal["normalized", "concise", "simplified", "geojson"]
_VALUE_KEYS: Final = frozenset(kind.value_key for kind in Kind)
HEAD: Final = frozenset({"id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt", "@context"})
"""Members of an entity that are no attributes."""
PLAIN: Final = frozenset(
    {
        *("type", "observedAt", "unitCode", "datasetId", "lang", "createdAt", "modifiedAt", "deletedAt"),
        *("objectType", "instanceId", "previousValue", "entity", "entityList"),
    }
)
"""Members of an attribute that are no attributes of it."""
# Kinds whose simplified value would be taken for a Property's.
_WRAPPED: Final = frozenset({Kind.LANGUAGE_PROPERTY, Kind.JSON_PROPERTY, Kind.VOCAB_PROPERTY})
_NO_DATASET: Final = "@none"


def kind_of(attribute: Mapping[str, Any]) -> Kind:
    """What an attribute is: by its type, or by the member that holds its value."""
    named = KINDS.get(attribute.get("type", ""))
    if named is not None:
        return named
    return next((kind for kind in Kind if kind.value_key in attribute), Kind.PROPERTY)


def concise(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Without what can be seen anyway (4.5.1)."""
    return {name: value if name in HEAD else _each_concise(value) for name, value in entity.items()}


def simplified(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Names and values alone (4.5.4)."""
    return {name: value if name in HEAD else _simplified(value) for name, value in entity.items()}


def feature(entity: Mapping[str, Any], geometry_property: str = "location") -> dict[str, Any]:
    """As a GeoJSON feature (4.5.16)."""
    properties = dict(entity)
    found = properties.get(geometry_property)
    places = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping)]
    place = next((one for one in places if "datasetId" not in one and kind_of(one) is Kind.GEO_PROPERTY), None)
    return {
        "id": properties.pop("id", ""),
        "type": "Feature",
        "geometry": None if place is None else place.get("value"),
        "properties": properties,
    }


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """An attribute, or each of its instances."""
    return [change(one) for one in value] if isinstance(value, list) else change(value)


def _each_concise(value: Any) -> Any:
    """An attribute, or its instances, of which each is an object then: a bare value would be an item of a list."""
    if not isinstance(value, list):
        return _concise(value)
    shown = map(_concise, value)
    return [one if isinstance(one, Mapping) and not _VALUE_KEYS.isdisjoint(one) else {"value": one} for one in shown]


def _concise(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    kind = kind_of(value)
    body = {
        name: one if name in PLAIN or name == kind.value_key else _each_concise(one)
        for name, one in value.items()
        if name != "type"
    }
    for name in ("entity", "entityList"):
        if name in body:
            body[name] = [concise(one) for one in body[name]] if name == "entityList" else concise(body[name])
    if len(body) > 1 or kind not in (Kind.PROPERTY, Kind.GEO_PROPERTY) or "value" not in body:
        return body
    inner = body["value"]
    return inner if kind is Kind.GEO_PROPERTY or not isinstance(inner, (Mapping, list)) else body


def _simplified(value: Any) -> Any:
    if isinstance(value, list):
        return {"dataset": {one.get("datasetId", _NO_DATASET): _simple(one) for one in value}}
    return _simple(value)


def _simple(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "entity" in value:
        return simplified(value["entity"])
    if "entityList" in value:
        return [simplified(one) for one in value["entityList"]]
    kind = kind_of(value)
    inner = value.get(kind.value_key)
    if kind is Kind.LIST_RELATIONSHIP and isinstance(inner, list):
        return [one.get("object") if isinstance(one, Mapping) else one for one in inner]
    return {kind.value_key: inner} if kind in _WRAPPED else inner
