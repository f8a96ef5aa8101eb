"""The command line as tests read it: every command by its full name, with what may follow it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import typer.core
import typer.main

from broadstreet.cli.entry import app


@dataclass(frozen=True)
class Command:
    """arguments: as they are shown, such as FILE; options: each with all its spellings, the first one first."""

    name: str
    arguments: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]


def _walk(command: Any, name: str) -> Iterator[Command]:
    if isinstance(command, typer.core.TyperGroup):
        for below, inner in command.commands.items():
            yield from _walk(inner, f"{name} {below}")
        return
    arguments = [p for p in command.params if isinstance(p, typer.core.TyperArgument)]
    options = [p for p in command.params if isinstance(p, typer.core.TyperOption)]
    yield Command(
        name,
        tuple(str(argument.metavar or argument.name).upper() for argument in arguments),
        tuple((*option.opts, *option.secondary_opts) for option in options),
    )


@cache
def command_line() -> dict[str, Command]:
    """Every command that does something; groups only lead to them."""
    return {command.name: command for command in _walk(typer.main.get_command(app), "broadstreet")}
