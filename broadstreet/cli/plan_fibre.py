"""`broadstreet plan fibre`: a network of fibres from a map, with its cost and its bound as they close in."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from broadstreet.cli.console import console
from broadstreet.cli.place import place_of
from broadstreet.cli.plan_faults import mapped, tell_faults, write_faults
from broadstreet.cli.plan_show import of_one_way
from broadstreet.cli.step import step

if TYPE_CHECKING:
    from broadstreet.network.ground import Ground
    from broadstreet.network.scenarios.making import Planned, Stopping
    from broadstreet.network.scenarios.scenario import Better
    from broadstreet.network.scenarios.task import Task

EXIT_WRONG: Final = 1
SHOWN_FINDINGS: Final = 10
MAX_AMOUNT: Final = 10**13
"""The most money that a budget may be, in the currency's own unit."""


def fibre(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO", help="A scenario as TOML; options below stand over it.")
    ] = None,
    extract: Annotated[
        Path | None, typer.Option("--extract", metavar="FILE", help="The streets: an extract of OpenStreetMap.")
    ] = None,
    office: Annotated[
        list[str] | None, typer.Option("--office", metavar="LON,LAT", help="A central office; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where the plan goes, as JSON.")] = None,
    close: Annotated[
        list[str] | None, typer.Option("--close", metavar="STREET", help="A street that is not dug; may be repeated.")
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option("--lock", metavar="STREET", help="A street that every plan holds; may be repeated."),
    ] = None,
    critical: Annotated[
        list[str] | None,
        typer.Option("--critical", metavar="ID", help="Premises that two ways must lead to; may be repeated."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="AMOUNT", help="What may be spent at most, in the currency.")
    ] = None,
    phase_budget: Annotated[
        list[float] | None,
        typer.Option("--phase-budget", metavar="AMOUNT", help="What each phase may cost at most, in order; repeated."),
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="How long it is sought.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Equal seeds give equal plans.")] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="Write where the faults are, as GeoJSON.")
    ] = None,
) -> None:
    """Plan a network of fibres. Ctrl-C ends the search with the best plan there is; pressed twice it ends all.

    Status 1 if there is no plan, or the checker finds anything wrong with it.
    """
    wished: dict[str, Any] = {"closed": close, "locked": lock, "critical": critical, "seconds": seconds, "seed": seed}
    for option, file in (("--out", out), ("--map", map_file)):
        _check_folder(option, file)
    with mapped(map_file, scenario, office or []):
        if budget is not None:
            wished["budget_cents"] = _cents(budget, "--budget")
        if phase_budget:
            wished["phase_budgets_cents"] = [_cents(amount, "--phase-budget") for amount in phase_budget]
        name, folder, task = _task(scenario, extract, office or [], wished)
        planned, progress = _made(folder, task, map_file)
    _tell(planned)
    if planned.findings:
        for finding in planned.findings[:SHOWN_FINDINGS]:
            _line(f"  {finding}")
        raise typer.Exit(EXIT_WRONG)
    if out is not None:
        _write(out, name, task, planned, progress)


def _cents(amount: float, option: str) -> int:
    """Whole cents. Raises InvalidInput for what is no amount of money."""
    from broadstreet.model.errors import InvalidInput

    if not 0 <= amount <= MAX_AMOUNT:
        raise InvalidInput(
            f"{amount:g} is no budget",
            where=option,
            remedy=f"Give an amount of 0 to {MAX_AMOUNT:,.0f}, in the currency of the catalogue.",
        )
    return round(amount * 100)


def _check_folder(option: str, file: Path | None) -> None:
    """Raises NotFound, before anything is sought, for a file that could not be written afterwards."""
    from broadstreet.model.errors import NotFound

    if file is not None and not file.resolve().parent.is_dir():
        raise NotFound("there is no such folder", where=f"{option} {file}", remedy="Make it first, or name another.")


def _made(folder: Path, task: Task, map_file: Path | None) -> tuple[Planned, list[Better]]:
    """The plan and how it became better. The map has the faults of the ground, or of a refusal."""
    from broadstreet.network.scenarios.making import warm
    from broadstreet.network.scenarios.reading import read

    with step("Read the ground") as say:
        ground = read(task, folder)
        say(f"{len(ground.premises):,} premises, {len(ground.ways):,} ways, {len(ground.faults):,} faults")
    tell_faults(ground.faults, map_file)
    write_faults(map_file, ground.faults)
    with step("Prepare"):
        warm()
    planned, progress = _plan(task, ground)
    write_faults(map_file, planned.faults)
    tell_faults(planned.faults[len(ground.faults) :], map_file)
    return planned, progress


