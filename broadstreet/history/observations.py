"""Many observations at once, as columns: what is appended, and what a fast read gives back.

A row is (series, time, value). Its value is a number, or any other JSON value in `values`, where `numbers` then holds
NaN. Nothing else may be NaN or infinite: a measurement that is not a number is no measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.errors import InvalidInput

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NO_META = 0
"""Stands in `meta_keys` where a row has no sub-attributes; keys in the store begin at 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """
    series_keys:    int32, the series of each row.
    observed_at_us: int64, microseconds since 1970.
    numbers:        float64; NaN only where `values` has the row's value.
    values:         None if all are numbers; else for each row its JSON value, None where `numbers` has it (and where
                    `numbers` is NaN too, the JSON null).
    meta_keys:      int32 keys of interned sub-attributes, NO_META where there are none; None for none at all.

    Raises InvalidInput for columns of unequal length, a number that is not finite, or a time outside the years 1 to
    9999.
    """

    series_keys: Int32s
    observed_at_us: Int64s
    numbers: Floats
    values: Sequence[Any] | None = None
    meta_keys: Int32s | None = None

    def __post_init__(self) -> None:
        count = len(self.series_keys)
        lengths = {count, len(self.observed_at_us), len(self.numbers)}
        lengths |= {len(column) for column in (self.values, self.meta_keys) if column is not None}
        if len(lengths) > 1:
            raise InvalidInput(f"columns of observations differ in length: {sorted(lengths)}")
        if count and (int(self.observed_at_us.min()) < MIN_US or int(self.observed_at_us.max()) > MAX_US):
            raise InvalidInput("an observation lies outside the years 1 to 9999", where="observed_at_us")
        wrong = np.isinf(self.numbers) if self.values is not None else ~np.isfinite(self.numbers)
        if wrong.any():
            row = int(wrong.argmax())
            raise InvalidInput(
                f"{self.numbers[row]} is not a finite number",
                where=f"observation {row} of series {self.series_keys[row]}",
                remedy="Leave out what was not measured.",
            )

    @classmethod
    def of(cls, series_keys: Any, observed_at_us: Any, numbers: Any) -> Self:
        """Numbers from anything array-like; a single series key stands for all rows."""
        times = np.ascontiguousarray(observed_at_us, np.int64)
        keys = np.ascontiguousarray(np.broadcast_to(np.asarray(series_keys, np.int32), times.shape))
        return cls(keys, times, np.ascontiguousarray(numbers, np.float64))

    def __len__(self) -> int:
        return len(self.series_keys)

    def take(self, rows: Int64s) -> Observations:
        """These rows, in this order."""
        return Observations(
            self.series_keys[rows],
            self.observed_at_us[rows],
            self.numbers[rows],
            None if self.values is None else [self.values[row] for row in rows.tolist()],
            None if self.meta_keys is None else self.meta_keys[rows],
        )

    def value(self, row: int) -> Any:
        """One row's value: a float, or a JSON value."""
        number = float(self.numbers[row])
        return number if self.values is None or number == number else self.values[row]
