"""`broadstreet up`: start the house and keep it running."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from broadstreet.cli.console import console
from broadstreet.cli.options import SettingsFile, house_settings, wait_for
from broadstreet.cli.step import done


def up(
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", "--data", help="The data folder; else as the settings say.")
    ] = None,
    settings: SettingsFile = None,
    roles: Annotated[str, typer.Option(help="The roles to run here, with commas.")] = "gateway,recorder,notifier,api",
    mqtt_port: Annotated[int | None, typer.Option(help="Where devices connect.")] = None,
    http_port: Annotated[
        int | None, typer.Option("--http-port", "--port", help="Where the portal and the APIs are.")
    ] = None,
    open_mqtt: Annotated[
        int | None,
        typer.Option(metavar="PORT", help="A port of this machine where anyone may use any topic, for test suites."),
    ] = None,
    allow_anonymous_writes: Annotated[
        bool | None,
        typer.Option(
            "--allow-anonymous-writes",
            help="Let whoever is on this machine read and write entities without signing in, for test suites.",
        ),
    ] = None,
) -> None:
    """Start the house: engines, gateway, recorder, API and portal. Ctrl-C stops it."""
    from broadstreet.app.edges import edges_of
    from broadstreet.app.house import House

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    chosen = house_settings(
        data_dir,
        settings,
        mqtt__port=mqtt_port,
        http__port=http_port,
        mqtt__open_port=open_mqtt,
        http__anonymous_writes=allow_anonymous_writes,
    )
    house = House(chosen, roles.split(","), done)

    async def ready() -> None:
        if chosen.http.anonymous_writes:
            console.print("Whoever is on this machine may read and write entities without signing in.")
        console.print(f"Ready. Portal: {edges_of(chosen).portal_url}/  Ctrl-C stops everything.")

    wait_for(house.run(ready))
