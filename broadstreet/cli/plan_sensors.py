"""`broadstreet plan sensors`: where sensors go, what each gains, how it is connected, how far from the best all are."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from broadstreet.cli.console import console
from broadstreet.cli.step import step

if TYPE_CHECKING:
    from broadstreet.network.siting import SitingCase, SitingStatement
    from broadstreet.network.siting.question import Question

EXIT_WRONG: Final = 1
SHOWN_FINDINGS: Final = 10
WORDS: Final = {"people": "people", "customers": "customers", "streets": "m of street"}


class For(StrEnum):
    """What sites are chosen for."""

    PEOPLE = "people"
    CUSTOMERS = "customers"
    STREETS = "streets"
    MAP = "map"


def sensors(
    question: Annotated[
        Path | None, typer.Argument(metavar="[QUESTION]", help="A question as TOML; options below stand over it.")
    ] = None,
    extract: Annotated[
        Path | None, typer.Option("--extract", metavar="FILE", help="The streets: an extract of OpenStreetMap.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="A plan: its ground, and fibre from where it lies.")
    ] = None,
    aim: Annotated[
        For | None, typer.Option("--for", help="Cover most of these, or leave a map least uncertain.")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="How many sites at most.")] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="AMOUNT", min=0, help="What all may cost at most, connected.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", help="How long it is sought.")] = 60.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Equal seeds give equal sites.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write all that is claimed, as JSON.")
    ] = None,
    geojson: Annotated[Path | None, typer.Option("--geojson", metavar="FILE", help="Write the sites as a map.")] = None,
    table: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the sites as a table.")] = None,
) -> None:
    """Choose where sensors go. Status 1 if the checker finds anything wrong with the choice."""
    from broadstreet.network.siting import choose_sites, prove

    asked, folder = _question(question, extract, plan, aim, count, budget)
    with step("Read the case") as say:
        case = _case(asked, folder, plan)
        say(f"{len(case.candidates):,} candidates, {len(case.today):,} sensors stand")
    with step("Choose"):
        said = choose_sites(case, seconds=seconds, seed=seed)
    with step("Check") as say:
        findings = prove(said, case)
        say(f"{len(findings)} findings" if findings else "nothing found")
    _tell(said, case)
    for finding in findings[:SHOWN_FINDINGS]:
        _line(f"  {finding}")
    if findings:
        raise typer.Exit(EXIT_WRONG)
    _write(said, case, out, geojson, table)


def _case(asked: Question, folder: Path, plan: Path | None) -> SitingCase:
    """The case: on the ground of a plan, with fibre from there, or on its own."""
    from broadstreet.network.scenarios.planfile import read_plan
    from broadstreet.network.siting.question import case_of, read_case

    if plan is None:
        return read_case(asked, folder)
    kept = read_plan(plan).kept()
    return case_of(asked, folder, kept.ground).with_plan(kept.statement.design)


def _question(
    sheet: Path | None,
    extract: Path | None,
    plan: Path | None,
    aim: For | None,
    count: int | None,
    budget: float | None,
) -> tuple[Question, Path]:
    """What is asked, and the folder of its files."""
    import msgspec

    from broadstreet.model.errors import InvalidInput
    from broadstreet.network.ground.sources import Inputs
    from broadstreet.network.siting.question import Aim, Question, read_question

    streets = plan if extract is None else extract
    if plan is not None and extract is not None:
        raise InvalidInput("a plan has streets of its own", where="--extract", remedy="Leave one of both out.")
    if sheet is not None:
        asked, folder = read_question(sheet), sheet.resolve().parent
    elif streets is not None:
        asked, folder = Question(inputs=Inputs()), streets.resolve().parent
    else:
        raise InvalidInput(
            "nothing says where the streets are", remedy="Name a question (TOML), --extract FILE or --plan FILE."
        )
    if extract is not None:
        if extract.resolve().parent != folder:
            raise InvalidInput(
                "the extract is in another folder than the question", where="--extract", remedy="Put it beside it."
            )
        asked = msgspec.structs.replace(asked, inputs=msgspec.structs.replace(asked.inputs, extract=extract.name))
    if aim is not None:
        asked = msgspec.structs.replace(asked, aim=Aim(aim.value))
    given = {"count": count, "budget": budget}
    return msgspec.structs.replace(asked, **{name: one for name, one in given.items() if one is not None}), folder


def _tell(said: SitingStatement, case: SitingCase) -> None:
    """What came of it, in sentences, then site by site."""
    covers = said.objective == "coverage"
    sites = f"{len(said.sites)} sites" if len(said.sites) != 1 else "1 site"
    cost = f"{said.cost_cents / 100:,.2f} {said.currency} with their connection"
    if covers:
        what = f"cover {said.outcome.covered:,} of {said.audience_total:,} {WORDS[said.audience]}"
        limit = f"no choice covers more than {said.bound:,.0f}"
    else:
        what = f"leave a mean variance of {said.value:.4g}"
        limit = f"no choice leaves less than {said.bound:.4g}"
    proof = "proved the best" if said.is_optimal else f"{limit}: a gap of {said.gap:.1%}"
    _line(f"{sites} {what}, for {cost}; {proof}.")
    beside = [f"no sensor {_value(said, said.nothing.covered, said.nothing.mean_variance)}"]
    if case.today:
        beside.append(f"today's {len(case.today)} {_value(said, said.today.covered, said.today.mean_variance)}")
    for rival in said.rivals:
        mean = None if rival.mean_variance is None else rival.mean_variance[0]
        name = {"random": "chance", "elsewhere": "as many as today's, elsewhere,"}.get(rival.name, rival.name)
        beside.append(f"{name} {_value(said, rival.covered[0], mean)}")
    _line(f"Beside it: {'; '.join(beside)}.")
    if said.reachable < said.candidates:
        _line(f"{said.candidates - said.reachable:,} of {said.candidates:,} candidates cannot be connected.")
    table = Table(box=None, pad_edge=False)
    for name in ("", "place", "where", "gains", "then", "cost", "connection"):
        table.add_column(name, justify="right" if name in ("", "gains", "then", "cost") else "left")
    for order, site in enumerate(said.sites, 1):
        then = f"{site.after.covered:,}" if covers else f"{site.after.mean_variance:.4g}"
        gain = f"{site.gain:,.0f}" if covers else f"{site.gain:.3g}"
        connection = f"{site.connection.means.value}: {site.connection.why}"
        table.add_row(str(order), site.place, site.label, gain, then, f"{site.cents / 100:,.2f}", connection)
    console.print(table)


def _value(said: SitingStatement, covered: float, variance: float | None) -> str:
    return f"{covered:,.0f}" if said.objective == "coverage" else f"{variance:.4g}"


def _write(said: SitingStatement, case: SitingCase, out: Path | None, geojson: Path | None, table: Path | None) -> None:
    import msgspec

    from broadstreet.network.siting import sites_csv, sites_geojson

    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(said)))
    if geojson is not None:
        geojson.write_bytes(sites_geojson(said, case.today, case.gateways))
    if table is not None:
        table.write_bytes(sites_csv(said))
    for path in (out, geojson, table):
        if path is not None:
            _line(f"written to {path}")


def _line(words: str) -> None:
    console.print(words, soft_wrap=True, markup=False)
