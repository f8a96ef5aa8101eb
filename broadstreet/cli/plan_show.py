"""`broadstreet plan show`: what a plan in a file costs, and what lies in it; a cable's fibres, a premises' path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from broadstreet.cli.console import console

if TYPE_CHECKING:
    from broadstreet.network.design import Statement
    from broadstreet.network.scenarios import CableView, Kept, PremisesView
    from broadstreet.network.scenarios.scenario import Outcome

SHOWN_ONE_WAY: Final = 10
PlanArgument = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan, as `broadstreet plan fibre` writes it.")]


def show(
    file: PlanArgument,
    cable: Annotated[str | None, typer.Option("--cable", metavar="ID", help="Show this cable's fibres.")] = None,
    premises: Annotated[
        str | None, typer.Option("--premises", metavar="ID", help="Show the path of light to these premises.")
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option("--layer", help="Print a layer as GeoJSON: ways, cables, sites, premises or faults."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what a plan costs, item by item, and the terms of its bound. What is shown is checked first."""
    import msgspec

    from broadstreet.network.scenarios.planfile import read_plan

    plan = read_plan(file)
    kept = plan.kept()
    if layer is not None:
        typer.echo(_layer(kept, layer))
        return
    view = kept.follower.cable(cable) if cable else kept.follower.premises(premises) if premises else None
    if as_json:
        told = view or {"name": plan.name, "outcome": plan.outcome, "bill": kept.statement.bill}
        typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    elif cable:
        _tell_cable(kept.follower.cable(cable))
    elif premises:
        _tell_premises(kept.follower.premises(premises))
    else:
        _tell(plan.name, kept.statement)
        for words in of_one_way(plan.outcome):
            console.print(words, soft_wrap=True, markup=False)


def of_one_way(outcome: Outcome) -> list[str]:
    """Which critical premises have one way alone, in words; the first few, and how many more."""
    told = [f"  {one.what}" for one in outcome.one_way[:SHOWN_ONE_WAY]]
    more = len(outcome.one_way) - len(told)
    return [*told, f"  {more:,} more critical premises have one way alone"] if more else told


def _layer(kept: Kept, layer: str) -> bytes:
    from broadstreet.model.errors import NotFound
    from broadstreet.network.scenarios.drawing import layers_of
    from broadstreet.network.scenarios.faults import faults_of

    layers = layers_of(kept.statement, kept.ground, kept.sheets, faults_of(kept.statement, kept.ground))
    if layer not in layers:
        raise NotFound(f"there is no layer {layer!r}", where="--layer", remedy=f"There are: {', '.join(layers)}.")
    return layers[layer]


def _tell(name: str, statement: Statement) -> None:
    """The bill and the bound."""
    bill = Table("item", "kind", "quantity", "unit", statement.bill.currency, title=name, title_justify="left")
    for item in statement.bill.items:
        bill.add_row(item.what, item.key, f"{item.quantity:,.1f}", item.unit, f"{item.cents / 100:,.2f}")
    bill.add_row("in all", "", "", "", f"{statement.cost_cents / 100:,.2f}")
    bound = Table("term", "bound", "spent", "what was relaxed")
    for term in statement.terms:
        figures = (f"{cents / 100:,.2f}" for cents in (term.bound_cents, term.spent_cents))
        bound.add_row(term.name, *figures, term.relaxed)
    bound.add_row("in all", f"{statement.bound_cents / 100:,.2f}", f"{statement.cost_cents / 100:,.2f}", "")
    console.print(bill)
    console.print(bound)
    console.print(f"This is at most {statement.gap:.2%} over the least that any plan costs.", markup=False)


def _tell_cable(view: CableView) -> None:
    console.print(f"{view.id}: {view.role}, {view.fibres} fibres, {view.lit} lit, {view.length_m:,.1f} m", markup=False)
    table = Table("fibre", "at", "up", "down", "reaches")
    for strand in view.strands:
        for number, cut in enumerate(strand.cuts):
            reached = ", ".join(strand.premises) if number == 0 else ""
            table.add_row(str(strand.fibre), cut.site, cut.up or "", cut.down or "", reached)
        if not strand.cuts:
            table.add_row(str(strand.fibre), "", "", "", "spare")
    console.print(table)


def _tell_premises(view: PremisesView) -> None:
    console.print(f"{view.label or view.id}: {'served' if view.served else 'not served'}", markup=False)
    for path in view.paths:
        title = f"socket {path.socket}: {path.length_m:,.1f} m, {path.loss_db:.2f} dB of {path.most_loss_db:.2f} dB"
        table = Table("what", "at", "until", "m", "dB", title=title, title_justify="left")
        for step in path.steps:
            length, loss = (f"{value:,.2f}" if value else "" for value in (step.length_m, step.loss_db))
            table.add_row(f"{step.kind}: {step.what}", step.site, step.until or "", length, loss)
        console.print(table)
