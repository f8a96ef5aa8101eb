"""Where values stand in the index of values: what `place_of_value` of the tenant's schema gives each, for a query.

A place is the attribute's name, a letter for the sort of value, and as much of the value as sorts it. A query's stretch
of places holds every value that it could match, and may hold more: the value itself is looked at in the end. Letters:

    b truth values   n numbers   s texts   t texts that are dates or times, also within a typed value
    w all that is fed by devices, in one place   x lists and all else

Lists count by their items and fed values are not told apart, so that w and x belong to every stretch. Times have
microseconds at most, and stand where they are: what stands between two times lies between them.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final

from broadstreet.context.query_language import ZONED, Moment, Operator, Pattern, Range, Term, TimeForm, Value
from broadstreet.model.clock import parse_rfc3339
from broadstreet.model.errors import InvalidInput
from broadstreet.store.database import POSTGRES_EPOCH_US

MAX_TEXT: Final = 64
"""Characters of a text that sort it."""
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1
_DAY_US: Final = 86_400_000_000
_FINER: Final = re.compile(r"[.,]\d{7}")
_LEAST, _GREATEST = 0, _ALL

Stretch = tuple[bytes, bytes]
"""From one place to another."""


@dataclass(frozen=True)
class Places:
    """Where the values of a term can stand.

    exact: places; within: a stretch, both ends included; besides: one without its second end; rest: where all stands
    that has no place of its own. decides: whether whatever stands within the stretch satisfies the term.

    PostgreSQL knows how often each of the rest is met; of a stretch it has a notion only, so that besides is narrow.
    """

    exact: tuple[bytes, ...]
    within: Stretch | None
    besides: Stretch
    rest: tuple[bytes, ...]
    decides: bool = False


def places_of(term: Term, term_key: int, values: tuple[Value, ...]) -> Places | None:
    """Where values can stand that satisfy a comparison of an attribute's own value; None: anywhere.

    values: those the attribute is compared with, as they are meant; none for a range.
    """
    operator, operand = term.operator, term.operand
    if term.path.keys or operator in (None, Operator.UNEQUAL, Operator.LIKE, Operator.UNLIKE):
        return None
    if isinstance(operand, Range):
        return _between(term_key, operand.low, operand.high)
    if operand is None or isinstance(operand, Pattern):
        return None
    if operator is Operator.EQUAL:
        return _equal(term_key, values)
    (value,) = values
    is_above = operator in (Operator.GREATER, Operator.GREATER_EQUAL)
    includes = operator in (Operator.GREATER_EQUAL, Operator.LESS_EQUAL)
    low, high = (value, None) if is_above else (None, value)
    if isinstance(value, Moment):
        return _between_times(term_key, low, high, value.form, includes=includes)
    return _between(term_key, low, high)


def whole(term_key: int) -> Stretch:
    """Where any value of an attribute stands."""
    return _key(term_key), _key(term_key + 1)


def _equal(term_key: int, values: tuple[Value, ...]) -> Places | None:
    if any(isinstance(value, Moment) for value in values):
        return _between(term_key, values[0], values[0]) if len(values) == 1 else None
    has_text = any(isinstance(value, str) for value in values)
    besides = _sort(term_key, b"t") if has_text else _nowhere(term_key)
    exact = tuple(sorted({_place(term_key, value) for value in values}))
    return Places(exact, None, besides, _rest(term_key))


def _between(term_key: int, low: Value | None, high: Value | None) -> Places | None:
    """From one value to another; None: without an end there."""
    some = high if low is None else low
    if isinstance(some, Moment):
        return _between_times(term_key, low, high, some.form)
    if isinstance(some, bool):
        return None
    is_text = isinstance(some, str)
    begins, ends = _sort(term_key, b"s" if is_text else b"n")
    # A text that begins as the last one does is cut to the same.
    stretch = begins if low is None else _place(term_key, low), ends if high is None else _place(term_key, high)
    return Places((), stretch, _sort(term_key, b"t") if is_text else _nowhere(term_key), _rest(term_key))


def _between_times(
    term_key: int, low: Value | None, high: Value | None, form: TimeForm, *, includes: bool = True
) -> Places | None:
    """From one time to another, of days from the first moment to the last. includes: whether the ends are within."""
    if form is TimeForm.TIME:
        return None
    day_us = _DAY_US if form is TimeForm.DATE else 1
    first = last = None
    try:
        if low is not None:
            first = _time_us(low) + (0 if includes else day_us)
        if high is not None:
            last = _time_us(high) + (day_us if includes else 0) - 1
    except InvalidInput:
        return None
    begins = _letter(term_key, b"t")
    stretch = begins + _sortable(first, _LEAST), begins + _sortable(last, _GREATEST)
    return Places((), stretch, _sort(term_key, b"s"), _rest(term_key), decides=True)


def _time_us(value: Value) -> int:
    """Microseconds as PostgreSQL counts them. Raises InvalidInput for what is no time, or finer."""
    text = value.text if isinstance(value, Moment) else str(value)
    if isinstance(value, Moment) and value.form is TimeForm.DATE:
        text += "T00:00:00Z"
    elif ZONED.search(text) is None:
        text += "Z"
    if _FINER.search(text) is not None:
        raise InvalidInput("the time is finer than a microsecond")
    return parse_rfc3339(text) - POSTGRES_EPOCH_US


def _sortable(at_us: int | None, end: int) -> bytes:
    return (end if at_us is None else min(max(at_us + _SIGN, _LEAST), _GREATEST)).to_bytes(8, "big")


def is_decided(value: Value) -> bool:
    """Whether whatever stands in this value's place is equal to it."""
    return isinstance(value, bool) or (isinstance(value, str) and len(value) < MAX_TEXT)


def _place(term_key: int, value: Value) -> bytes:
    if isinstance(value, bool):
        return _letter(term_key, b"b") + bytes([value])
    if isinstance(value, float):
        bits = int.from_bytes(struct.pack(">d", value + 0.0), "big")
        return _letter(term_key, b"n") + (bits ^ _ALL if bits & _SIGN else bits | _SIGN).to_bytes(8, "big")
    assert isinstance(value, str)
    return _letter(term_key, b"s") + value[:MAX_TEXT].encode(errors="replace")


def _letter(term_key: int, letter: bytes) -> bytes:
    return _key(term_key) + letter


def _key(term_key: int) -> bytes:
    return struct.pack(">i", term_key)


def _sort(term_key: int, letter: bytes) -> Stretch:
    """Where all values of one sort stand."""
    return _letter(term_key, letter), _letter(term_key, bytes([letter[0] + 1]))


def _nowhere(term_key: int) -> Stretch:
    return _key(term_key), _key(term_key)


def _rest(term_key: int) -> tuple[bytes, ...]:
    return _letter(term_key, b"w"), _letter(term_key, b"x")
