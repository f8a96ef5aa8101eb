"""From a cell's text to a value: quickly while all is well, and one by one, with reasons, where it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from broadstreet.history.observations import Floats
from broadstreet.importer.mapping import Attribute, File

GOOD: Final = 0
EMPTY: Final = 1
WRONG: Final = 2
MAX_TEXT_LENGTH: Final = 4096

NOT_A_NUMBER: Final = "not a number"

_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(slots=True)
class Cells:
    """Cells that were read. values: None if all are numbers; faults: (reason, detail) by position, of those WRONG."""

    numbers: Floats
    state: npt.NDArray[np.uint8]
    values: list[object] | None = None
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def interleaved(cls, columns: Sequence[Cells]) -> Cells:
        """Several columns' cells as one sequence, row by row."""
        width = len(columns)
        values: list[object] | None = None
        if any(column.values is not None for column in columns):
            values = [None] * (width * len(columns[0].numbers))
            for place, column in enumerate(columns):
                values[place::width] = column.values or [None] * len(column.numbers)
        return cls(
            numbers=np.stack([column.numbers for column in columns], axis=1).ravel(),
            state=np.stack([column.state for column in columns], axis=1).ravel(),
            values=values,
            faults={
                row * width + place: fault
                for place, column in enumerate(columns)
                for row, fault in column.faults.items()
            },
        )


class CellReader:
    """Reads the cells of one attribute."""

    def __init__(self, attribute: Attribute, file: File, *, unscaled: bool = False) -> None:
        """unscaled: answer numbers as the cells have them; the bounds are for scaled ones all the same."""
        self._attribute = attribute
        self._unscaled = unscaled
        self._comma = file.decimal == ","
        self._empty = frozenset(text.strip() for text in file.empty)
        self._quick = not any(_is_float(text) for text in self._empty)

    def read(self, texts: Sequence[str]) -> Cells:
        """Cells by position. A number is scaled and within its bounds; an odd one is WRONG with its fault."""
        if self._attribute.type == "number":
            return self._numbers(texts)
        return self._others(texts)

    def _numbers(self, texts: Sequence[str]) -> Cells:
        cells = self._parsed(texts)
        scaled = cells.numbers
        if (self._attribute.scale, self._attribute.offset) != (1.0, 0.0):
            with np.errstate(over="ignore"):
                scaled = scaled * self._attribute.scale + self._attribute.offset
        low = -math.inf if self._attribute.minimum is None else self._attribute.minimum
        high = math.inf if self._attribute.maximum is None else self._attribute.maximum
        within = np.isfinite(scaled) & (scaled >= low) & (scaled <= high)
        outside = (cells.state == GOOD) & ~within
        for index in np.flatnonzero(outside).tolist():
            number = scaled[index]
            if math.isfinite(number):
                cells.faults[index] = "out of range", f"{number:g} is outside {low:g} to {high:g}"
            else:
                cells.faults[index] = NOT_A_NUMBER, f"{texts[index][:60]!r}"
        cells.state[outside] = WRONG
        if not self._unscaled:
            cells.numbers = scaled
        return cells

    def _parsed(self, texts: Sequence[str]) -> Cells:
        """Numbers as they stand, not yet scaled."""
        count = len(texts)
        if self._quick and not self._comma and not any("_" in text for text in texts):
            try:
                return Cells(np.fromiter(map(float, texts), np.float64, count), np.zeros(count, np.uint8))
            except ValueError:
                pass  # Some cell is no number: go through them one by one.
        cells = Cells(np.full(count, np.nan), np.zeros(count, np.uint8))
        for index, text in enumerate(texts):
            if text.strip() in self._empty:
                cells.state[index] = EMPTY
            elif _is_float(plain := self._plain(text)):
                cells.numbers[index] = float(plain)
            else:
                cells.state[index] = WRONG
                cells.faults[index] = NOT_A_NUMBER, f"{text[:60]!r}"
        return cells

    def _plain(self, text: str) -> str:
        """A number with a decimal point; what mixes both signs is left unreadable rather than guessed at."""
        if not self._comma:
            return text
        return "" if "." in text else text.replace(",", ".")

    def _others(self, texts: Sequence[str]) -> Cells:
        """Texts, or true and false."""
        count = len(texts)
        cells = Cells(np.full(count, np.nan), np.zeros(count, np.uint8), [None] * count)
        values = cells.values = [None] * count
        for index, text in enumerate(texts):
            if text.strip() in self._empty:
                cells.state[index] = EMPTY
            elif self._attribute.type == "text" and len(text) <= MAX_TEXT_LENGTH:
                values[index] = text
            elif self._attribute.type == "boolean" and text.strip().lower() in _TRUTHS:
                values[index] = _TRUTHS[text.strip().lower()]
            else:
                cells.state[index] = WRONG
                fault = "too long" if self._attribute.type == "text" else "neither true nor false"
                cells.faults[index] = fault, f"{text[:60]!r}"
        return cells


def _is_float(text: str) -> bool:
    """Whether Python reads a number in it; an underscore is a separator to Python, and a typing error in a table."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
