"""`broadstreet network …`: the operator's own network."""

from __future__ import annotations

import typer

from broadstreet.cli import network_ofds

app = typer.Typer(help="The operator's own network.", no_args_is_help=True)
app.add_typer(network_ofds.app, name="ofds")
