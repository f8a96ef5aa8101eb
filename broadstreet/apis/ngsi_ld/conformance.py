"""Answers in an earlier version of NGSI-LD (4.3.6.8 and 6.3.6 of the standard): `Prefer: ngsi-ld=1.5`.

What came with a later version is said in the words of the one that is preferred, or left out, as the tables of 4.3.6.8
have it. Entities are dictionaries here, as they would be answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from broadstreet.model.entity import KINDS, Kind

Version: TypeAlias = tuple[int, int]

NEWEST: Final[Version] = (1, 9)
"""What answers conform to where nobody prefers anything."""
_SCOPES: Final = (1, 4)
_SEVERAL: Final = (1, 3)
_PREFERENCE: Final = re.compile(r'\s*ngsi-ld\s*=\s*"?(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?"?\s*(?:;[^,]*)?', re.IGNORECASE)
_MEMBERS: Final = frozenset({"id", "type", "scope", "@context", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})
_INTRODUCED: Final[dict[str, Version]] = {
    **dict.fromkeys(("expiresAt", "valueType"), (1, 9)),
    "objectType": (1, 8),
    **dict.fromkeys(("datasetId", "observedAt", "unitCode"), (1, 3)),
}
"""Members of attributes, and the versions before which they are left out."""
_FALLBACKS: Final[dict[Kind, tuple[Version, Kind]]] = {
    Kind.VOCAB_PROPERTY: ((1, 8), Kind.PROPERTY),
    Kind.JSON_PROPERTY: ((1, 8), Kind.PROPERTY),
    Kind.LIST_PROPERTY: ((1, 8), Kind.PROPERTY),
    Kind.LIST_RELATIONSHIP: ((1, 8), Kind.RELATIONSHIP),
    Kind.LANGUAGE_PROPERTY: ((1, 4), Kind.PROPERTY),
}
"""Kinds of attributes, the versions they came with, and what stands for them before."""
_BY_KEY: Final = {kind.value_key: kind for kind in _FALLBACKS}


def preferred(header: str | None) -> Version | None:
    """The version that a Prefer header asks for (RFC 7240), no newer than there is; None where it asks for none."""
    for part in (header or "").split(","):
        found = _PREFERENCE.fullmatch(part)
        if found is not None:
            return min((int(found[1]), int(found[2])), NEWEST)
    return None


def amend(entities: Iterable[dict[str, Any]], version: Version, *, is_simplified: bool = False) -> bool:
    """Say entities, or GeoJSON features of them, in the words of a version; whether that changed anything.

    is_simplified: whether attributes stand as bare values.
    """
    return sum(_amend_entity(one, version, is_simplified=is_simplified) for one in entities) > 0


def _amend_entity(entity: dict[str, Any], version: Version, *, is_simplified: bool) -> bool:
    if entity.get("type") == "Feature" and isinstance(entity.get("properties"), dict):
        return _amend_entity(entity["properties"], version, is_simplified=is_simplified)
    changed = _drop(entity, [name for name, since in (("expiresAt", (1, 9)), ("scope", _SCOPES)) if version < since])
    if version < _SEVERAL and isinstance(entity.get("type"), list):
        entity["type"], changed = entity["type"][0], True
    for name, given in entity.items():
        if name in _MEMBERS or is_simplified:
            continue
        if isinstance(given, list) and version < _SEVERAL and all(isinstance(one, dict) for one in given) and given:
            default = next((one for one in given if "datasetId" not in one), given[0])
            entity[name], changed = default, True
        instances = entity[name] if isinstance(entity[name], list) else [entity[name]]
        changed |= sum(_amend_attribute(one, version) for one in instances) > 0
    return changed


def _amend_attribute(one: Any, version: Version) -> bool:
    if not isinstance(one, dict):
        return False
    kind = KINDS.get(one["type"]) if isinstance(one.get("type"), str) else _kind_shown(one)
    changed = _drop(one, [name for name, since in _INTRODUCED.items() if version < since])
    if kind in _FALLBACKS and version < _FALLBACKS[kind][0]:
        changed = True
        instead = _FALLBACKS[kind][1]
        value = one.pop(kind.value_key)
        if kind is Kind.LIST_RELATIONSHIP:
            value = [item["object"] if isinstance(item, dict) else item for item in value]
        one[instead.value_key] = value
        if "type" in one:
            one["type"] = instead.type_name
    for name, part in one.items():
        if name == "entity" or name == "entityList":
            linked = part if isinstance(part, list) else [part]
            changed |= amend(linked, version)
        elif isinstance(part, dict | list) and name not in ("value", "json", "vocab", "languageMap", "valueList"):
            parts = part if isinstance(part, list) else [part]
            changed |= sum(_amend_attribute(sub, version) for sub in parts if _is_attribute(sub)) > 0
    return changed


def _kind_shown(one: dict[str, Any]) -> Kind | None:
    """What an attribute is whose type is left out, as in the concise representation."""
    return next((kind for key, kind in _BY_KEY.items() if key in one), None)


def _is_attribute(part: Any) -> bool:
    return isinstance(part, dict) and (part.get("type") in KINDS or not _BY_KEY.keys().isdisjoint(part))


def _drop(members: dict[str, Any], names: Iterable[str]) -> bool:
    return sum(members.pop(name, None) is not None for name in names) > 0
