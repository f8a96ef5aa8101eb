"""What each operation of NGSI-LD does to an entity (5.5 and 5.6 of the standard): pure functions of what stands and
what is asked, without time, database or HTTP.

Each takes the entity as it stands (None where there is none) and a fragment, and answers a `Decision`: attributes to
set and to delete, the entity's types and scopes, and which attributes were left alone and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import UNSET

from broadstreet.context.fragment import NULL, AttributeFragment, EntityFragment, is_null
from broadstreet.context.stored import StoredAttribute, StoredEntity
from broadstreet.model.entity import Attribute, Meta
from broadstreet.model.errors import Conflict, InvalidInput, NotFound
from broadstreet.model.terms import expand

SCOPE: Final = expand("scope")
"""The name under which scopes are deleted like an attribute."""


class Fate(Enum):
    """What becomes of the entity itself."""

    KEPT = "kept"
    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


class AttributeWrite(Attribute):
    """An attribute instance as it will stand. filed_at_us: its place in the past; None for the moment of writing."""

    filed_at_us: int | None = None
    n: int = 0
    """Which of the observations of that moment it is."""
    gives_way: bool = False
    """Whether it does so to a value that came meanwhile, to be decided on again."""

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from the entity's other attribute instances."""
        return self.name, self.dataset_id


class Untouched(msgspec.Struct, frozen=True):
    """An attribute that was left as it is."""

    name: str
    reason: str


class Decision(msgspec.Struct):
    """What to do with one entity."""

    id: str
    fate: Fate
    types: list[str]
    scopes: list[str]
    stored: StoredEntity | None = None
    sets: list[AttributeWrite] = []
    deletes: list[StoredAttribute] = []
    updated: list[str] = []
    untouched: list[Untouched] = []
    expires_at_us: int | None = None
    """When the entity ends; None: never."""
    past: list[AttributeWrite] = []
    """What goes into the past alone, by attribute instance oldest first; one of an instance that is new is in sets."""
    told_deletions: list[tuple[tuple[str, str], int]] = []
    """Attribute instances that were deleted in the past, and when."""
    told_scopes: list[tuple[int, list[str]]] = []
    """Since when the entity had which scopes; the newest of all are those it has."""

    @property
    def changes_anything(self) -> bool:
        """Whether there is something to write."""
        told = self.told_deletions or self.told_scopes
        return self.fate is not Fate.KEPT or bool(self.sets or self.deletes or self.past or told)


def create(stored: StoredEntity | None, fragment: EntityFragment) -> Decision:
    """5.6.1. Raises Conflict where the entity is there. What a deleted one left behind does not come back."""
    assert fragment.id is not None
    if stored is not None and stored.is_there:
        raise Conflict(f"the entity {fragment.id} exists already", where="id")
    return Decision(
        fragment.id,
        Fate.CREATED,
        fragment.types,
        fragment.scopes or [],
        stored,
        [written(one, None) for one in fragment.attributes],
        _others(stored, fragment.attributes),
        _names(fragment.attributes),
        expires_at_us=fragment.expires_at_us or None,
    )


def replace(stored: StoredEntity | None, fragment: EntityFragment) -> Decision:
    """5.6.18: all attributes make way for those of the fragment; so do types, unless it has none. Raises NotFound."""
    entity = _there(stored, fragment.id)
    return Decision(
        entity.id,
        Fate.CHANGED,
        fragment.types or entity.types,
        fragment.scopes or [],
        entity,
        [written(one, None) for one in fragment.attributes],
        _others(entity, fragment.attributes),
        _names(fragment.attributes),
        expires_at_us=fragment.expires_at_us or None,
    )


def append(stored: StoredEntity | None, fragment: EntityFragment, *, may_overwrite: bool = True) -> Decision:
    """5.6.3: attributes are added; those that are there are replaced, or left where may_overwrite is false."""
    entity = _there(stored, fragment.id)
    decision = with_header(entity, fragment, replaces_scopes=may_overwrite)
    for one in fragment.attributes:
        if not may_overwrite and entity.there(one.identity) is not None:
            decision.untouched.append(Untouched(one.name, "the attribute exists already"))
        else:
            _put(decision, one)
    return decision


