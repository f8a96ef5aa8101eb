"""The page on what a plan is made from names every field, table and kind of fault, and its example can be given."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from broadstreet.city.features import MAX_EXTRACT_BYTES
from broadstreet.network.ground import (
    Architecture,
    Catalogue,
    FaultKind,
    Limits,
    Needs,
    Obstacle,
    Optics,
    PremisesKind,
    Rules,
    Surface,
)
from broadstreet.network.ground.catalogue import Crossings, Existing
from broadstreet.network.ground.columns import DemandColumns, OfficeColumns, PlantColumns, StreetColumns
from broadstreet.network.ground.inputs import Inputs
from broadstreet.network.ground.layer import MAX_BYTES, MAX_FEATURES
from broadstreet.network.ground.optics import Fibre, OpticalClass, Part
from tests.tidy.tree import ROOT

PAGE = (ROOT / "docs/reference/network.md").read_text(encoding="utf-8")
SHEETS = (Catalogue, Architecture, Optics, Crossings, Existing, OpticalClass, Fibre, Part)
STRUCTS = (Inputs, Rules, Limits, Needs, StreetColumns, DemandColumns, PlantColumns, OfficeColumns, *SHEETS)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_is_named(struct: type[msgspec.Struct]) -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {field.name for field in msgspec.structs.fields(struct)} - named - {"title", "currency"} == set()


def test_every_kind_is_named() -> None:
    kinds = [*FaultKind, *Surface, *Obstacle]
    assert all(f"`{kind}`" in PAGE for kind in kinds)
    assert ", ".join(f"{kind.value} {kind.name.lower()}" for kind in PremisesKind) in PAGE


def test_the_defaults_are_the_ones_that_are_said() -> None:
    for struct in (Limits, Needs):
        said: dict[str, Any] = {}
        for names, values in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([0-9., ]+) \|", PAGE, re.MULTILINE):
            said |= dict(zip(re.findall(r"\w+", names), map(float, values.split(", ")), strict=True))
        assert {field.name: field.default for field in msgspec.structs.fields(struct)}.items() <= said.items()
    assert all(f"`{category}`" in PAGE for category in Rules().closed_categories)


def test_the_bounds_are_the_ones_that_are_said() -> None:
    assert f"{MAX_EXTRACT_BYTES // 10**6} MB" in PAGE
    for form, name in (
        ("GPKG", "GeoPackage"),
        ("ESRI Shapefile", "Shapefile"),
        ("GeoJSON", "GeoJSON"),
        ("CSV", "table"),
    ):
        size = MAX_BYTES[form]
        said = f"{size // 10**9} GB" if size >= 10**9 else f"{size // 10**6} MB"
        assert re.search(rf"^\| {name} \|.*\| {said}", PAGE, re.MULTILINE)
    assert MAX_FEATURES == 1_000_000


def test_the_example_can_be_given() -> None:
    example = re.search(r"```json\n(.+?)```", PAGE, re.DOTALL)
    assert example
    inputs = msgspec.json.decode(example[1], type=Inputs)
    assert inputs.rules.closed_crossings == (Obstacle.RAILWAY,)
    assert inputs.sites[0].is_critical
