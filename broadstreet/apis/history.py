"""`/v1/means`: what one attribute amounts to over the whole city, period by period, over table and long past alike."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.history import Period, overall, time_zone
from broadstreet.model.clock import US_PER_S, format_rfc3339, parse_rfc3339
from broadstreet.model.errors import NotFound
from broadstreet.model.terms import compact, expand

DAY_US = 86_400 * US_PER_S


class PeriodMean(msgspec.Struct, frozen=True, kw_only=True):
    """All entities in one period: how many numbers were observed, and their mean."""

    begin: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    count: int
    mean: float


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute's means over all entities; a period without a number is left out."""

    attribute: str
    every: str
    periods: list[PeriodMean]


@get("/means", opt=requires("history:read"))
async def city_means(
    call: NamedDependency[Call],
    attribute: FromQuery[str],
    begin: Annotated[
        str | None, QueryParameter(name="from", description="From this time on; left out: a day before the end.")
    ] = None,
    end: Annotated[str | None, QueryParameter(name="to", description="Before this time; left out: now.")] = None,
    every: Annotated[str, QueryParameter(description="The length of a period, as PT1H or P1D.")] = "PT1H",
    zone: Annotated[str, QueryParameter(description="The time zone of days and months.")] = "UTC",
) -> Means:
    """The mean of an attribute over all entities by the hour, or by another period. Every observation counts alike."""
    iri = expand(attribute)
    terms = await call.services.store.terms(call.database).find([iri])
    if iri not in terms:
        raise NotFound(f"there is no attribute {attribute[:80]!r}", where="attribute")
    to_us = call.at_us + 1 if end is None else parse_rfc3339(end, "to")
    from_us = to_us - DAY_US if begin is None else parse_rfc3339(begin, "from")
    found = await overall(call.database, terms[iri], from_us, to_us, Period.parse(every, "every"), time_zone(zone))
    periods = [
        PeriodMean(begin=format_rfc3339(one.from_us), end=format_rfc3339(one.to_us), count=one.count, mean=one.mean)
        for one in found
    ]
    return Means(attribute=compact(iri), every=every, periods=periods)


def history_router() -> Router:
    """`/means`, to stand below `/v1`."""
    return Router("/", route_handlers=[city_means], tags=["Temporal"])
