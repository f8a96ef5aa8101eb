"""The attributes of one entity: what each says, since when and how often, whether to believe it, who answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.history import Pace
from broadstreet.model.entity import Kind
from broadstreet.model.naming import NAME
from broadstreet.model.terms import compact
from broadstreet.portal.roster import ADDRESS, BEARING, LOCATION
from broadstreet.portal.sensor import WRITTEN_FRESH_US, Sensor
from broadstreet.portal.snapshot import time_of
from broadstreet.portal.values import in_words
from broadstreet.portal.words import attribute_label, count, day, duration, unit_label

if TYPE_CHECKING:
    import asyncpg

DAY: Final = timedelta(days=1)
_LAST: Final = (NAME, ADDRESS, LOCATION, BEARING)
"""Attributes that describe, shown behind those that sense."""


class Belief(msgspec.Struct, frozen=True):
    """Whether a value can be believed. verdict: good, stale, simulated or never."""

    verdict: str
    words: str


class Steward(msgspec.Struct, frozen=True):
    """Who answers for a series: what its own columns say, else its dataset's."""

    dataset: str | None
    owner: str | None
    purpose: str | None
    licence: str | None
    personal_data: str | None
    retention: str | None
    simulated: bool


class AttributeView(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute, now.

    text:     its value in words, without a unit.
    first_at: when its past begins; null for what is not measured.
    step_s:   how far its newest readings lie apart; null where that is not known.
    """

    name: str
    iri: str
    label: str
    kind: str
    unit: str | None
    unit_label: str
    value: Any
    text: str
    observed_at: str | None
    modified_at: str | None
    first_at: str | None
    step_s: float | None
    version: int
    limit: float | None
    beyond: bool
    belief: Belief
    steward: Steward


def attribute_views(
    rows: Sequence[asyncpg.Record],
    iris: Mapping[int, str],
    pace: Mapping[int, Pace],
    sensor: Sensor | None,
    now_us: int,
    zone: tzinfo,
) -> list[AttributeView]:
    """Those that sense in the profile's order, then those that describe. pace: by series, how often it is heard."""
    order = {name: place for place, name in enumerate(sensor.values if sensor else ())}
    views = [
        _attribute(row, iris[row["term_key"]], pace.get(row["key"]), sensor, now_us, zone)
        for row in rows
        if row["kind"] != Kind.RELATIONSHIP
    ]
    return sorted(views, key=lambda view: (view.iri in _LAST, order.get(view.name, len(order))))


def _attribute(
    row: asyncpg.Record, iri: str, pace: Pace | None, sensor: Sensor | None, now_us: int, zone: tzinfo
) -> AttributeView:
    name = compact(iri)
    known = sensor.values.get(name) if sensor else None
    value = row["value"] if row["number"] is None else row["number"]
    limit = known.limit if known else None
    unit = row["unit"] or (known.unit if known else None)
    return AttributeView(
        name=name,
        iri=iri,
        label=attribute_label(name),
        kind=Kind(row["kind"] or 0).type_name,
        unit=unit,
        unit_label=unit_label(unit),
        value=value,
        text=in_words(value),
        observed_at=time_of(row["observed_at"]),
        modified_at=time_of(row["modified_at"]),
        first_at=time_of(pace.first_us) if pace else None,
        step_s=pace.step_s if pace else None,
        version=row["version"] or 0,
        limit=limit,
        beyond=limit is not None and isinstance(value, float) and value > limit,
        belief=_belief(row, sensor, now_us, zone, is_sensed=known is not None),
        steward=_steward(row),
    )


def _belief(row: asyncpg.Record, sensor: Sensor | None, now_us: int, zone: tzinfo, *, is_sensed: bool) -> Belief:
    """Whether a value can be believed, in words."""
    if row["version"] is None:
        return Belief("never", "No value was ever heard.")
    if not is_sensed or sensor is None:
        return Belief("good", "Written down, not measured; it holds until somebody changes it.")
    if row["origin_kind"] == "simulated" or row["simulated"]:
        return Belief("simulated", "Made up by the city simulator; nothing measured it.")
    observed_us = row["observed_at"] or row["modified_at"]
    if sensor.is_imported:
        return Belief("stale", f"Imported; it was so on {day(observed_us, now_us, zone)}, and may be otherwise by now.")
    patience_us = sensor.device.patience_us if sensor.device else WRITTEN_FRESH_US
    age_us = max(now_us - observed_us, 0)
    if age_us > patience_us:
        return Belief("stale", f"Observed {duration(age_us)} ago; it may be otherwise by now.")
    return Belief("good", f"Observed {duration(age_us)} ago, as often as expected.")


def _steward(row: asyncpg.Record) -> Steward:
    return Steward(
        row["dataset"],
        row["owner"] or None,
        row["purpose"] or None,
        row["licence"] or None,
        row["personal_data"],
        _retention(row["retention"]),
        row["simulated"],
    )


def _retention(kept: timedelta | None) -> str | None:
    return None if kept is None else count(max(kept // DAY, 1), "day")
