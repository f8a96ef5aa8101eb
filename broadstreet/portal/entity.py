"""One entity's page: what it is, what it says, whether that can be believed, and who answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from broadstreet.history import Pace, paces
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.entity import Kind
from broadstreet.model.errors import NotFound
from broadstreet.model.naming import NAME, called
from broadstreet.model.terms import compact
from broadstreet.portal.attributes import AttributeView, attribute_views
from broadstreet.portal.dead import Rejected
from broadstreet.portal.findings import Answer, sensor_answer
from broadstreet.portal.roster import LOCATION, hear_device, street_of, title_of
from broadstreet.portal.sensor import Sensor, State
from broadstreet.portal.silence import outages, why
from broadstreet.portal.snapshot import Imported, imported_of, time_of
from broadstreet.portal.town import Town
from broadstreet.portal.words import attribute_label, count, type_label
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    import asyncpg

PACE_STEPS: Final = 20
"""How many of a series' newest steps say how often it is heard."""
_SQL = load_queries("portal")


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
    """The device that feeds an entity.

    interval_s: how often its profile expects it; step_s: how often it is heard, null where that is not known.
    rejected:   its messages that could not be applied; null where all could.
    """

    id: str
    title: str
    profile: ProfileName
    registered_at: str | None
    disabled_at: str | None
    first_heard_at: str | None
    last_heard_at: str | None
    messages: int
    interval_s: float
    step_s: float | None
    connection: ConnectionView | None
    rejected: Rejected | None


class Related(msgspec.Struct, frozen=True):
    """A relationship to another entity."""

    name: str
    target: str
    target_title: str | None


class EntityView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page. at: the one moment as of which all of it holds."""

    at: str
    id: str
    type: str
    type_label: str
    title: str
    street: str | None
    lon: float | None
    lat: float | None
    state: State
    heard_at: str | None
    imported: Imported | None
    why: str | None
    simulated: bool
    answer: Answer
    device: DeviceView | None
    attributes: list[AttributeView]
    relationships: list[Related]


async def entity_view(store: Store, town: Town, entity_id: str, now_us: int) -> EntityView:
    """The page of an entity, all of it as of one moment. Raises NotFound."""
    terms, database = store.terms(town.database), town.database
    known = await terms.intern([LOCATION, NAME])
    await town.dead_letters()
    roster = await town.roster()
    async with database.transaction() as connection:
        await connection.execute(_SQL["one_moment"])
        entity = await connection.fetchrow(_SQL["entity"], entity_id, known[LOCATION])
        if entity is None:
            raise NotFound(
                f"there is no entity {entity_id[:200]}",
                where="id",
                remedy="Search for its name or its street, or choose it on the map.",
            )
        rows = await connection.fetch(_SQL["attributes"], entity["entity_key"])
        measured = [row["key"] for row in rows if row["observed_at"] is not None]
        titles = await connection.fetch(_SQL["titles"], _targets(rows), known[NAME])
    pace = await paces(town.database, measured, PACE_STEPS)
    iris = await terms.iris({row["term_key"] for row in rows} | set(entity["types"]))
    by_iri = {iris[row["term_key"]]: row for row in rows if row["dataset_id"] == ""}
    sensor = _as_read(roster.sensors.get(entity_id), entity, rows)
    zone, type_name = town.zone(), compact(iris[entity["types"][0]])
    together = outages(roster.sensors.values(), now_us)
    title = title_of(by_iri, entity_id)
    return EntityView(
        at=format_rfc3339(now_us),
        id=entity_id,
        type=type_name,
        type_label=type_label(type_name),
        title=title,
        street=street_of(by_iri),
        lon=entity["lon"],
        lat=entity["lat"],
        state=sensor.state(now_us) if sensor else "live",
        heard_at=time_of(sensor.heard_us if sensor else _newest(rows)),
        imported=imported_of(sensor) if sensor else None,
        why=why(sensor, together, now_us, zone) if sensor else None,
        simulated=sensor.simulated if sensor else any(row["simulated"] for row in rows),
        answer=sensor_answer(sensor, together, now_us, zone) if sensor else _plain_answer(len(by_iri)),
        device=_device(sensor, title, pace, town.rejected_of(sensor.device.key)) if sensor and sensor.device else None,
        attributes=attribute_views(rows, iris, pace, sensor, now_us, zone),
        relationships=_related(rows, iris, {row["id"]: called(row["value"], row["id"]) for row in titles}),
    )


def _as_read(sensor: Sensor | None, entity: asyncpg.Record, rows: Sequence[asyncpg.Record]) -> Sensor | None:
    """A sensor of the roster with what was read of it just now: the roster may be a moment older, or newer."""
    if sensor is None:
        return None
    read = {row["key"]: row for row in rows}
    values = {
        name: replace(
            value,
            value=row["value"] if row["number"] is None else row["number"],
            observed_us=row["observed_at"],
            modified_us=row["modified_at"],
        )
        for name, value in sensor.values.items()
        for row in (read.get(value.series_key),)
        if row is not None
    }
    device = None if sensor.device is None else copy(sensor.device)
    if device is not None:
        hear_device(device, entity)
    return replace(sensor, values=values, device=device)


def _newest(rows: Sequence[asyncpg.Record]) -> int | None:
    return max((row["modified_at"] for row in rows if row["modified_at"] is not None), default=None)


def _plain_answer(attributes: int) -> Answer:
    return Answer(f"It has {count(attributes, 'attribute')}; nothing of it is measured.", "fine")


def _device(sensor: Sensor, title: str, pace: Mapping[int, Pace], rejected: Rejected | None) -> DeviceView:
    device = sensor.device
    assert device is not None
    main = None if sensor.main is None else sensor.values.get(sensor.main)
    heard = None if main is None else pace.get(main.series_key)
    seen = device.connection
    return DeviceView(
        id=device.id,
        title=title,
        profile=ProfileName(device.profile, device.profile_version),
        registered_at=time_of(device.registered_us),
        disabled_at=time_of(device.disabled_us),
        first_heard_at=time_of(device.first_heard_us),
        last_heard_at=time_of(device.last_heard_us),
        messages=device.messages,
        interval_s=device.interval_s,
        step_s=heard.step_s if heard else None,
        connection=None
        if seen is None
        else ConnectionView(
            time_of(seen.connected_us),
            time_of(seen.disconnected_us),
            seen.reason,
            time_of(seen.refused_us),
            seen.refused_reason,
        ),
        rejected=rejected,
    )


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
