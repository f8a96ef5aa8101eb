"""`broadstreet plan export`: a plan in a file as what a digger, a splicer and a treasurer need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadstreet.cli.console import console
from broadstreet.cli.plan_show import PlanArgument


def export(
    file: PlanArgument,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="html, splices, xlsx, csv, geojson, gpkg, ofds, ofds-csv, ofds-geojson or ofds-gpkg.",
            show_default=False,
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where it goes.")] = None,
    part: Annotated[
        str | None, typer.Option("--part", help="One table of csv, or one layer of geojson, alone.")
    ] = None,
) -> None:
    """Write a plan's papers: report, splice plan, tables, layers, networks. What is handed out is checked first."""
    from broadstreet.network.papers import write_papers
    from broadstreet.network.scenarios.handing import dossier_of, format_of, named
    from broadstreet.network.scenarios.planfile import read_plan

    wanted = format_of(form)
    plan = read_plan(file)
    where = out or Path(named(wanted, plan.name, part))
    write_papers(wanted, dossier_of(plan), where, part=part)
    console.print(f"written to {where}", soft_wrap=True, markup=False)
