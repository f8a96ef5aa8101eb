"""One entity's page: what it is, what it says, whether that can be believed, and who answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import msgspec

from broadstreet.model.entity import Kind
from broadstreet.model.errors import NotFound
from broadstreet.model.naming import NAME, called
from broadstreet.model.terms import compact
from broadstreet.portal.findings import Answer, sensor_answer
from broadstreet.portal.roster import ADDRESS, BEARING, LOCATION, street_of, title_of
from broadstreet.portal.sensor import WRITTEN_FRESH_US, Device, Sensor, State
from broadstreet.portal.silence import outages, why
from broadstreet.portal.snapshot import time_of
from broadstreet.portal.town import Town
from broadstreet.portal.words import attribute_label, count, duration, type_label, unit_label
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    import asyncpg

DAY = timedelta(days=1)
_LAST = (NAME, ADDRESS, LOCATION, BEARING)
"""Attributes that describe, shown behind those that sense."""
_SQL = load_queries("portal")


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
    """One attribute, now."""

    name: str
    iri: str
    label: str
    kind: str
    unit: str | None
    unit_label: str
    value: Any
    observed_at: str | None
    modified_at: str | None
    version: int
    limit: float | None
    beyond: bool
    belief: Belief
    steward: Steward


class ConnectionView(msgspec.Struct, frozen=True):
    """What the gateways saw of a device's connection."""

    connected_at: str | None
    disconnected_at: str | None
    reason: str | None
    refused_at: str | None
    refused_reason: str | None


class ProfileName(msgspec.Struct, frozen=True):
    """A version of a profile."""

    name: str
    version: int


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """The device that feeds an entity."""

    id: str
    title: str
    profile: ProfileName
    registered_at: str | None
    first_heard_at: str | None
    last_heard_at: str | None
    messages: int
    interval_s: float
    connection: ConnectionView | None


class Related(msgspec.Struct, frozen=True):
    """A relationship to another entity."""

    name: str
    target: str
    target_title: str | None


class EntityView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    id: str
    type: str
    type_label: str
    title: str
    street: str | None
    lon: float | None
    lat: float | None
    state: State
    heard_at: str | None
    why: str | None
    simulated: bool
    answer: Answer
    device: DeviceView | None
    attributes: list[AttributeView]
    relationships: list[Related]


async def entity_view(store: Store, town: Town, entity_id: str, now_us: int) -> EntityView:
    """The page of an entity. Raises NotFound."""
    terms, database = store.terms(town.database), town.database
    known = await terms.intern([LOCATION, NAME])
    entity = await database.fetchrow(_SQL["entity"], entity_id, known[LOCATION])
    if entity is None:
        raise NotFound(f"there is no entity {entity_id[:200]}", where="id")
    rows = await database.fetch(_SQL["attributes"], entity["key"])
    iris = await terms.iris({row["term_key"] for row in rows} | set(entity["types"]))
    by_iri = {iris[row["term_key"]]: row for row in rows if row["dataset_id"] == ""}
    roster = await town.roster()
    sensor = roster.sensors.get(entity_id)
    zone, type_name = town.zone(), compact(iris[entity["types"][0]])
    titles = await database.fetch(_SQL["titles"], _targets(rows), known[NAME])
    together = outages(roster.sensors.values(), now_us)
    title = title_of(by_iri, entity_id)
    return EntityView(
        id=entity_id,
        type=type_name,
        type_label=type_label(type_name),
        title=title,
        street=sensor.street if sensor else street_of(by_iri),
        lon=entity["lon"],
        lat=entity["lat"],
        state=sensor.state(now_us) if sensor else "live",
        heard_at=time_of(sensor.heard_us if sensor else _newest(rows)),
        why=why(sensor, together, now_us, zone) if sensor else None,
        simulated=sensor.simulated if sensor else any(row["simulated"] for row in rows),
        answer=sensor_answer(sensor, together, now_us, zone) if sensor else _plain_answer(len(by_iri)),
        device=_device(sensor.device, title) if sensor and sensor.device else None,
        attributes=_attributes(rows, iris, sensor, now_us, zone),
        relationships=_related(rows, iris, {row["id"]: called(row["value"], row["id"]) for row in titles}),
    )


def _newest(rows: Sequence[asyncpg.Record]) -> int | None:
    return max((row["modified_at"] for row in rows if row["modified_at"] is not None), default=None)


def _plain_answer(attributes: int) -> Answer:
    return Answer(f"It has {count(attributes, 'attribute')}; nothing of it is measured.", "fine")


def _device(device: Device, title: str) -> DeviceView:
    seen = device.connection
    return DeviceView(
        id=device.id,
        title=title,
        profile=ProfileName(device.profile, device.profile_version),
        registered_at=time_of(device.registered_us),
        first_heard_at=time_of(device.first_heard_us),
        last_heard_at=time_of(device.last_heard_us),
        messages=device.messages,
        interval_s=device.interval_s,
        connection=None
        if seen is None
        else ConnectionView(
            time_of(seen.connected_us),
            time_of(seen.disconnected_us),
            seen.reason,
            time_of(seen.refused_us),
            seen.refused_reason,
        ),
    )


def _attributes(
    rows: Sequence[asyncpg.Record], iris: Mapping[int, str], sensor: Sensor | None, now_us: int, zone: tzinfo
) -> list[AttributeView]:
    """Those that sense in the profile's order, then those that describe."""
    order = {name: place for place, name in enumerate(sensor.values if sensor else ())}
    views = [_attribute(row, iris[row["term_key"]], sensor, now_us) for row in rows if row["kind"] != Kind.RELATIONSHIP]
    return sorted(views, key=lambda view: (view.iri in _LAST, order.get(view.name, len(order))))


def _attribute(row: asyncpg.Record, iri: str, sensor: Sensor | None, now_us: int) -> AttributeView:
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
        observed_at=time_of(row["observed_at"]),
        modified_at=time_of(row["modified_at"]),
        version=row["version"] or 0,
        limit=limit,
        beyond=limit is not None and isinstance(value, float) and value > limit,
        belief=_belief(row, sensor, now_us, is_sensed=known is not None),
        steward=_steward(row),
    )


def _belief(row: asyncpg.Record, sensor: Sensor | None, now_us: int, *, is_sensed: bool) -> Belief:
    """Whether a value can be believed, in words."""
    if row["version"] is None:
        return Belief("never", "No value was ever heard.")
    is_simulated = row["origin_kind"] == "simulated" or row["simulated"]
    if not is_sensed or sensor is None:
        if is_simulated:
            return Belief("simulated", "It describes a sensor that the city simulator made up.")
        return Belief("good", "Written down, not measured; it holds until somebody changes it.")
    if is_simulated:
        return Belief("simulated", "Made up by the city simulator; nothing measured it.")
    observed_us = row["observed_at"] or row["modified_at"]
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


def _targets(rows: Sequence[asyncpg.Record]) -> list[str]:
    """The entities that relationships lead to."""
    found: list[str] = []
    for row in rows:
        if row["kind"] == Kind.RELATIONSHIP:
            found += row["value"] if isinstance(row["value"], list) else [row["value"]]
    return found


def _related(rows: Sequence[asyncpg.Record], iris: Mapping[int, str], titles: Mapping[str, str]) -> list[Related]:
    return [
        Related(attribute_label(compact(iris[row["term_key"]])), target, titles.get(target))
        for row in rows
        if row["kind"] == Kind.RELATIONSHIP
        for target in _targets([row])
    ]
