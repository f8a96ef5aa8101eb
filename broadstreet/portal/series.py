"""One series as a chart: any range of it, reduced by the server so that peaks stay and gaps show."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from broadstreet.history import downsample
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import NotFound
from broadstreet.model.terms import compact, expand
from broadstreet.portal.town import Town
from broadstreet.portal.words import unit_label
from broadstreet.store import load_queries

_SQL = load_queries("portal")


class Series(NamedTuple):
    """A series, the unit it was last written in, its device and the limit that the device's profile sets."""

    key: int
    unit: str | None
    device_key: int | None
    device: str | None
    limit: float | None


class SeriesView(msgspec.Struct, frozen=True, kw_only=True):
    """A chart's data. low, high: the extremes of each point's stretch, empty where every point is shown."""

    id: str
    attribute: str
    unit: str | None
    unit_label: str
    from_: str = msgspec.field(name="from")
    to: str
    count: int
    mode: str
    t_ms: list[int]
    v: list[float]
    low: list[float]
    high: list[float]
    gaps_ms: list[tuple[int, int]]
    limit: float | None


async def find_series(town: Town, entity_id: str, attribute: str) -> Series:
    """The series of an entity's attribute. Raises NotFound."""
    row = await town.database.fetchrow(_SQL["series"], entity_id, expand(attribute))
    if row is None:
        raise NotFound(f"{entity_id[:200]} has no attribute {attribute[:100]}", where="id, attribute")
    limit, unit = None, row["unit"]
    if row["profile_key"] is not None:
        mapping = (await town.loader.profile(row["profile_key"])).profile.attributes.get(compact(expand(attribute)))
        if mapping is not None:
            limit, unit = mapping.limit, mapping.unit or unit
    return Series(row["key"], unit, row["device_key"], row["device"], limit)


async def series_view(town: Town, entity_id: str, attribute: str, from_us: int, to_us: int, points: int) -> SeriesView:
    """A series in [from_us, to_us) as at most `points` points. Raises NotFound, InvalidQuery, TooLarge."""
    series = await find_series(town, entity_id, attribute)
    chart = await downsample(town.database, series.key, from_us, to_us, points)
    return SeriesView(
        id=entity_id,
        attribute=compact(expand(attribute)),
        unit=series.unit,
        unit_label=unit_label(series.unit),
        from_=format_rfc3339(from_us),
        to=format_rfc3339(to_us),
        count=chart.count,
        mode="raw" if chart.is_raw else "downsampled",
        t_ms=(chart.at_us // 1_000).tolist(),
        v=chart.values.tolist(),
        low=chart.low.tolist(),
        high=chart.high.tolist(),
        gaps_ms=[(start // 1_000, end // 1_000) for start, end in chart.gaps_us],
        limit=series.limit,
    )
