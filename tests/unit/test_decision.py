"""What each operation makes of an entity, without a database."""

from __future__ import annotations

from typing import Any

import pytest

from broadstreet.context import CORE, Nulls, decision, parse_attribute, parse_fragment
from broadstreet.context.decision import Decision, Fate, merge_json
from broadstreet.context.fragment import NULL, EntityFragment
from broadstreet.context.stored import StoredAttribute, StoredEntity
from broadstreet.model.entity import Kind
from broadstreet.model.errors import Conflict, InvalidInput, NotFound
from broadstreet.model.terms import expand

ID = "urn:ngsi-ld:Lamp:1"
BEFORE_US, DELETED_US = 1_000, 2_000


def attribute(name: str, value: Any, *, dataset_id: str = "", deleted: bool = False, **more: Any) -> StoredAttribute:
    kind = more.pop("kind", Kind.PROPERTY)
    return StoredAttribute(
        series_key=len(name),
        name=expand(name),
        dataset_id=dataset_id,
        kind=kind,
        version=3,
        as_of_us=BEFORE_US,
        observed_at_us=more.pop("observed_at_us", None),
        created_at_us=BEFORE_US,
        deleted_at_us=DELETED_US if deleted else None,
        value=value,
        meta=more.pop("meta", {}),
    )


def stored(*attributes: StoredAttribute, deleted: bool = False, scopes: list[str] | None = None) -> StoredEntity:
    own = {one.identity: one for one in attributes}
    return StoredEntity(7, ID, [expand("Lamp")], scopes or [], BEFORE_US, DELETED_US if deleted else None, own)


def fragment(nulls: Nulls = Nulls.WITHIN, **members: Any) -> EntityFragment:
    return parse_fragment({"id": ID, **members}, CORE, nulls)


def values(decided: Decision) -> dict[str, Any]:
    return {one.name.rsplit("/", 1)[-1]: one.value for one in decided.sets}


def gone(decided: Decision) -> list[str]:
    return [one.name.rsplit("/", 1)[-1] for one in decided.deletes]


def test_create_makes_what_is_not_there() -> None:
    decided = decision.create(None, fragment(type="Lamp", power=5))
    assert (decided.fate, decided.types, values(decided)) == (Fate.CREATED, [expand("Lamp")], {"power": 5})
    with pytest.raises(Conflict):
        decision.create(stored(), fragment(type="Lamp"))


def test_create_over_a_deleted_entity_leaves_nothing_of_it() -> None:
    left = stored(attribute("alive", 1), attribute("dead", 2, deleted=True), deleted=True)
    decided = decision.create(left, fragment(type="Lamp", power=5))
    assert (values(decided), gone(decided)) == ({"power": 5}, ["alive"])


def test_replace_keeps_nothing_else() -> None:
    decided = decision.replace(stored(attribute("a", 1), attribute("b", 2)), fragment(b=3))
    assert (values(decided), gone(decided), decided.types) == ({"b": 3}, ["a"], [expand("Lamp")])


def test_append_adds_and_overwrites_unless_told_not_to() -> None:
    entity = stored(attribute("a", 1))
    decided = decision.append(entity, fragment(a=2, b=3, type="Pole"))
    assert values(decided) == {"a": 2, "b": 3}
    assert decided.types == [expand("Lamp"), expand("Pole")]
    careful = decision.append(entity, fragment(a=2, b=3), may_overwrite=False)
    assert values(careful) == {"b": 3}
    assert [one.name for one in careful.untouched] == [expand("a")]


def test_update_replaces_scopes_only_where_there_are_some() -> None:
    assert decision.update(stored(scopes=["/a"]), fragment(scope="/b")).scopes == ["/b"]
    without = decision.update(stored(), fragment(scope="/b"))
    assert (without.scopes, [one.name for one in without.untouched]) == ([], [decision.SCOPE])


def test_null_deletes_an_attribute() -> None:
    entity = stored(attribute("a", 1), attribute("b", 2))
    for operation in (decision.append, decision.update, decision.merge):
        decided = operation(entity, fragment(a={"value": NULL}, c={"value": NULL}))
        assert gone(decided) == ["a"]
        assert [one.name for one in decided.untouched] == [expand("c")]


