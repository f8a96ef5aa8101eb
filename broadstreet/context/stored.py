"""An entity as it stands, locked for a write: what a decision is made on."""

from __future__ import annotations

from typing import Any

import msgspec

from broadstreet.model.entity import Kind, Meta


class StoredAttribute(msgspec.Struct):
    """One attribute instance, or its tombstone."""

    series_key: int
    name: str
    dataset_id: str
    kind: Kind
    version: int
    as_of_us: int
    observed_at_us: int | None
    created_at_us: int
    deleted_at_us: int | None
    value: Any
    meta: Meta

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from the entity's other attribute instances."""
        return self.name, self.dataset_id

    @property
    def is_there(self) -> bool:
        """Whether it is there now."""
        return self.deleted_at_us is None


class StoredEntity(msgspec.Struct):
    """An entity, or what is left of a deleted one. Only the attributes that were asked for may be in it."""

    key: int
    id: str
    types: list[str]
    scopes: list[str]
    created_at_us: int
    deleted_at_us: int | None
    attributes: dict[tuple[str, str], StoredAttribute]
    expires_at_us: int | None = None

    @property
    def is_there(self) -> bool:
        """Whether it is there now."""
        return self.deleted_at_us is None

    def there(self, identity: tuple[str, str]) -> StoredAttribute | None:
        """The attribute instance, if it is there now."""
        attribute = self.attributes.get(identity)
        return attribute if attribute is not None and attribute.is_there else None

    def instances(self, name: str) -> list[StoredAttribute]:
        """All instances of an attribute that are there now."""
        return [one for one in self.attributes.values() if one.name == name and one.is_there]
