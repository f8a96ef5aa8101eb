"""Units by their common code."""

from __future__ import annotations

from broadstreet.model.units import UNITS, Unit, unit


def test_codes_are_said_in_symbols_and_words() -> None:
    assert unit("GQ") == Unit("GQ", "µg/m³", "micrograms per cubic metre")
    assert (unit("CEL").symbol, unit("P1").symbol, unit("C62").symbol) == ("°C", "%", "")


def test_a_code_that_is_not_listed_stands_for_itself() -> None:
    assert unit("X99") == Unit("X99", "X99", "X99")


def test_every_code_is_listed_once_and_has_words() -> None:
    assert all(code == listed.code and listed.label for code, listed in UNITS.items())
    assert len({listed.label for listed in UNITS.values()}) == len(UNITS)