def test_merge_lays_members_over_what_is_there() -> None:
    before = attribute(
        "a", {"x": 1, "y": {"z": 2}}, meta={"unitCode": "KMH", expand("s"): {"type": "Property", "value": 1}}
    )
    patch = fragment(a={"value": {"x": NULL, "y": {"w": 3}}, "unitCode": "MTS"}, b=7)
    decided = decision.merge(stored(before), patch)
    assert values(decided) == {"a": {"y": {"z": 2, "w": 3}}, "b": 7}
    assert decided.sets[0].meta == {"unitCode": "MTS", expand("s"): {"type": "Property", "value": 1}}


def test_merge_with_another_kind_takes_its_place() -> None:
    decided = decision.merge(stored(attribute("a", 1, meta={"unitCode": "KMH"})), fragment(a={"object": "urn:x:y"}))
    assert (decided.sets[0].kind, decided.sets[0].value, decided.sets[0].meta) == (Kind.RELATIONSHIP, "urn:x:y", {})


def test_a_part_of_an_attribute_keeps_the_rest() -> None:
    before = attribute(
        "a", 1, meta={"unitCode": "KMH", expand("s"): {"type": "Property", "value": 1}}, observed_at_us=500
    )
    one = parse_attribute({"value": 2, "s": NULL}, "a", CORE)
    (write,) = decision.update_attribute(stored(before), ID, one).sets
    assert (write.value, write.meta, write.observed_at_us) == (2, {"unitCode": "KMH"}, 500)
    assert write.filed_at_us is None, "what nobody said of the past is not written into it"
    with pytest.raises(InvalidInput, match="not a Relationship"):
        decision.update_attribute(stored(before), ID, parse_attribute({"object": "urn:x:y"}, "a", CORE))
    with pytest.raises(NotFound):
        decision.update_attribute(stored(before), ID, parse_attribute({"value": 1, "datasetId": "urn:d:1"}, "a", CORE))


def test_one_instance_or_all_are_deleted() -> None:
    entity = stored(attribute("a", 1), attribute("a", 2, dataset_id="urn:d:1"))
    name = expand("a")
    assert len(decision.delete_attribute(entity, ID, name, "").deletes) == 1
    assert decision.delete_attribute(entity, ID, name, "urn:d:1").deletes[0].value == 2
    assert len(decision.delete_attribute(entity, ID, name, "", all_instances=True).deletes) == 2
    for missing in (expand("b"), name):
        with pytest.raises(NotFound):
            decision.delete_attribute(entity, ID, missing, "urn:d:9")


@pytest.mark.parametrize("entity", [None, stored(deleted=True)])
def test_what_is_not_there_cannot_be_changed(entity: StoredEntity | None) -> None:
    one = parse_attribute({"value": 1}, "a", CORE)
    for operation in (decision.replace, decision.append, decision.update, decision.merge):
        with pytest.raises(NotFound):
            operation(entity, fragment(a=1))
    with pytest.raises(NotFound):
        decision.delete(entity, ID)
    for on_attribute in (decision.update_attribute, decision.replace_attribute):
        with pytest.raises(NotFound):
            on_attribute(entity, ID, one)


def test_a_tombstone_is_not_there() -> None:
    entity = stored(attribute("a", 1, deleted=True))
    assert values(decision.append(entity, fragment(a=2), may_overwrite=False)) == {"a": 2}
    with pytest.raises(NotFound):
        decision.replace_attribute(entity, ID, parse_attribute({"value": 1}, "a", CORE))


def test_merge_patch_of_json() -> None:
    assert merge_json({"a": 1, "b": {"c": 2}}, {"b": {"c": NULL, "d": 3}, "e": [1]}) == {
        "a": 1,
        "b": {"d": 3},
        "e": [1],
    }
    assert merge_json([1, 2], [3]) == [3]
    assert merge_json(5, {"a": NULL, "b": 1}) == {"b": 1}
