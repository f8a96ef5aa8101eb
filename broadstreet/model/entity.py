"""An attribute of an entity, by meaning: an expanded name, a checked value, no JSON-LD keywords.

    entity ── id, types, scopes
       └── Attribute (name, dataset_id) ── kind, value, observed_at
              └── meta: unitCode and other sub-attributes

What an attribute's `value` holds depends on its kind:

    Property            a JSON value            LanguageProperty   {language tag: text or list of texts}
    GeoProperty         a GeoJSON geometry      VocabProperty      an IRI, or a list of them
    Relationship        a URI, or a list        JsonProperty       any JSON, never read as JSON-LD
    ListProperty        a list, its order kept  ListRelationship   a list of URIs, its order kept
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Any, Final

import msgspec


class Kind(IntEnum):
    """What an attribute is; the number is what the store keeps."""

    PROPERTY = 0
    GEO_PROPERTY = 1
    RELATIONSHIP = 2
    LANGUAGE_PROPERTY = 3
    VOCAB_PROPERTY = 4
    JSON_PROPERTY = 5
    LIST_PROPERTY = 6
    LIST_RELATIONSHIP = 7

    @property
    def type_name(self) -> str:
        """The kind as NGSI-LD writes it in `type`."""
        return _TYPE_NAMES[self]

    @property
    def value_key(self) -> str:
        """The member that holds the value in the normalized form."""
        return _VALUE_KEYS[self]


_TYPE_NAMES: Final = {kind: kind.name.title().replace("_", "") for kind in Kind}
_VALUE_KEYS: Final = {
    Kind.PROPERTY: "value",
    Kind.GEO_PROPERTY: "value",
    Kind.RELATIONSHIP: "object",
    Kind.LANGUAGE_PROPERTY: "languageMap",
    Kind.VOCAB_PROPERTY: "vocab",
    Kind.JSON_PROPERTY: "json",
    Kind.LIST_PROPERTY: "valueList",
    Kind.LIST_RELATIONSHIP: "objectList",
}
KINDS: Final = {name: kind for kind, name in _TYPE_NAMES.items()}
"""Kinds by the name NGSI-LD writes."""

Meta = dict[str, Any]
"""Sub-attributes. Members of the core keep their short name (`unitCode`, `expiresAt`, `entityIdSealed`: text;
`objectType`, `valueType`, `entityTypeSealed`: IRIs); any other key is an IRI whose value is an attribute in the
normalized form, its own names expanded likewise."""


class Attribute(msgspec.Struct):
    """One attribute instance as somebody writes it. `name` is an IRI; `dataset_id` '' is the default instance."""

    name: str
    value: Any
    kind: Kind = Kind.PROPERTY
    dataset_id: str = ""
    observed_at_us: int | None = None
    meta: Meta = {}


_encoder = msgspec.json.Encoder(order="deterministic")


def canonical_json(body: Meta) -> bytes:
    """Sub-attributes as JSON that is the same for the same content: keys sorted, no spaces."""
    return _encoder.encode(body)


def meta_hash(body: Meta) -> bytes:
    """The SHA-256 by which sub-attributes are interned."""
    return hashlib.sha256(canonical_json(body)).digest()
