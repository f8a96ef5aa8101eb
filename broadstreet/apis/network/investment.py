"""`/v1/network/scenarios/…/investment`: what a plan is worth by a business's sheet, kept under names and compared."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground
from broadstreet.network.ground.sheet import MAX_SHEET_BYTES, parse_sheet
from broadstreet.network.investment import (
    Business,
    Case,
    Chance,
    Comparison,
    Tornado,
    TwoWay,
    Venture,
    business_sheet,
    case_of_venture,
    chance,
    compare,
    take_up_by_cost,
    tornado,
)
from broadstreet.network.scenarios import Figures, KeptCase, NamedCase, Scenario, Study

MAX_DRAWS: Final = 20_000
"""Of chance, in one call: a second or two."""


class NewCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case to make: its name; the business's sheet, as TOML, without one that which comes with Broadstreet; how often
    chance draws (0: it does not), and by which seed."""

    name: Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\s/]([^/]*[^\s/])?$")]
    sheet: str | None = None
    draws: Annotated[int, Meta(ge=0, le=MAX_DRAWS)] = 2_000
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A case in a list. `is_current` is whether the plan that it is of still stands."""

    name: str
    figures: Figures
    is_current: bool
    made_by: str
    made_at: str


class CaseView(CaseLine, frozen=True, kw_only=True):
    """A case that is kept, whole."""

    sheet: str
    case: Case
    tornado: Tornado
    chance: Chance | None
    grid: TwoWay | None


Wanted = Annotated[list[str], QueryParameter(description="A scenario's id, a colon, the name of a case of it.")]


def in_list(scenario: Scenario, named: NamedCase) -> CaseLine:
    """A case as it is told in a list."""
    return CaseLine(
        name=named.name,
        figures=named.figures,
        is_current=named.job == scenario.job,
        made_by=named.made_by,
        made_at=format_rfc3339(named.made_us),
    )


def view(scenario: Scenario, kept: KeptCase) -> CaseView:
    """A case as it is told whole."""
    told, study = msgspec.structs.asdict(in_list(scenario, kept.named)), kept.study
    return CaseView(
        **told, sheet=kept.sheet, case=study.case, tornado=study.tornado, chance=study.chance, grid=study.grid
    )


@get("/scenarios/{scenario:str}/investment", opt=requires("plan:read"))
async def list_of_cases(call: NamedDependency[Call], scenario: FromPath[str]) -> list[CaseLine]:
    """The cases of a scenario, by name, with their first figures."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    return [in_list(found, named) for named in await plans.cases.list(call.database, found)]


@post("/scenarios/{scenario:str}/investment", opt=requires("plan:write"))
async def make_case(call: NamedDependency[Call], scenario: FromPath[str], data: JSONBody[NewCase]) -> CaseView:
    """Reckon what a plan is worth by a sheet, and keep it under its name, in place of one of that name."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    sheet = business_sheet().decode() if data.sheet is None else data.sheet
    if len(sheet.encode()) > MAX_SHEET_BYTES:
        raise TooLarge(f"a sheet of more than {MAX_SHEET_BYTES:,} bytes", where="sheet")
    business = parse_sheet(sheet.encode(), Business, "sheet")
    kept = await asyncio.to_thread(plans.shelf.read, plans.design(call.database, found))
    study = await asyncio.to_thread(studied, kept.statement, kept.ground, business, data)
    made = await plans.cases.keep(call.database, found, sheet, study, call.principal.name)
    await call.audit("scenario.case", found.id, {"project": found.project, "name": found.name, "case": data.name})
    return view(found, made)


def studied(statement: Statement, ground: Ground, business: Business, wanted: NewCase) -> Study:
    """The case of a plan, and how far it may be off."""
    venture = Venture.of(statement, ground, business)
    return Study(
        case=case_of_venture(venture, wanted.name),
        tornado=tornado(venture),
        chance=chance(venture, wanted.draws, wanted.seed) if wanted.draws else None,
        grid=take_up_by_cost(venture),
    )


@get("/scenarios/{scenario:str}/investment/{case:str}", opt=requires("plan:read"))
async def one_case(call: NamedDependency[Call], scenario: FromPath[str], case: FromPath[str]) -> CaseView:
    """One case of a scenario, whole."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    return view(found, await plans.cases.find(call.database, found, case))


@delete("/scenarios/{scenario:str}/investment/{case:str}", opt=requires("plan:write"))
async def remove_case(call: NamedDependency[Call], scenario: FromPath[str], case: FromPath[str]) -> None:
    """Remove a case."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    await plans.cases.remove(call.database, found, case)
    await call.audit("scenario.case.remove", found.id, {"project": found.project, "name": found.name, "case": case})


@get("/investment/compare", opt=requires("plan:read"))
async def compare_cases(call: NamedDependency[Call], case: Wanted) -> Comparison:
    """Two to twenty cases side by side, of one scenario or of several, held against the first."""
    plans, found = call.services.plans, []
    for one in case:
        scenario, colon, name = one.partition(":")
        if not colon:
            raise InvalidInput(f"{one[:80]!r} names no case", where="case", remedy="Write a scenario's id, :, a name.")
        of = await plans.scenarios.find(call.database, scenario)
        found.append((of, (await plans.cases.find(call.database, of, name)).study.case))
    if len({of.key for of, _ in found}) > 1:
        found = [(of, msgspec.structs.replace(told, name=f"{of.name}: {told.name}")) for of, told in found]
    return compare([told for _, told in found])


def investment_router() -> Router:
    """What plans are worth, to stand below `/v1/network`."""
    handlers = [list_of_cases, make_case, one_case, remove_case, compare_cases]
    return Router("/", route_handlers=handlers, tags=["Planning"])
