"""`/v1/network/scenarios/…` and `/v1/network/compare`: what came of scenarios, by layer, cable, path and item."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from broadstreet.access import requires
from broadstreet.apis.network.layers import GEOJSON, file_answer
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.network.design import Item, Term
from broadstreet.network.papers import Format
from broadstreet.network.scenarios import (
    CableView,
    ComparedItem,
    ComparedTerm,
    Kept,
    Outcome,
    PremisesView,
    check_count,
    compare_bills,
    compare_terms,
    draw_differences,
    format_of,
    layer_file,
)


class BillView(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan costs, item by item, and what no plan costs less than, term by term. Money in whole cents."""

    currency: str
    cost_cents: int
    bound_cents: int
    gap: float
    items: tuple[Item, ...]
    terms: tuple[Term, ...]


class ComparedScenario(msgspec.Struct, frozen=True, kw_only=True):
    """One of those that are compared."""

    id: str
    name: str
    project: str
    outcome: Outcome


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Plans side by side. `items` and `terms` have a value for each of `scenarios`, in their order."""

    scenarios: tuple[ComparedScenario, ...]
    items: tuple[ComparedItem, ...]
    terms: tuple[ComparedTerm, ...]


Wanted = Annotated[list[str], QueryParameter(description="The id of a scenario; two to six of them.")]


async def _kept(call: Call, scenario: str) -> tuple[ComparedScenario, Kept]:
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    folder = plans.design(call.database, found)
    kept = await asyncio.to_thread(plans.shelf.read, folder)
    assert found.outcome is not None, "it is planned"
    return ComparedScenario(id=found.id, name=found.name, project=found.project, outcome=found.outcome), kept


async def _all_kept(call: Call, scenarios: list[str]) -> list[tuple[ComparedScenario, Kept]]:
    wanted = list(dict.fromkeys(scenarios))
    check_count(len(wanted))
    return [await _kept(call, scenario) for scenario in wanted]


@get("/scenarios/{scenario:str}/layers/{layer:str}", opt=requires("plan:read"), media_type=GEOJSON)
async def one_layer(call: NamedDependency[Call], scenario: FromPath[str], layer: FromPath[str]) -> Stream:
    """A layer of a plan as GeoJSON: `ways` that are opened, `cables`, `sites`, `premises` with drops, `faults`."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    return file_answer(layer_file(plans.design(call.database, found), layer))


@get("/scenarios/{scenario:str}/cables/{cable:str}", opt=requires("plan:read"))
async def one_cable(call: NamedDependency[Call], scenario: FromPath[str], cable: FromPath[str]) -> CableView:
    """A cable of a plan: where it lies, and of each fibre where it is cut, to what it is joined, whom it reaches."""
    _, kept = await _kept(call, scenario)
    return await asyncio.to_thread(lambda: kept.follower.cable(cable))


@get("/scenarios/{scenario:str}/path", opt=requires("plan:read"))
async def one_path(
    call: NamedDependency[Call],
    scenario: FromPath[str],
    premises: Annotated[str, QueryParameter(description="The id of the premises.")],
) -> PremisesView:
    """Premises of a plan, and what light passes on its way to each of their sockets, with what is lost there."""
    _, kept = await _kept(call, scenario)
    return await asyncio.to_thread(lambda: kept.follower.premises(premises))


@get("/scenarios/{scenario:str}/bill", opt=requires("plan:read"))
async def one_bill(call: NamedDependency[Call], scenario: FromPath[str]) -> BillView:
    """What a plan costs, item by item, and the terms of its bound."""
    _, kept = await _kept(call, scenario)
    statement = kept.statement
    return BillView(
        currency=statement.bill.currency,
        cost_cents=statement.cost_cents,
        bound_cents=statement.bound_cents,
        gap=statement.gap,
        items=statement.bill.items,
        terms=statement.terms,
    )


@get("/scenarios/{scenario:str}/export", opt=requires("plan:read"))
async def export_plan(
    call: NamedDependency[Call],
    scenario: FromPath[str],
    format: Annotated[str, QueryParameter(description=f"What: {', '.join(Format)}.")],
    part: Annotated[str | None, QueryParameter(description="One table of csv, or one layer of geojson, alone.")] = None,
) -> Stream:
    """A plan's papers as a file: report, splice plan, tables, layers, networks. They are made when first asked for."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    path, name, kind = await plans.papers(call.database, found, format_of(format), part)
    await call.audit("scenario.export", found.id, {"project": found.project, "name": found.name, "file": name})
    return file_answer(path, kind, name)


@get("/compare", opt=requires("plan:read"))
async def compare(call: NamedDependency[Call], scenario: Wanted) -> Comparison:
    """Two to six plans side by side: figures, costs by item, terms of the bounds."""
    found = await _all_kept(call, scenario)
    statements = [kept.statement for _, kept in found]
    return Comparison(
        scenarios=tuple(told for told, _ in found),
        items=compare_bills(statements),
        terms=compare_terms(statements),
    )


@get("/compare/ways", opt=requires("plan:read"), media_type=GEOJSON)
async def compare_ways(call: NamedDependency[Call], scenario: Wanted) -> Response[bytes]:
    """The ways that some of two to six plans open and others do not, as GeoJSON; `in` has the ids of those that do."""
    found = await _all_kept(call, scenario)
    plans = [(told.id, kept.statement, kept.ground) for told, kept in found]
    return Response(await asyncio.to_thread(draw_differences, plans), media_type=GEOJSON)


def designs_router() -> Router:
    """What came of scenarios, to stand below `/v1/network`."""
    return Router(
        "/",
        route_handlers=[one_layer, one_cable, one_path, one_bill, export_plan, compare, compare_ways],
        tags=["Planning"],
    )
