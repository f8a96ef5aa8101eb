"""Scales, parts of a map, searches and the words for numbers, whatever the city says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.portal.bars import round_up, scale_of
from broadstreet.portal.live import encode_event
from broadstreet.portal.maps import map_part
from broadstreet.portal.roster import Fingerprint, Roster
from broadstreet.portal.search import MAX_HITS, search
from broadstreet.portal.sensor import Sensor
from broadstreet.portal.words import attribute_label, duration, number, plain, type_label, type_noun

VALUES = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(st.lists(VALUES, min_size=1, max_size=11))
def test_a_scale_holds_every_value_and_has_a_length(values: list[float]) -> None:
    low, high = scale_of(np.array([*values, np.nan]))
    assert low < high
    assert all(low <= value <= high or np.isclose(value, [low, high]).any() for value in values)
    if min(values) >= 0 and min(values) < max(values) / 2:
        assert low == 0


@given(st.lists(st.floats(1, 2), min_size=12, max_size=200, unique=True), st.floats(1e3, 1e9), st.booleans())
def test_one_wild_value_among_many_leaves_the_others_their_height(
    values: list[float], wild: float, is_below: bool
) -> None:
    low, high = scale_of(np.array([*values, -wild if is_below else wild]))
    assert high - low <= 4
    # Where the others lie close together, one of them may look wild as well.
    assert sum(low <= value <= high for value in values) >= len(values) - 1


@given(st.floats(1e-9, 1e12))
def test_a_round_number_is_next_above(value: float) -> None:
    assert value * (1 - 1e-6) <= round_up(value) <= value * 1.34


@given(st.binary(min_size=1, max_size=200), st.integers(0, 250), st.integers(0, 250))
def test_a_part_of_a_map_is_that_part(content: bytes, start: int, last: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.pmtiles").write_bytes(content)
        part = map_part(Path(folder), "a.pmtiles", f"bytes={start}-{last}", None)
        assert content[part.start : part.end] == content[start : last + 1]
        assert part.is_empty == (not content[start : last + 1])
        tail = map_part(Path(folder), "a.pmtiles", f"bytes=-{last}", None)
        assert content[tail.start : tail.end] == (content[-last:] if last else b"")


@given(st.floats(-1e12, 1e12))
def test_a_number_is_told_close_to_what_it_is(value: float) -> None:
    told = float(number(value).replace(",", "").replace("−", "-"))
    assert abs(told - value) <= max(0.5, abs(value) * 0.005) if abs(value) >= 100 else abs(told - value) <= 0.051


@given(st.integers(0, 10**16))
def test_a_length_of_time_has_a_number_or_is_less_than_a_minute(us: int) -> None:
    told = duration(us)
    assert told == "less than a minute" if us < 60_000_000 else int(told.split()[0].replace(",", "")) >= 1


@given(st.text(max_size=60))
def test_any_name_has_a_label(name: str) -> None:
    assert all(isinstance(told, str) for told in (attribute_label(name), type_label(name), type_noun(name)))


@given(st.lists(st.text(min_size=1, max_size=20), max_size=40), st.text(max_size=120))
def test_a_search_answers_with_what_holds_its_words(titles: list[str], query: str) -> None:
    sensors = [
        Sensor(n, f"urn:x:{n}", title, "T", 0.0, 0.0, None, None, False, None, None) for n, title in enumerate(titles)
    ]
    hits = search(query, Roster(sensors, Fingerprint(1, None, None)), ())
    assert len(hits) <= MAX_HITS
    words = plain(query).split()
    for hit in hits:
        assert all(word in plain(f"{hit.title} {hit.id} t") for word in words)


@given(st.text(max_size=200))
def test_an_event_is_one_event(text: str) -> None:
    event = encode_event("readings", {"text": text})
    assert event.count(b"\n\n") == 1 and event.endswith(b"\n\n") and event.count(b"\n") == 3
