"""What there is: the types that entities have, and their attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AttributeKind:
    """An attribute that entities have. kinds: what it is there, such as Property; types: of the entities that have it.

    What the house was not asked for is empty, or None.
    """

    name: str
    iri: str
    kinds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    count: int | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> AttributeKind:
        """As the house tells of it."""
        return cls(
            document["attributeName"],
            document["id"],
            tuple(document.get("attributeTypes", ())),
            tuple(document.get("typeNames", ())),
            document.get("attributeCount"),
        )


@dataclass(frozen=True)
class EntityType:
    """A type that entities have, with the names of their attributes. count: how many have it, where that was asked."""

    name: str
    iri: str
    attributes: tuple[AttributeKind, ...] = ()
    names: tuple[str, ...] = ()
    count: int | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> EntityType:
        """As the house tells of it."""
        details = tuple(AttributeKind.of(one) for one in document.get("attributeDetails", ()))
        names = tuple(document.get("attributeNames", ())) or tuple(one.name for one in details)
        return cls(document["typeName"], document["id"], details, names, document.get("entityCount"))
