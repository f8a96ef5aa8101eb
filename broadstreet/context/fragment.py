"""What a request asks to write, by meaning: an entity fragment and its attribute fragments, names expanded.

A fragment may leave out what it does not speak of, which is why the fields here are wider than those of
`model.entity`: a missing value is `UNSET`, and NGSI-LD Null (`urn:ngsi-ld:null`, 4.5.0 of the standard) says "remove
this", for an attribute, a sub-attribute or a member of a JSON value.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from broadstreet.model.entity import Kind, Meta

NULL: Final = "urn:ngsi-ld:null"
"""NGSI-LD Null."""
NULL_LANGUAGE_MAP: Final = {"@none": NULL}
"""How a LanguageProperty says it."""


class AttributeFragment(msgspec.Struct):
    """One attribute instance as a request gives it. `name` is an IRI; `dataset_id` '' is the default instance."""

    name: str
    dataset_id: str = ""
    kind: Kind | None = None
    """None where the request does not say, which only a partial update may."""
    value: Any = UNSET
    observed_at_us: int | UnsetType | None = UNSET
    """None: remove it."""
    meta: Meta = {}

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from the entity's other attribute instances."""
        return self.name, self.dataset_id

    @property
    def is_null(self) -> bool:
        """Whether it asks to remove the attribute instance."""
        return is_null(self.value)


class EntityFragment(msgspec.Struct):
    """An entity as a request gives it, in whole or in part."""

    id: str | None
    types: list[str]
    attributes: list[AttributeFragment]
    scopes: list[str] | None = None
    """None where the request does not speak of scopes."""
    expires_at_us: int | UnsetType | None = UNSET
    """When the entity ends; None: never any more."""
    told_scopes: list[tuple[int, list[str]]] = []
    """Since when the entity had which scopes, where a request tells of that."""


def is_null(value: object) -> bool:
    """Whether a value is NGSI-LD Null, in either of its forms."""
    return value in (NULL, NULL_LANGUAGE_MAP)


def holds_null(value: object) -> bool:
    """Whether NGSI-LD Null stands anywhere in a value."""
    if isinstance(value, dict):
        return any(holds_null(member) for member in value.values())
    if isinstance(value, list):
        return any(holds_null(item) for item in value)
    return value == NULL
