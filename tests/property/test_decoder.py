"""Decoding payloads: exact where they are right, a fault with a reason where not, never an exception."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from broadstreet.devices import Decoder, Fault, Reading, parse_profile
from broadstreet.log import DeadReason
from broadstreet.model.clock import EPOCH

PROFILE = parse_profile("""
[profile]
name = "p"
type = "T"
time = "ts"
[attributes.plain]
field = "a"
[attributes.scaled]
field = "d.b"
scale = 2
offset = -1
[attributes.text]
field = "t"
type = "text"
[attributes.flag]
field = "f"
type = "boolean"
[attributes.any]
field = "j"
type = "json"
""")
RECEIVED_US = 1_767_225_600_000_000
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


def decode(payload: bytes) -> tuple[list[Reading], list[Fault]]:
    readings: list[Reading] = []
    faults: list[Fault] = []
    Decoder(PROFILE).decode(payload, RECEIVED_US, readings, faults)
    return readings, faults


@given(st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode()))
def test_any_payload_gives_readings_or_a_reason(payload: bytes) -> None:
    readings, faults = decode(payload)
    # Only an empty array says nothing at all.
    assert readings or faults or json.loads(payload) == []


@given(
    st.dictionaries(st.sampled_from(["a", "t", "f", "j", "ts", "other"]), _json),
    st.dictionaries(st.just("b"), _json),
)
def test_objects_with_our_fields_never_surprise(item: dict[str, Any], inner: dict[str, Any]) -> None:
    readings, _ = decode(json.dumps({**item, "d": inner}).encode())
    for reading in readings:
        assert (reading.number is None) != (reading.value is None)


@given(
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.integers(-(2**50), 2**50),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=50),
    st.booleans(),
)
def test_right_payloads_are_decoded_exactly(plain: float, scaled: int, text: str, flag: bool) -> None:
    payload = json.dumps({"a": plain, "d": {"b": scaled}, "t": text, "f": flag, "j": [text]}).encode()
    assert decode(payload) == (
        [
            Reading(0, RECEIVED_US, 0, plain, None),
            Reading(1, RECEIVED_US, 0, scaled * 2.0 - 1.0, None),
            Reading(2, RECEIVED_US, 0, None, text),
            Reading(3, RECEIVED_US, 0, None, flag),
            Reading(4, RECEIVED_US, 0, None, [text]),
        ],
        [],
    )


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001  # made aware below
def test_a_payloads_time_is_exact_to_the_microsecond(naive: datetime, offset_min: int) -> None:
    at = naive.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    readings, faults = decode(json.dumps({"a": 1, "ts": at.isoformat()}).encode())
    assert not faults
    assert EPOCH + timedelta(microseconds=readings[0].at_us) == at.astimezone(UTC)


def test_items_of_an_array_without_a_time_are_told_apart() -> None:
    readings, _ = decode(b'[{"a":1},{"a":1},{"a":1,"ts":"2026-01-01T00:00:00Z"}]')
    assert [(reading.at_us, reading.n) for reading in readings] == [
        (RECEIVED_US, 0),
        (RECEIVED_US, 1),
        (RECEIVED_US, 0),
    ]


def test_a_time_without_a_zone_is_a_fault() -> None:
    for stamp in ("2026-01-01T00:00:00", "2026-01-01", "now", "", 5, "2026-13-01T00:00:00Z"):
        readings, faults = decode(json.dumps({"a": 1, "ts": stamp}).encode())
        assert (readings, [fault.reason for fault in faults]) == ([], [DeadReason.BAD_TIME])


def test_a_backslash_before_u0000_is_text_and_not_the_character() -> None:
    readings, faults = decode(json.dumps({"j": ["\\u0000"]}).encode())
    assert (len(readings), faults) == (1, [])
    readings, faults = decode(json.dumps({"j": ["\x00"]}).encode())
    assert (readings, len(faults)) == ([], 1)