def update(stored: StoredEntity | None, fragment: EntityFragment) -> Decision:
    """5.6.2: attributes are replaced, or added where they are not there; scopes only replaced. Raises NotFound."""
    entity = _there(stored, fragment.id)
    if fragment.scopes is None or entity.scopes:
        return append(entity, fragment)
    decision = append(entity, msgspec.structs.replace(fragment, scopes=None))
    decision.untouched.append(Untouched(SCOPE, "the entity has no scope"))
    return decision


def merge(stored: StoredEntity | None, fragment: EntityFragment) -> Decision:
    """5.6.17: the fragment is laid over what is there, member by member (5.5.12). Raises NotFound, InvalidInput."""
    entity = _there(stored, fragment.id)
    decision = with_header(entity, fragment, replaces_scopes=True)
    for one in fragment.attributes:
        before = entity.there(one.identity)
        if one.is_null:
            _delete(decision, one, before)
        elif before is None:
            _put(decision, one)
        else:
            decision.sets.append(_merged(one, before))
            decision.updated.append(one.name)
    return decision


def update_attribute(stored: StoredEntity | None, entity_id: str, one: AttributeFragment) -> Decision:
    """5.6.4: members of one attribute instance are replaced, the others stay. Raises NotFound, InvalidInput."""
    if one.name == SCOPE:
        raise InvalidInput("a scope has no parts to update", where="attrId", remedy="Update it with PATCH …/attrs.")
    entity, before = _attribute_there(stored, entity_id, one.identity)
    decision = kept(entity)
    if one.is_null:
        _delete(decision, one, before)
        return decision
    if one.kind is not None and one.kind is not before.kind:
        raise InvalidInput(
            f"the attribute is a {before.kind.type_name}, not a {one.kind.type_name}",
            where="type",
            remedy="Replace the whole attribute with PUT.",
        )
    value = before.value if one.value is UNSET else one.value
    decision.sets.append(written(one, before, value, merged_meta(before.meta, one.meta)))
    decision.updated.append(one.name)
    return decision


def replace_attribute(stored: StoredEntity | None, entity_id: str, one: AttributeFragment) -> Decision:
    """5.6.19: one attribute instance makes way for another. Raises NotFound."""
    entity, _ = _attribute_there(stored, entity_id, one.identity)
    decision = kept(entity)
    _put(decision, one)
    return decision


def delete_attribute(
    stored: StoredEntity | None, entity_id: str, name: str, dataset_id: str, *, all_instances: bool = False
) -> Decision:
    """5.6.5: one instance of an attribute, or all of them; or the scopes. Raises NotFound."""
    entity = _there(stored, entity_id)
    if name == SCOPE and entity.scopes:
        return msgspec.structs.replace(kept(entity), fate=Fate.CHANGED, scopes=[])
    found = entity.instances(name) if all_instances else [entity.there((name, dataset_id))]
    decision = kept(entity)
    decision.deletes = [one for one in found if one is not None]
    if not decision.deletes:
        raise NotFound("the entity has no such attribute", where="attrId")
    decision.fate = Fate.CHANGED
    return decision


def delete(stored: StoredEntity | None, entity_id: str) -> Decision:
    """5.6.6: the entity and all of its attributes; its past stays. Raises NotFound."""
    entity = _there(stored, entity_id)
    return Decision(entity.id, Fate.DELETED, entity.types, entity.scopes, entity, deletes=_others(entity, []))


def _there(stored: StoredEntity | None, entity_id: str | None) -> StoredEntity:
    if stored is None or not stored.is_there:
        raise NotFound(f"there is no entity {entity_id}", where="id")
    return stored


def _attribute_there(
    stored: StoredEntity | None, entity_id: str, identity: tuple[str, str]
) -> tuple[StoredEntity, StoredAttribute]:
    entity = _there(stored, entity_id)
    attribute = entity.there(identity)
    if attribute is None:
        raise NotFound("the entity has no such attribute", where="attrId")
    return entity, attribute


def kept(entity: StoredEntity) -> Decision:
    """Nothing becomes of the entity itself."""
    ends = entity.expires_at_us if entity.is_there else None
    return Decision(entity.id, Fate.KEPT, entity.types, entity.scopes, entity, expires_at_us=ends)


