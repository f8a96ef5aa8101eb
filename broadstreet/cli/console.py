"""What the commands print on: a terminal's width for a person, whole lines for a program."""

from __future__ import annotations

from typing import Final

from rich.console import Console, ConsoleDimensions

PIPED_COLUMNS: Final = 4096


class CommandConsole(Console):
    """The console of a command. Into a pipe no line is broken and no cell cut, whatever COLUMNS says.

    A table that was cut at 80 columns is worth nothing to `grep` or to a script that wants an identifier out of it.
    """

    @property
    def size(self) -> ConsoleDimensions:
        """The terminal's columns and lines, or PIPED_COLUMNS where the output goes to no terminal."""
        known = super().size
        return known if self.is_terminal else ConsoleDimensions(PIPED_COLUMNS, known.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size


console: Final = CommandConsole(highlight=False)
