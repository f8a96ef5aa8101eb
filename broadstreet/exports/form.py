"""A format at work on one file."""

from __future__ import annotations

from abc import ABC, abstractmethod

import polars as pl


class Form(ABC):
    """Each call may take as long as a piece takes, and is made in a thread of its own; one at a time."""

    def begin(self) -> bytes:
        """What stands before the first row."""
        return b""

    @abstractmethod
    def rows(self, frame: pl.DataFrame) -> bytes:
        """Some rows."""

    def end(self) -> bytes:
        """What stands after the last row."""
        return b""

    def close(self) -> None:
        """Nothing more is wanted, be the file ended or not."""
        return
