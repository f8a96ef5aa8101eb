"""`broadstreet drain`: end a house in order, from another terminal."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.cli.step import done


def drain(
    within: Annotated[float, typer.Option(min=1, help="How long it may take, in seconds.")] = 90.0,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """End a running house: no new connections, all that was taken in recorded, clients told to come again."""
    from broadstreet.app import draining

    began_s = time.monotonic()
    wait_for(draining.drain(house_settings(data_dir, settings), within))
    done("ended", time.monotonic() - began_s)
