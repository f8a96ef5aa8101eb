"""From a cell to a moment, by the policy the mapping states.

Twice a year a local time does not say what it seems to. A time the clocks skipped does not exist; one they showed twice
is ambiguous. Each is refused, or decided by the stated rule and counted; and a moment that was so decided is
`contested`: two rows that meet there are never taken for one, even if they say the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from enum import IntFlag
from typing import Final, NamedTuple

from broadstreet.importer.mapping import Ambiguous, Mapping, Nonexistent, Time
from broadstreet.model.clock import EPOCH, MAX_US, MIN_US
from broadstreet.model.errors import InvalidInput

MAX_REMEMBERED: Final = 200_000
"""Texts whose moments are kept at hand: the sensors of a table share them."""

_UNIT_US: Final = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1}
_MICROSECOND: Final = timedelta(microseconds=1)
_BEFORE_ANY_SHIFT: Final = timedelta(hours=25)


class Decided(IntFlag):
    """What the policy had to say about a moment."""

    PLAINLY = 0
    AMBIGUOUS = 1
    """The local time came twice, and the policy chose."""
    SHIFTED = 2
    """The local time was skipped, and the policy moved it on."""
    CONTESTED = 4
    """Another local time may have been decided to be this moment."""


class Moment(NamedTuple):
    """When, in microseconds since 1970, and how that was decided."""

    at_us: int
    decided: Decided


class NoMoment(NamedTuple):
    """Why a text is no moment: a reason that many share, and the detail."""

    reason: str
    detail: str


class TimeReader:
    """Reads the times of one table."""

    def __init__(self, mapping: Mapping) -> None:
        self._time: Time = mapping.time
        self._zone: tzinfo = mapping.zone or UTC
        self._zone_name = mapping.time.time_zone or "UTC"
        self._step = mapping.step
        self._known: dict[str, Moment | NoMoment] = {}
        self._start_us = 0
        if mapping.time.start is not None:
            start = self._read_text(mapping.time.start, "iso")
            if isinstance(start, NoMoment):
                raise InvalidInput(f"{start.reason}: {start.detail}", where="time.start", remedy="Give another start.")
            self._start_us = start.at_us

    def of_row(self, row: int) -> Moment | NoMoment:
        """The moment of a row, counted from 0, of a table without times."""
        assert self._step is not None
        at_us = self._step.after(self._start_us, row, self._zone)
        return (
            Moment(at_us, Decided.PLAINLY) if at_us < MAX_US else NoMoment("no time", "the row is past the year 9999")
        )

    def read(self, text: str) -> Moment | NoMoment:
        """The moment a cell says."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            found = self._known[text] = self._read_text(text.strip(), self._time.format)
        return found

    def _read_text(self, text: str, form: str) -> Moment | NoMoment:
        if form in _UNIT_US:
            return _read_number(text, _UNIT_US[form])
        try:
            at = _parse(text, form)
        except ValueError:
            return NoMoment("no time", f"{text[:60]!r} is not a time of the form {form}")
        try:
            return self._localized(at) if at.tzinfo is None else _moment(at, Decided.PLAINLY)
        except OverflowError:
            return NoMoment("no time", f"{text[:60]!r} is outside the years 1 to 9999 in UTC")

    def _localized(self, at: datetime) -> Moment | NoMoment:
        first, second = at.replace(tzinfo=self._zone), at.replace(tzinfo=self._zone, fold=1)
        earlier, later = _offset(first), _offset(second)
        if earlier == later:
            return _moment(first, Decided.CONTESTED if self._may_be_shifted_to(at) else Decided.PLAINLY)
        if earlier > later:
            if self._time.ambiguous is Ambiguous.REJECT:
                return NoMoment("ambiguous time", f"{at.isoformat(' ')} came twice in {self._zone_name}")
            chosen = first if self._time.ambiguous is Ambiguous.EARLIEST else second
            return _moment(chosen, Decided.AMBIGUOUS | Decided.CONTESTED)
        if self._time.nonexistent is Nonexistent.REJECT:
            return NoMoment("time that does not exist", f"{at.isoformat(' ')} was skipped in {self._zone_name}")
        # The offset from before the change: a time in the gap moves on by the gap's length.
        return _moment(first, Decided.SHIFTED | Decided.CONTESTED)

    def _may_be_shifted_to(self, at: datetime) -> bool:
        """Whether a skipped time, moved on, would land on this one."""
        if self._time.nonexistent is Nonexistent.REJECT:
            return False
        here = at.replace(tzinfo=self._zone)
        before = (here.astimezone(UTC) - _BEFORE_ANY_SHIFT).astimezone(self._zone)
        gap = _offset(here) - _offset(before)
        if gap <= timedelta(0):
            return False
        skipped = at - gap
        return _offset(skipped.replace(tzinfo=self._zone)) < _offset(skipped.replace(tzinfo=self._zone, fold=1))


def _parse(text: str, form: str) -> datetime:
    if form == "iso":
        return datetime.fromisoformat(text)
    return datetime.strptime(text, form)  # noqa: DTZ007  a naive time is what `_localized` is for


def _offset(at: datetime) -> timedelta:
    return at.utcoffset() or timedelta(0)


def _moment(at: datetime, decided: Decided) -> Moment:
    return Moment((at.astimezone(UTC) - EPOCH) // _MICROSECOND, decided)


def _read_number(text: str, unit_us: int) -> Moment | NoMoment:
    try:
        number = Decimal(text)
        at_us = round(number * unit_us) if number.is_finite() else MAX_US + 1
    except (InvalidOperation, OverflowError):
        return NoMoment("no time", f"{text[:60]!r} is not a number")
    if not MIN_US <= at_us <= MAX_US:
        return NoMoment("no time", f"{text[:60]!r} is outside the years 1 to 9999")
    return Moment(at_us, Decided.PLAINLY)
