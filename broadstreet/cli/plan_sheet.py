"""`broadstreet plan sheet`: a sheet that comes with Broadstreet, to begin one's own from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

import typer


def sheet(
    name: Annotated[
        str,
        typer.Argument(
            metavar="SHEET",
            help="catalogue, architecture, optics, worth, business, sensors or rules.",
            show_default=False,
        ),
    ],
) -> None:
    """Print a sheet that comes with Broadstreet, to begin your own from; `rules`: what a scenario says of streets."""
    from broadstreet.model.errors import NotFound

    sheets = _sheets()
    if name not in sheets:
        raise NotFound(f"there is no sheet {name[:80]!r}", where="SHEET", remedy=f"There are: {', '.join(sheets)}.")
    typer.echo(sheets[name]().decode(), nl=False)


def _sheets() -> Mapping[str, Callable[[], bytes]]:
    from broadstreet.network.ground.catalogue import default_sheet
    from broadstreet.network.investment import business_sheet
    from broadstreet.network.scenarios import SHEETS
    from broadstreet.network.siting.prices import sensor_sheet

    own = {name: partial(default_sheet, f"{name}.toml") for name in SHEETS}
    return {**own, "business": business_sheet, "sensors": sensor_sheet, "rules": partial(default_sheet, "rules.toml")}