def _task(
    scenario: Path | None, extract: Path | None, offices: list[str], wished: dict[str, Any]
) -> tuple[str, Path, Task]:
    """The scenario's name, the folder of its files, and what is to be done."""
    import msgspec

    from broadstreet.model.errors import InvalidInput
    from broadstreet.model.misfit import misfit
    from broadstreet.network.ground.sources import Inputs
    from broadstreet.network.scenarios.sheet import read_scenario
    from broadstreet.network.scenarios.task import Task

    if scenario is not None:
        name, task = read_scenario(scenario)
        folder = scenario.resolve().parent
    elif extract is not None:
        name, task, folder = extract.name.partition(".")[0], Task(inputs=Inputs()), extract.resolve().parent
    else:
        raise InvalidInput("nothing says where the streets are", remedy="Name a scenario (TOML), or --extract FILE.")
    inputs = task.inputs
    if extract is not None:
        if extract.resolve().parent != folder:
            raise InvalidInput(
                "the extract is in another folder than the scenario", where="--extract", remedy="Put it beside it."
            )
        inputs = msgspec.structs.replace(inputs, extract=extract.name)
    if offices:
        inputs = msgspec.structs.replace(inputs, offices=tuple(_office(n, text) for n, text in enumerate(offices, 1)))
    given = {name: value for name, value in wished.items() if value not in (None, [])}
    try:
        described = {**msgspec.to_builtins(task.wish), **given}
        wish = msgspec.convert(described, type(task.wish))
    except msgspec.ValidationError as error:
        what, place = misfit(str(error))
        raise InvalidInput(
            f"the wish is not right: {what}",
            where=f"wish.{place}" if place else "wish",
            remedy="docs/reference/planning.md says what it may hold.",
        ) from None
    wish.check()
    return name, folder, msgspec.structs.replace(task, inputs=inputs, wish=wish)


def _office(number: int, text: str) -> Any:
    from broadstreet.network.ground import Office

    lon, lat = place_of(text, "--office")
    return Office(f"office-{number}", f"Office {number}", lon, lat)


def _plan(task: Task, ground: Ground) -> tuple[Planned, list[Better]]:
    """The best plan, told as it gets better."""
    from broadstreet.network.scenarios.making import Stopping, plan

    stopping = Stopping()
    found: list[Better] = []
    with step("Plan") as say, _interruptible(stopping):

        def better(one: Better) -> None:
            found.append(one)
            say(_figures(one.cost_cents, one.bound_cents, ground.catalogue.currency))

        planned = plan(task, ground, stopping, better)
        outcome = planned.outcome
        say(_figures(outcome.cost_cents, outcome.bound_cents, outcome.currency))
    return planned, found


@contextmanager
def _interruptible(stopping: Stopping) -> Iterator[None]:
    """Ctrl-C ends the search with the best there is, once; the second time it is as ever."""
    before: Callable[..., Any] | int | None = signal.getsignal(signal.SIGINT)

    def interrupted(*_: object) -> None:
        stopping.stop()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _figures(cost_cents: int, bound_cents: int, currency: str) -> str:
    gap = 0.0 if cost_cents == 0 else 1 - bound_cents / cost_cents
    return f"{cost_cents / 100:,.0f} {currency}, no plan under {bound_cents / 100:,.0f}: a gap of {gap:.1%}"


def _tell(planned: Planned) -> None:
    outcome = planned.outcome
    _line(
        f"  {outcome.served:,} of {outcome.premises:,} premises with {outcome.fibres:,} fibres, "
        f"{outcome.trench_m / 1000:,.1f} km of trench, {outcome.cabinets} cabinets, {outcome.closures} closures, "
        f"{outcome.splitters} splitters"
    )
    if outcome.lone:
        _line(f"  {outcome.lone:,} more could not be planned for: no street leads there")
    for words in of_one_way(outcome):
        _line(words)
    _line(f"  worst loss {outcome.worst_loss_db:.1f} dB of {outcome.most_loss_db:.1f} dB that may be")
    if outcome.points is not None and outcome.bound_points:
        _line(f"  worth {outcome.points:,} points; no choice within the budget is worth over {outcome.bound_points:,}")
    if outcome.phase_cents is not None and outcome.point_years is not None:
        spent = ", ".join(f"{cents / 100:,.0f}" for cents in outcome.phase_cents)
        _line(f"  phases of {spent} {outcome.currency}: {outcome.point_years:,} point-years")
        _line(f"  no other phases within these budgets have over {outcome.bound_point_years:,}")
    found = len(planned.findings)
    _line("  checked: nothing found" if not found else f"  checked: {found} findings, so this is no plan")


def _write(out: Path, name: str, task: Task, planned: Planned, progress: list[Better]) -> None:
    from broadstreet.network.scenarios.packed import pack_ground
    from broadstreet.network.scenarios.planfile import FORM, PlanFile, write_plan

    plan = PlanFile(
        form=FORM,
        name=name,
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        task=task,
        outcome=planned.outcome,
        progress=tuple(progress),
        findings=planned.findings,
        sheets=planned.sheets,
        statement=planned.statement,
        ground=pack_ground(planned.ground),
    )
    write_plan(out, plan)
    _line(f"  written to {out}")


def _line(words: str) -> None:
    console.print(words, soft_wrap=True, markup=False)
