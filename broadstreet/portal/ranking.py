"""Which of a city's sensors had most, least or on the mean of something, and the sentence that says so."""

from __future__ import annotations

from datetime import timedelta, tzinfo
from typing import Final

import msgspec

from broadstreet.history import Stat, ranking
from broadstreet.model.clock import US_PER_S, format_rfc3339, to_datetime
from broadstreet.model.errors import InvalidQuery
from broadstreet.model.terms import compact, expand
from broadstreet.portal.sensor import Sensor
from broadstreet.portal.town import Town
from broadstreet.portal.words import attribute_label, day, duration, moment, quantity, unit_label
from broadstreet.store import Store

MAX_ROWS: Final = 1_000
NEARLY_NOW_US: Final = 60 * US_PER_S
_WORDS: Final = {
    Stat.MAX: "The highest",
    Stat.MIN: "The lowest",
    Stat.MEAN: "The highest mean",
    Stat.LAST: "The highest last",
}


class Row(msgspec.Struct, frozen=True):
    """One entity's place in a ranking."""

    id: str
    title: str
    street: str | None
    value: float
    at: str


class RankingView(msgspec.Struct, frozen=True, kw_only=True):
    """A ranking, best first, and what it says in a sentence."""

    attribute: str
    unit_label: str
    stat: str
    from_: str = msgspec.field(name="from")
    to: str
    sentence: str
    rows: list[Row]


async def ranking_view(
    store: Store, town: Town, attribute: str, stat_name: str, from_us: int, to_us: int, limit: int, now_us: int
) -> RankingView:
    """Entities by a statistic of one attribute in [from_us, to_us). Raises InvalidQuery."""
    try:
        stat = Stat(stat_name)
    except ValueError:
        raise InvalidQuery(
            f"there is no statistic {stat_name[:40]!r}", where="stat", remedy=f"Ask for {', '.join(Stat)}."
        ) from None
    iri = expand(attribute)
    name = compact(iri)
    known = await store.terms(town.database).find([iri])
    found = await ranking(town.database, known[iri], stat, from_us, to_us, min(limit, MAX_ROWS)) if known else []
    sensors = (await town.roster()).sensors
    unit = next((s.values[name].unit for s in sensors.values() if name in s.values), None)
    rows = [
        Row(
            rank.entity_id,
            *_called(sensors.get(rank.entity_id), rank.entity_id),
            round(rank.value, 6),
            format_rfc3339(rank.at_us),
        )
        for rank in found
    ]
    zone = town.zone()
    span, is_day = _span(from_us, to_us, now_us, zone)
    if found:
        best, first = found[0], rows[0]
        when = moment(best.at_us, now_us, zone)
        # Where the span is one day, the clock says enough.
        when = "" if stat is Stat.MEAN else " at " + when.rsplit(" ")[-1] if is_day else " " + when
        where = f" on {first.street}" if first.street and first.street not in first.title else ""
        told = (
            f"{_WORDS[stat]} {attribute_label(name)} {span} was {quantity(best.value, unit)}{when}, "
            f"reported by {first.title}{where}."
        )
    else:
        told = f"No {attribute_label(name)} was observed {span}."
    return RankingView(
        attribute=name,
        unit_label=unit_label(unit),
        stat=stat,
        from_=format_rfc3339(from_us),
        to=format_rfc3339(to_us),
        sentence=told,
        rows=rows,
    )


def _called(sensor: Sensor | None, entity_id: str) -> tuple[str, str | None]:
    return (entity_id.rsplit(":", 1)[-1], None) if sensor is None else (sensor.title, sensor.street)


def _span(from_us: int, to_us: int, now_us: int, zone: tzinfo) -> tuple[str, bool]:
    """A range in words, and whether it is one whole day of the city's."""
    start, end, now = (to_datetime(at_us).astimezone(zone) for at_us in (from_us, to_us, now_us))
    at_midnight = start.time() == end.time() == now.time().min
    if at_midnight and (end.date() - start.date()) == timedelta(days=1):
        if start.date() == now.date() - timedelta(days=1):
            return "yesterday", True
        return ("today" if start.date() == now.date() else f"on {day(from_us, now_us, zone)}"), True
    if abs(to_us - now_us) <= NEARLY_NOW_US:
        return f"in the last {duration(to_us - from_us)}", False
    last_us = max(to_us - 1, from_us)
    if start.date() == to_datetime(last_us).astimezone(zone).date():
        return f"on {day(from_us, now_us, zone)} from {start:%H:%M} to {end:%H:%M}", False
    return f"from {day(from_us, now_us, zone)} to {day(last_us, now_us, zone)}", False
