"""`broadstreet plan invest`: what a plan is worth, in a file or of a scenario, by the sheets of a business."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from broadstreet.cli import plan_case
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.errors import InvalidInput
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.app import Settings
    from broadstreet.network.investment import Business, Chance, Tornado, Venture
    from broadstreet.network.scenarios import Kept

DRAWS: Final = 10_000


def invest(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="A plan, as `broadstreet plan fibre` writes it; or a scenario's id.")
    ] = "",
    business: Annotated[
        list[Path] | None,
        typer.Option("--business", metavar="FILE", help="A business's sheet; several are compared with the first."),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="How often chance draws; 0: it does not.")] = DRAWS,
    seed: Annotated[int, typer.Option("--seed", help="Of chance.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print it all as JSON.")] = False,
    sheet: Annotated[
        bool, typer.Option("--sheet", help="Print the sheet that comes along, to begin one from.")
    ] = False,
    tenant: Annotated[str, typer.Option("--tenant", help="Whose plan it is.")] = DEFAULT_TENANT,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Say what a plan is worth: money by years, payback, rates of return, areas by turns, how far it may be off."""
    from broadstreet.network.investment import Venture, business_sheet

    if sheet:
        typer.echo(business_sheet().decode(), nl=False)
        return
    if not plan:
        raise InvalidInput("no plan is named", where="PLAN", remedy="Give a plan's file, or the id of a scenario.")
    named = businesses(business or [])
    if Path(plan).is_file():
        from broadstreet.network.scenarios.planfile import read_plan

        kept = read_plan(Path(plan)).kept()
    else:
        kept = wait_for(take(house_settings(data_dir, settings), tenant, plan))
    ventures = {name: Venture.of(kept.statement, kept.ground, one) for name, one in named.items()}
    if as_json:
        typer.echo(as_one(ventures, draws, seed))
    else:
        say(ventures, draws, seed)


def businesses(files: list[Path]) -> dict[str, Business]:
    """Sheets by the names of their files; without any, the one that comes along. Raises InvalidInput where two have one
    name."""
    from broadstreet.network.investment import default_business, read_business

    if not files:
        return {"plan": default_business()}
    named = {file.stem: read_business(file) for file in files}
    if len(named) < len(files):
        raise InvalidInput("two sheets have one name", where="--business", remedy="Give the files different names.")
    return named


async def take(settings: Settings, tenant: str, scenario: str) -> Kept:
    """What came of a scenario. Raises NotFound, Conflict where it is not planned."""
    from broadstreet.app.clock import now_us
    from broadstreet.app.reach import reach_engines
    from broadstreet.network.scenarios import Plans
    from broadstreet.store import Store

    async with (
        reach_engines(settings) as addresses,
        await Store.connect(addresses.postgres_dsn) as store,
    ):
        plans, database = Plans(store, settings.data_path, now_us), await store.tenant(tenant)
        return plans.shelf.read(plans.design(database, await plans.scenarios.find(database, scenario)))


def how_far(venture: Venture, draws: int, seed: int) -> tuple[Tornado, Chance | None]:
    """How far it may be off: one thing at a time, and all by chance."""
    from broadstreet.network.investment import chance, tornado

    return tornado(venture), chance(venture, draws, seed) if draws else None


def as_one(ventures: dict[str, Venture], draws: int, seed: int) -> str:
    """All of it as JSON: `cases`, each with its `tornado` and `chance`, and their `comparison`."""
    import msgspec

    from broadstreet.network.investment import case_of_venture, compare

    cases = [case_of_venture(venture, name) for name, venture in ventures.items()]
    told: list[dict[str, Any]] = []
    for case, venture in zip(cases, ventures.values(), strict=True):
        one_by_one, by_chance = how_far(venture, draws, seed)
        told.append({"case": case, "tornado": one_by_one, "chance": by_chance})
    answer = {"cases": told, "comparison": compare(cases) if len(cases) > 1 else None}
    return msgspec.json.format(msgspec.json.encode(answer)).decode()


def say(ventures: dict[str, Venture], draws: int, seed: int) -> None:
    """All of it in words and tables."""
    from broadstreet.network.investment import case_of_venture, compare, take_up_by_cost

    cases = []
    for name, venture in ventures.items():
        case, (one_by_one, by_chance) = case_of_venture(venture, name), how_far(venture, draws, seed)
        cases.append(case)
        currency = case.business.currency
        plan_case.say_case(case)
        plan_case.say_years(case)
        plan_case.say_areas(case)
        plan_case.say_tornado(one_by_one, currency)
        plan_case.say_two_way(take_up_by_cost(venture), currency)
        if by_chance is not None:
            plan_case.say_chance(by_chance, currency)
        plan_case.line("")
    if len(cases) > 1:
        plan_case.say_comparison(compare(cases), cases[0].business.currency)
