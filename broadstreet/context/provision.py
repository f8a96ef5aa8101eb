"""What each operation on an entity's past does (5.6.11, 5.6.12 and 5.6.14 of the standard): pure functions, as those of
decision.py.

Of each attribute instance the newest observation becomes current by the rule of a device's reading: if its time is not
older than what is current, and newer than a deletion. The others go into the past alone. One moment has one value:
another one for it is a correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import UNSET

from broadstreet.context.decision import AttributeWrite, Decision, Fate, kept, merged_meta, with_header, written
from broadstreet.context.fragment import AttributeFragment, EntityFragment
from broadstreet.context.stored import StoredAttribute, StoredEntity
from broadstreet.model.errors import InvalidInput, NotFound


class Stale(Exception):
    """The attribute changed since the instance was read: read it again."""


def provide(stored: StoredEntity | None, fragment: EntityFragment, at_us: int) -> Decision:
    """5.6.11 and 5.6.12: observations are added, and an entity that is new. Raises NotFound for one without a type,
    InvalidInput where an attribute would be of two kinds."""
    assert fragment.id is not None
    if stored is None:
        if not fragment.types:
            raise NotFound(f"there is no entity {fragment.id[:200]}", where="id")
        decision = Decision(fragment.id, Fate.CREATED, fragment.types, fragment.scopes or [])
        decision.expires_at_us = fragment.expires_at_us or None
    else:
        decision = with_header(stored, fragment, replaces_scopes=True)
    decision.told_scopes = fragment.told_scopes
    values = [one for one in fragment.attributes if not one.is_null]
    for writes in _by_instance(values, at_us):
        _file(decision, writes, at_us)
    known = {one.identity for one in values}.union(() if stored is None else stored.attributes)
    for one in fragment.attributes:
        if one.is_null:
            if one.identity not in known:
                raise InvalidInput("an attribute that never was cannot have been deleted", where=one.name)
            moment_us = one.observed_at_us
            decision.told_deletions.append((one.identity, moment_us if isinstance(moment_us, int) else at_us))
    if stored is not None and not stored.is_there:
        decision.fate = Fate.CREATED if decision.sets else Fate.KEPT
    return decision


def modify(
    stored: StoredEntity | None, one: AttributeFragment, instance: StoredAttribute, n: int, at_us: int
) -> Decision:
    """5.6.14: members of one instance are replaced, the others stay. instance: it, as it was observed. Raises Stale."""
    now = None if stored is None else stored.attributes.get(one.identity)
    assert stored is not None
    assert now is not None
    if now.version != instance.version:
        raise Stale
    if one.is_null:
        raise InvalidInput("an instance is removed by DELETE", where="value")
    if one.observed_at_us is not UNSET and one.observed_at_us != instance.observed_at_us:
        raise InvalidInput(
            "an instance keeps its observedAt", where="observedAt", remedy="Delete it, and append another."
        )
    value = instance.value if one.value is UNSET else one.value
    write = written(one, instance, value, merged_meta(instance.meta, one.meta))
    write.filed_at_us, write.n = instance.observed_at_us, n
    if now.as_of_us == instance.observed_at_us:
        write.observed_at_us = now.observed_at_us
    decision = kept(stored)
    _file(decision, [write], at_us)
    if not stored.is_there and decision.sets:
        decision.fate = Fate.CREATED
    return decision


def _by_instance(attributes: Iterable[AttributeFragment], at_us: int) -> list[list[AttributeWrite]]:
    """Observations by attribute instance, oldest first, one a moment: the last one that is said of it.

    Those without observedAt are of now, a microsecond apart in the order in which they stand.
    """
    given: dict[tuple[str, str], list[AttributeFragment]] = {}
    for one in attributes:
        given.setdefault(one.identity, []).append(one)
    found = []
    for instances in given.values():
        untimed = sum(one.observed_at_us is UNSET for one in instances)
        by_time: dict[int, AttributeWrite] = {}
        for one in instances:
            write = written(one, None)
            if write.filed_at_us is None:
                untimed -= 1
                write.filed_at_us = at_us - untimed
            by_time[write.filed_at_us] = write
        found.append([by_time[time_us] for time_us in sorted(by_time)])
    return found


def _file(decision: Decision, writes: Sequence[AttributeWrite], at_us: int) -> None:
    """Put one instance's observations where they belong: all into the past, the newest perhaps into the present."""
    newest, identity = writes[-1], writes[-1].identity
    now = None if decision.stored is None else decision.stored.attributes.get(identity)
    becomes_current = now is None or _is_newer(newest, now, at_us)
    kind = newest.kind if now is None or becomes_current else now.kind
    if strange := next((one for one in writes if one.kind is not kind), None):
        raise InvalidInput(
            f"the attribute is a {kind.type_name}, and one of its instances a {strange.kind.type_name}",
            where=newest.name,
            remedy="Give all instances one type, or another datasetId.",
        )
    decision.updated.append(newest.name)
    decision.past += writes[:-1] if becomes_current else writes
    if becomes_current:
        newest.gives_way = True
        decision.sets.append(newest)


def _is_newer(write: AttributeWrite, now: StoredAttribute, at_us: int) -> bool:
    assert write.filed_at_us is not None
    as_of_us = min(write.filed_at_us, at_us)
    return as_of_us >= now.as_of_us and (now.deleted_at_us is None or as_of_us > now.deleted_at_us)
