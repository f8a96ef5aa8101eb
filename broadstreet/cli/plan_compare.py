"""`broadstreet plan compare`: plans in files side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from broadstreet.cli.console import console


def compare(
    files: Annotated[list[Path], typer.Argument(metavar="PLAN...", help="Two to six plans.")],
    map_file: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Write the ways that only some of them open, as GeoJSON."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it all as JSON.")] = False,
) -> None:
    """Say what each plan costs by item, and how far it is from its bound. What is compared is checked first."""
    import msgspec

    from broadstreet.network.scenarios import check_count, compare_bills, compare_terms, draw_differences
    from broadstreet.network.scenarios.planfile import read_plan

    check_count(len(files))
    plans = [read_plan(file) for file in files]
    kept = [plan.kept() for plan in plans]
    statements = [one.statement for one in kept]
    items, terms = compare_bills(statements), compare_terms(statements)
    if map_file is not None:
        named = [(str(file), one.statement, one.ground) for file, one in zip(files, kept, strict=True)]
        map_file.write_bytes(draw_differences(named))
    if as_json:
        told = {
            "plans": [{"file": str(file), "outcome": plan.outcome} for file, plan in zip(files, plans, strict=True)],
            "items": items,
            "terms": terms,
        }
        typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
        return
    heads = [Text(f"{plan.name}\n{file}") for file, plan in zip(told_apart(files), plans, strict=True)]
    # A head is broken rather than cut: what tells two plans of one name apart stands at its end.
    table = Table(Column(""), *(Column(head, overflow="fold") for head in heads))
    rows = {
        "cost": [f"{plan.outcome.cost_cents / 100:,.0f} {plan.outcome.currency}" for plan in plans],
        "bound": [f"{plan.outcome.bound_cents / 100:,.0f} {plan.outcome.currency}" for plan in plans],
        "gap": [f"{plan.outcome.gap:.2%}" for plan in plans],
        "premises served": [f"{plan.outcome.served:,}" for plan in plans],
        "trench, km": [f"{plan.outcome.trench_m / 1000:,.2f}" for plan in plans],
        "worst loss, dB": [f"{plan.outcome.worst_loss_db:.1f}" for plan in plans],
    }
    for name, values in rows.items():
        table.add_row(name, *values)
    for item in items:
        table.add_row(
            f"{item.what} {item.key} ({item.unit})".replace("  ", " "), *(f"{c / 100:,.0f}" for c in item.cents)
        )
    console.print(table)


def told_apart(files: Sequence[Path]) -> list[str]:
    """Each file by its name, or by the shortest end of its path that no other of them has."""
    ends = [file.absolute().parts for file in files]

    def end(at: int) -> str:
        own = ends[at]
        others = [other for other in ends if other != own]
        count = next(n for n in range(1, len(own) + 1) if n == len(own) or all(o[-n:] != own[-n:] for o in others))
        return str(Path(*own[-count:]))

    return [end(at) for at in range(len(files))]
