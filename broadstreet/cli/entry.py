"""Where the program begins: the list of commands, and what becomes of an error."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from broadstreet.cli import (
    account,
    backup,
    certificate,
    city,
    dead,
    demo,
    device,
    doctor,
    drain,
    export,
    importing,
    network,
    plan,
    replay,
    reseal,
    token,
    up,
    upgrade,
)
from broadstreet.model.errors import BroadstreetError, InvalidInput, NoHouse

EXIT_ERROR = 1
EXIT_NO_HOUSE = 3

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(up.up)
app.command("import")(importing.import_table)
app.command()(replay.replay)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(drain.drain)
app.command()(export.export)
app.command()(upgrade.upgrade)
app.command()(reseal.reseal)
app.command()(backup.restore)
app.add_typer(backup.app, name="backup")
app.add_typer(city.app, name="city")
app.add_typer(account.app, name="account")
app.add_typer(token.app, name="token")
app.add_typer(dead.app, name="dead")
app.add_typer(device.app, name="device")
app.add_typer(certificate.app, name="certificate")
app.add_typer(network.app, name="network")
app.add_typer(plan.app, name="plan")


def say_version(asked: bool) -> None:
    """The version, and nothing else."""
    if asked:
        typer.echo(f"broadstreet {metadata.version('broadstreet')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", help="Say the version and end.", is_eager=True, callback=say_version)
]


@app.callback()
def about(version: Version = False) -> None:
    """Broadstreet: one graph from the duct to the dashboard, for a city and the operator of its network."""


def main() -> None:
    """The program `broadstreet`."""
    try:
        app()
    except BroadstreetError as error:
        show(error)
        sys.exit(EXIT_NO_HOUSE if isinstance(error, NoHouse) else EXIT_ERROR)
    except OSError as error:
        if error.filename is None:
            raise
        remedy = "Name a file in a folder that is there, that you may read and write, on a disk with room."
        show(InvalidInput(f"the system says: {error.strerror}", where=str(error.filename), remedy=remedy))
        sys.exit(EXIT_ERROR)


def show(error: BroadstreetError) -> None:
    """Say on the terminal what went wrong, where, and what to do."""
    first = error.message.partition(" ")[0]
    is_name = first.endswith(":") or "." in first or "_" in first  # of a line in a sheet or a setting: as it is written
    said = error.message if is_name else error.message[:1].upper() + error.message[1:]
    words = Text.assemble((said, "bold red"))
    if error.where:
        words.append(f"\n  where: {error.where}")
    if error.remedy:
        words.append(f"\n  what to do: {error.remedy}")
    Console(stderr=True, soft_wrap=True).print(words)
