"""`broadstreet plan …`: plans of the operator's network."""

from __future__ import annotations

import typer

from broadstreet.cli import (
    plan_compare,
    plan_export,
    plan_fibre,
    plan_invest,
    plan_sensors,
    plan_serviceability,
    plan_sheet,
    plan_show,
)

app = typer.Typer(help="Plans of the operator's network.", no_args_is_help=True)
app.command()(plan_fibre.fibre)
app.command()(plan_show.show)
app.command()(plan_compare.compare)
app.command()(plan_export.export)
app.command()(plan_invest.invest)
app.command()(plan_sensors.sensors)
app.command()(plan_serviceability.serviceability)
app.command()(plan_sheet.sheet)
