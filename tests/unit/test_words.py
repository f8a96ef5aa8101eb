"""The words of the portal's sentences."""

from __future__ import annotations

import json
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from broadstreet.model.units import UNITS
from broadstreet.portal.words import (
    attribute_label,
    count,
    duration,
    limit,
    moment,
    number,
    quantity,
    rate,
    sentences,
    since,
    type_label,
    type_noun,
)
from webapp.build import WEBAPP

S = 1_000_000
TOLD = json.loads((WEBAPP / "tests" / "told.json").read_text(encoding="utf-8"))
"""What client and server must write alike."""
NOON_US = 1_772_366_400 * S
"""2026-03-01T12:00:00Z, 14:00 in Helsinki."""


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("averageVehicleSpeed", "Average speed"),
        ("waterLevel", "Water level"),
        ("batteryVoltageDC", "Battery voltage DC"),
        ("https://example.org/vocab#soilMoisture", "Soil moisture"),
        ("NO2", "NO₂"),
        ("free_spaces", "Free spaces"),
    ],
)
def test_attributes_are_called_as_people_call_them(name: str, label: str) -> None:
    assert attribute_label(name) == label


def test_types_have_a_label_and_a_noun() -> None:
    assert (type_label("Streetlight"), type_noun("Streetlight")) == ("Street lights", "street light")
    assert (type_label("FloodGauge"), type_noun("FloodGauge")) == ("Flood gauge", "flood gauge sensor")


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0"), (31.25, "31.3"), (3.14159, "3.1"), (231.4, "231"), (-0.5, "−0.50"), (1e300, "1" + ",000" * 100)],
)
def test_numbers(value: float, told: str) -> None:
    assert number(value) == told


def test_the_server_writes_as_the_client_does() -> None:
    codes = {known.symbol: code for code, known in UNITS.items()}
    for value, symbol, written in TOLD["quantities"]:
        assert quantity(value, codes[symbol]) == written
    for value, symbol, written in TOLD["limits"]:
        assert limit(value, codes[symbol]) == written
    for value, written in TOLD["rates"]:
        assert rate(value) == written
    for length_s, written in TOLD["durations_s"]:
        assert duration(length_s * S) == written
    assert quantity(7.0, None) == "7"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (59, "less than a minute"),
        (60, "1 minute"),
        (119 * 60, "119 minutes"),
        (120 * 60, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
    ],
)
def test_lengths_of_time(seconds: int, told: str) -> None:
    assert duration(seconds * S) == told


@pytest.mark.parametrize(
    ("at_us", "told"),
    [
        (NOON_US - 3600 * S, "at 13:00"),
        (NOON_US - 14 * 3600 * S - S, "yesterday at 23:59"),
        (NOON_US - 3 * 86_400 * S, "on 26 February at 14:00"),
        (NOON_US - 400 * 86_400 * S, "on 25 January 2025 at 14:00"),
    ],
)
def test_moments_are_told_by_the_citys_clocks(at_us: int, told: str) -> None:
    assert moment(at_us, NOON_US, ZoneInfo("Europe/Helsinki")) == told


def test_since_needs_no_preposition() -> None:
    assert since(NOON_US, NOON_US, UTC) == "12:00"
    assert since(NOON_US - 3 * 86_400 * S, NOON_US, UTC) == "26 February at 12:00"


def test_sentences_begin_and_end_as_sentences() -> None:
    assert sentences(["one sensor is silent", "", "The air is good."]) == "One sensor is silent. The air is good."
    assert (count(1, "sensor"), count(1200, "entity", "entities")) == ("one sensor", "1,200 entities")