def with_header(entity: StoredEntity, fragment: EntityFragment, *, replaces_scopes: bool) -> Decision:
    """The fragment's types join the entity's; its scopes replace them, or join them; its end replaces theirs."""
    decision = kept(entity)
    decision.types = list(dict.fromkeys([*entity.types, *fragment.types]))
    if fragment.scopes is not None:
        before = [] if replaces_scopes else entity.scopes
        decision.scopes = list(dict.fromkeys([*before, *fragment.scopes]))
    if fragment.expires_at_us is not UNSET:
        decision.expires_at_us = fragment.expires_at_us
    after = (decision.types, decision.scopes, decision.expires_at_us)
    if after != (entity.types, entity.scopes, entity.expires_at_us):
        decision.fate = Fate.CHANGED
    return decision


def _put(decision: Decision, one: AttributeFragment) -> None:
    """Set an attribute instance as the fragment has it, or delete it where the fragment says so."""
    assert decision.stored is not None
    if one.is_null:
        _delete(decision, one, decision.stored.there(one.identity))
        return
    decision.sets.append(written(one, None))
    decision.updated.append(one.name)


def _delete(decision: Decision, one: AttributeFragment, before: StoredAttribute | None) -> None:
    if before is None:
        decision.untouched.append(Untouched(one.name, "the attribute does not exist"))
        return
    decision.deletes.append(before)
    decision.updated.append(one.name)
    decision.fate = Fate.CHANGED


def written(
    one: AttributeFragment, before: StoredAttribute | None, value: Any = UNSET, meta: Meta | None = None
) -> AttributeWrite:
    """The attribute instance as it will stand. before: what keeps what the fragment does not say."""
    value = one.value if value is UNSET else value
    kind = one.kind if one.kind is not None else before.kind if before is not None else None
    if kind is None or value is UNSET:
        raise InvalidInput("an attribute that is not there yet needs a value", where=one.name)
    observed_at_us = one.observed_at_us
    filed_at_us = observed_at_us if isinstance(observed_at_us, int) else None
    if observed_at_us is UNSET:
        observed_at_us = before.observed_at_us if before is not None else None
    return AttributeWrite(
        name=one.name,
        value=value,
        kind=kind,
        dataset_id=one.dataset_id,
        observed_at_us=observed_at_us if isinstance(observed_at_us, int) else None,
        meta=_without_nulls(one.meta if meta is None else meta),
        filed_at_us=filed_at_us,
    )


def _merged(one: AttributeFragment, before: StoredAttribute) -> AttributeWrite:
    """A fragment laid over an attribute instance. One of another kind takes its place."""
    if one.kind is not None and one.kind is not before.kind:
        return written(one, None)
    value = before.value if one.value is UNSET else merge_json(before.value, one.value)
    return written(one, before, value, merged_meta(before.meta, one.meta, deeply=True))


def merged_meta(before: Meta, after: Meta, *, deeply: bool = False) -> Meta:
    merged = dict(before)
    for name, sub in after.items():
        merged[name] = merge_json(merged.get(name), sub) if deeply else sub
    return merged


def merge_json(before: Any, after: Any) -> Any:
    """RFC 7396's merge patch, with NGSI-LD Null in place of null."""
    if not isinstance(after, dict):
        return after
    merged = dict(before) if isinstance(before, dict) else {}
    for key, member in after.items():
        if is_null(member):
            merged.pop(key, None)
        else:
            merged[key] = merge_json(merged.get(key), member)
    return merged


def _without_nulls(meta: Meta) -> Meta:
    return {name: sub for name, sub in meta.items() if sub != NULL}


def _others(stored: StoredEntity | None, attributes: Iterable[AttributeFragment]) -> list[StoredAttribute]:
    """What is there now and not among these."""
    if stored is None:
        return []
    named = {one.identity for one in attributes}
    return [one for one in stored.attributes.values() if one.is_there and one.identity not in named]


def _names(attributes: Iterable[AttributeFragment]) -> list[str]:
    return list(dict.fromkeys(one.name for one in attributes))
