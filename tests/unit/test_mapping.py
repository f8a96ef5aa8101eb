"""Mappings: the shipped ones hold, and what is wrong is refused by its key before a row is read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broadstreet.devices import parse_profile
from broadstreet.importer import parse_mapping
from broadstreet.importer.checking import check_columns
from broadstreet.importer.mapping import Ambiguous, Form, Mapping, Nonexistent, OnEmpty, fill
from broadstreet.model.errors import InvalidInput
from tests.docs.pages import reference

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LONG: dict[str, Any] = {
    "file": {"form": "long"},
    "time": {"column": "at", "time_zone": "UTC"},
    "sensor": {"column": "id", "type": "T", "entity": "urn:ngsi-ld:T:{sensor}"},
    "attributes": {"NO2": {"column": "no2", "unit": "GQ"}},
    "dataset": {"id": "urn:d", "title": "D"},
}


def toml(tree: dict[str, Any], path: str = "") -> str:
    """A tree of tables as TOML."""
    lines = [f"[{path}]"] if path else []
    lines += [f"{key} = {msgspec.json.encode(v).decode()}" for key, v in tree.items() if not isinstance(v, dict)]
    lines += [toml(v, f"{path}.{key}".lstrip(".")) for key, v in tree.items() if isinstance(v, dict)]
    return "\n".join(lines)


def changed(changes: dict[str, Any]) -> str:
    """The long mapping with some keys changed; None takes one out."""
    tree = tomllib.loads(toml(LONG))
    for path, value in changes.items():
        *tables, key = path.split(".")
        table = tree
        for name in tables:
            table = table.setdefault(name, {})
        if value is None:
            del table[key]
        else:
            table[key] = value
    return toml(tree)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_mappings_hold(path: Path) -> None:
    mapping = parse_mapping(path.read_text())
    assert mapping.profile is not None
    assert mapping.profile.time == "time"
    assert mapping.profile.attributes.keys() == mapping.attributes.keys()
    assert mapping.dataset.owner
    assert mapping.dataset.licence
    assert mapping.dataset_facts.id == mapping.dataset.id


def test_what_is_left_out_has_a_default() -> None:
    mapping = parse_mapping(toml(LONG))
    assert (mapping.time.nonexistent, mapping.time.ambiguous) == (Nonexistent.REJECT, Ambiguous.REJECT)
    assert (mapping.on_empty, mapping.profile_text, mapping.file.form) == (OnEmpty.REJECT, None, Form.LONG)


WRONG: list[tuple[dict[str, Any], str | None]] = [
    ({"file.form": "round"}, "file.form"),
    ({"file.kind": "long"}, "file"),
    ({"file.encoding": "utf-99"}, "file.encoding"),
    ({"file.decimal": ","}, "file.decimal"),
    ({"file.delimiter": '"'}, "file.delimiter"),
    ({"file.columns": []}, "file.columns"),
    ({"time.column": None}, "time"),
    ({"time.start": "2026-01-01", "time.step": "PT1H"}, "time"),
    ({"time.column": None, "time.start": "2026-01-01"}, "time.step"),
    ({"time.column": None, "time.step": "PT1H"}, "time.start"),
    ({"time.column": None, "time.start": "2026-01-01", "time.step": "PT0S"}, "time.step"),
    ({"time.column": None, "time.start": "2026-01-01", "time.step": "5 minutes"}, "time.step"),
    ({"time.format": "day and month"}, "time.format"),
    ({"time.time_zone": None}, "time.time_zone"),
    ({"time.time_zone": "Mars/Olympus"}, None),
    ({"time.ambiguous": "both"}, "time.ambiguous"),
    ({"sensor.column": None}, "sensor"),
    ({"sensor.id": "one"}, "sensor"),
    ({"sensor.ignore": ["x"]}, "sensor.ignore"),
    ({"sensor.type": " "}, "sensor.type"),
    ({"sensor.entity": "urn:ngsi-ld:T:all"}, "sensor.entity"),
    ({"sensor.entity": "no uri {sensor}"}, "sensor.entity"),
    ({"sensor.entity": "urn:{sensor"}, "sensor.entity"),
    ({"sensor.title": "{street}"}, "sensor"),
    ({"sensor.device": "d-{sensor}"}, "sensor.profile"),
    ({"sensor.device": "d-{sensor}", "sensor.profile": "p"}, "sensor.device"),
    ({"sensor.profile": "p"}, "sensor.profile"),
    ({"attributes.NO2": None}, "attributes"),
    ({"attributes.NO2.column": None}, "attributes.NO2.column"),
    ({"attributes.NO2.type": "date"}, "attributes[...].type"),
    ({"attributes.NO2.type": "text"}, "attributes.NO2"),
    ({"attributes.NO2.minimum": 2, "attributes.NO2.maximum": 1}, "attributes.NO2"),
    ({"file.form": "wide"}, "sensor"),
    ({"file.form": "wide", "sensor.column": None}, "attributes.NO2.column"),
    ({"dataset.id": "my data"}, "dataset.id"),
    ({"dataset.retention": "P1M"}, "dataset.retention"),
    ({"dataset.personal_data": "some"}, "dataset.personal_data"),
    ({"dataset.title": None}, "dataset"),
]


@pytest.mark.parametrize(("changes", "where"), WRONG, ids=[", ".join(changes) for changes, _ in WRONG])
def test_a_wrong_mapping_is_refused_by_its_key(changes: dict[str, Any], where: str | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_mapping(changed(changes))
    assert refused.value.where == where
    assert refused.value.remedy


def test_what_is_not_toml_is_refused() -> None:
    for text in ("[file", "x" * 70_000, ""):
        with pytest.raises(InvalidInput):
            parse_mapping(text)


def test_columns_are_checked_against_the_table() -> None:
    mapping = parse_mapping(toml(LONG))
    check_columns(mapping, ["no2", "id", "at", "more"], "table.csv")
    with pytest.raises(InvalidInput, match=r"'no2' \(attributes\.NO2\.column\)") as refused:
        check_columns(mapping, ["id;at;no2"], "table.csv")
    assert "'id;at;no2'" in str(refused.value)
    assert "file.delimiter" in str(refused.value)
    with pytest.raises(InvalidInput, match="two columns"):
        check_columns(mapping, ["no2", "id", "at", "id"], "table.csv")


def test_a_wide_table_needs_a_column_that_is_a_sensor() -> None:
    changes = {"file.form": "wide", "sensor.column": None, "attributes.NO2.column": None, "sensor.ignore": ["note"]}
    mapping = parse_mapping(changed(changes))
    check_columns(mapping, ["at", "note", "a"], "t")
    assert mapping.sensor_columns(["at", "note", "a", "b"]) == ["a", "b"]
    for columns in (["at", "note"], ["at", "a"], ["at", "note", "a", "a"]):
        with pytest.raises(InvalidInput):
            check_columns(mapping, columns, "t")


def test_the_profile_of_a_mapping_is_a_profile() -> None:
    changes = {
        "sensor.device": "d-{sensor}",
        "sensor.profile": "p",
        "locations": {"file": "l.csv", "sensor": "s", "latitude": "y", "longitude": "x"},
        "attributes.NO2.scale": 0.5,
        "attributes.NO2.maximum": 10,
        'attributes.https://example.org/a"b': {"column": "c", "type": "text"},
    }
    mapping = Mapping.parse(changed({k: v for k, v in changes.items() if '"' not in k}))
    profile = parse_profile(mapping.profile_text or "")
    assert (profile.attributes["NO2"].scale, profile.attributes["NO2"].maximum) == (0.5, 10)
    assert profile.attributes["NO2"].field == "NO2"


def test_templates_are_filled() -> None:
    assert fill("a-{x}-{y z}", {"x": "1", "y z": "2"}, "t") == "a-1-2"
    with pytest.raises(InvalidInput, match=r"\{w\}"):
        fill("{w}", {"x": "1"}, "t")


def test_every_key_of_a_mapping_is_described() -> None:
    page = reference("mappings")
    for field in msgspec.structs.fields(Mapping):
        heading = "`[attributes.NAME]`" if field.name == "attributes" else f"`[{field.name}]`"
        section = page.section(heading)
        assert section is not None, heading
        table = next(kind for kind in _structs(field.type))
        assert set(section.rows()) == {key.name for key in msgspec.structs.fields(table)}, heading


def _structs(kind: Any) -> list[type[msgspec.Struct]]:
    """The Struct in a field's type, wherever it stands in it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [found for part in getattr(kind, "__args__", ()) for found in _structs(part)]
