"""`/v1/network/scenarios/…/serviceability`: what can be had at an address or a place, by the plan of a scenario."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.errors import InvalidInput
from broadstreet.network.serviceability import Answer

MAX_ADDRESS: Final = 500
MAX_PHASES: Final = 1_000


@get("/scenarios/{scenario:str}/serviceability", opt=requires("plan:read"))
async def what_can_be_had(
    call: NamedDependency[Call],
    scenario: FromPath[str],
    address: Annotated[
        str | None, QueryParameter(max_length=MAX_ADDRESS, description="An address, or the id of premises.")
    ] = None,
    lon: Annotated[float | None, QueryParameter(description="Longitude in degrees, with `lat`.")] = None,
    lat: Annotated[float | None, QueryParameter(description="Latitude in degrees, with `lon`.")] = None,
    built: Annotated[int, QueryParameter(ge=0, le=MAX_PHASES, description="How many phases stand already.")] = 0,
) -> Answer:
    """What can be had at an address or a place: offers, each with its price, its way, its light, and why; of a scenario
    that is planned."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    folder = plans.design(call.database, found)

    def answer() -> Answer:
        service = plans.shelf.read(folder).serviceability(built)
        if address is not None and lon is None and lat is None:
            return service.of(address)
        if address is None and lon is not None and lat is not None:
            return service.at(lon, lat)
        raise InvalidInput(
            "neither an address nor a place is asked for",
            where="address",
            remedy="Give an address, or lon and lat, and not both.",
        )

    return await asyncio.to_thread(answer)


def serviceability_router() -> Router:
    """`/scenarios/…/serviceability`, to stand below `/v1/network`."""
    return Router("/", route_handlers=[what_can_be_had], tags=["Planning"])
