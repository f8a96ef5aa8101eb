"""The reference says what the code has, and the code has what the reference says: compared both ways."""

from __future__ import annotations

from collections.abc import Iterator

import click
import typer.main

from broadstreet.cli.entry import app
from broadstreet.model import errors
from broadstreet.model.errors import BroadstreetError
from tests.docs.pages import reference


def tree(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """(full name, command) of a command and all below it; groups themselves only lead on."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from tree(below, f"{path} {name}")
    else:
        yield path, command


def name_of(parameter: click.Parameter, command: click.Command) -> str:
    """What a parameter is called on the command line: `--option`, or `ARGUMENT`."""
    if isinstance(parameter, click.Argument):
        return parameter.make_metavar(click.Context(command)).strip("[].")
    return parameter.opts[0]


def test_every_command_is_described() -> None:
    page = reference("cli")
    there = dict(tree(typer.main.get_command(app), "broadstreet"))
    headings = (line for line in page.text.splitlines() if line.startswith("## `broadstreet"))
    assert {heading.removeprefix("## ").strip("`") for heading in headings} == set(there)
    for name, command in there.items():
        section = page.section(f"`{name}`")
        assert section is not None
        parameters = {name_of(parameter, command) for parameter in command.params}
        assert set(section.rows()) == parameters - {"--help"}, name


def test_every_error_is_described() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BroadstreetError)]
    rows = reference("errors").rows()
    assert set(rows) == {kind.__name__ for kind in kinds}
    for kind in kinds:
        status, type_name, message = (cell.strip(" `") for cell in rows[kind.__name__].split("|"))
        assert (status, type_name, message) == (str(kind.status), kind.ngsi_ld_type, kind().message), kind
