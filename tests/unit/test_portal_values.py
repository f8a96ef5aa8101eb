"""Values of any kind, as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from broadstreet.portal.values import MAX_LENGTH, in_words


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "yes"),
        (None, ""),
        ("fine", "fine"),
        ({"type": "Point", "coordinates": [24.95, 60.17]}, "60.17000, 24.95000"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}, "Polygon on the map"),
        (
            {"addressLocality": "Helsinki", "type": "PostalAddress", "streetAddress": "Fabianinkatu 3"},
            "Fabianinkatu 3, Helsinki",
        ),
        ({"streetAddress": "Fabianinkatu 3", "postalCode": None}, "Fabianinkatu 3"),
        ({"fi": "Katu", "@none": "Street"}, "Street"),
        ({"red": 1, "lamp": {"on": False}}, "red 1, lamp on no"),
        ([1, "two", [3]], "1, two, 3"),
        ([], ""),
    ],
)
def test_no_json_is_shown(value: Any, said: str) -> None:
    assert in_words(value) == said


def test_a_number_has_its_unit() -> None:
    assert in_words(31.2, "GQ") == "31.2 µg/m³"


def test_what_is_long_or_deep_is_cut() -> None:
    assert len(in_words("x" * 500)) == MAX_LENGTH
    deep: list[Any] = []
    for _ in range(50):
        deep = [deep]
    assert in_words(deep) == "…"
