"""The roster: every sensor of a tenant, loaded in a few queries, then kept by what is heard.

`load` reads everything; `Roster.apply` moves a value forward as the stream of changes tells of it, and
`Roster.hear` takes what the devices' table says. The keys of series lead from a change to its sensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from broadstreet.devices import Profile, parse_profile
from broadstreet.history import firsts
from broadstreet.model.entity import Kind
from broadstreet.model.naming import NAME, called
from broadstreet.model.terms import compact, expand
from broadstreet.portal.sensor import Connection, Device, Sensor, State, Undecodable, Value
from broadstreet.store import Database, Store, load_queries

if TYPE_CHECKING:
    import asyncpg

MAX_SENSORS: Final = 20_000
LOCATION: Final = expand("location")
ADDRESS: Final = expand("address")
BEARING: Final = expand("bearing")
DESCRIBING: Final = frozenset({NAME, LOCATION, ADDRESS, BEARING, expand("description")})
"""Attributes that say what a sensor is, not what it senses."""
IMPORT: Final = "import"
"""The kind of origin that tables have that were brought in."""
_SQL = load_queries("portal")


class Fingerprint(NamedTuple):
    """Changes when a device, a profile, an entity or a series comes."""

    registry: int
    newest_entity: int | None
    newest_series: int | None


class ProfileFacts(NamedTuple):
    """A profile's name, version and content."""

    name: str
    version: int
    profile: Profile


class Roster:
    """Sensors by entity id, in the order of their making; series keys to the sensor and value they feed."""

    def __init__(self, sensors: Iterable[Sensor], fingerprint: Fingerprint) -> None:
        self.fingerprint = fingerprint
        self.sensors = {sensor.id: sensor for sensor in sensors}
        self.by_series = {
            value.series_key: (sensor, value) for sensor in self.sensors.values() for value in sensor.values.values()
        }
        self._by_name = {s.name_key: s for s in self.sensors.values() if s.name_key is not None}
        self._by_device = {sensor.device.key: sensor for sensor in self.sensors.values() if sensor.device is not None}
        self._states: dict[str, tuple[State, int | None]] = {}

    def apply(
        self, series_key: int, value: Any, observed_us: int, written_us: int, *, is_import: bool
    ) -> tuple[Sensor, Value] | None:
        """A series has a new current value; answers whose it is, None for one that is not drawn."""
        found = self.by_series.get(series_key)
        if found is not None:
            if not is_import:
                found[0].imported_from_us = None
            found[1].value, found[1].observed_us, found[1].modified_us = value, observed_us, written_us
        return found

    def rename(self, series_key: int, name: Any) -> Sensor | None:
        """A series has a new current value; answers whose name that is, None for a series that holds no name."""
        sensor = self._by_name.get(series_key)
        if sensor is not None:
            sensor.title = called(name, sensor.id)
        return sensor

    def titles_since(self, before: Roster) -> dict[str, str]:
        """What those sensors are called now, by id, that another roster calls otherwise."""
        known = {name: sensor.title for name, sensor in before.sensors.items()}
        return {s.id: s.title for s in self.sensors.values() if known.get(s.id, s.title) != s.title}

    def hear(self, rows: Iterable[asyncpg.Record], dead: Mapping[int, Undecodable]) -> None:
        """What the table of devices says now. dead: the newest undecodable message by device key."""
        for row in rows:
            sensor = self._by_device.get(row["key"])
            if sensor is None or sensor.device is None:
                continue
            hear_device(sensor.device, row)
            sensor.device.undecodable = dead.get(sensor.device.key)

    def turned(self, now_us: int) -> list[Sensor]:
        """The sensors whose state is another, or whose device was disabled or enabled, since this was last asked.

        The first time, none.
        """
        states = {sensor.id: (sensor.state(now_us), sensor.disabled_us) for sensor in self.sensors.values()}
        before, self._states = self._states, states
        return [self.sensors[name] for name, state in states.items() if before.get(name, state) != state]

    def carry_states(self, before: Roster) -> None:
        """Go on from another roster's states, so that a reload hides no turn."""
        self._states = dict(before._states)


def hear_device(device: Device, row: asyncpg.Record) -> None:
    """What the table of devices says now of one."""
    device.disabled_us = row["disabled_at"]
    device.first_heard_us, device.last_heard_us = row["first_at"], row["last_at"]
    device.messages = row["messages"]
    device.connection = _connection(row)


def _connection(row: asyncpg.Record) -> Connection | None:
    if not row["was_seen"]:
        return None
    return Connection(
        row["connected_at"], row["disconnected_at"], row["reason"], row["refused_at"], row["refused_reason"]
    )


class RosterLoader:
    """Loads the roster of one tenant. Profiles are parsed once: a version never changes."""

    def __init__(self, store: Store, database: Database) -> None:
        self._terms = store.terms(database)
        self._database = database
        self._profiles: dict[int, ProfileFacts] = {}

    async def fingerprint(self) -> Fingerprint:
        """The fingerprint as it is now."""
        row = await self._database.fetchrow(_SQL["fingerprint"])
        assert row is not None
        return Fingerprint(row["registry"], row["newest"], row["newest_series"])

    async def heard(self) -> list[asyncpg.Record]:
        """What was heard of every device."""
        return await self._database.fetch(_SQL["heard"])

    async def profile(self, key: int) -> ProfileFacts:
        """A profile by its key."""
        await self._learn_profiles({key})
        return self._profiles[key]

    async def load(self, dead: Mapping[int, Undecodable]) -> Roster:
        """Every sensor, as it is now."""
        fingerprint = await self.fingerprint()
        place_key = (await self._terms.intern([LOCATION]))[LOCATION]
        things = await self._database.fetch(_SQL["things"], place_key, MAX_SENSORS)
        await self._learn_profiles({row["profile_key"] for row in things if row["profile_key"] is not None})
        rows = await self._database.fetch(_SQL["values"], [row["key"] for row in things])
        iris = await self._terms.iris({row["term_key"] for row in rows} | {row["types"][0] for row in things})
        by_entity: dict[int, dict[str, asyncpg.Record]] = {}
        for row in rows:
            by_entity.setdefault(row["entity_key"], {})[iris[row["term_key"]]] = row
        roster = Roster(
            (self._sensor(row, compact(iris[row["types"][0]]), by_entity.get(row["key"], {})) for row in things),
            fingerprint,
        )
        roster.hear(await self.heard(), dead)
        await self._date_imports(roster, {row["key"] for row in rows if row["origin_kind"] == IMPORT})
        return roster

    async def _date_imports(self, roster: Roster, imported: set[int]) -> None:
        """Note of sensors whose values were all imported when they begin. imported: keys of series imported last."""
        sensors = {
            value.series_key: sensor
            for sensor in roster.sensors.values()
            if sensor.newest_us is not None
            and all(v.series_key in imported for v in sensor.values.values() if v.observed_us is not None)
            for value in sensor.values.values()
        }
        for key, at_us in (await firsts(self._database, list(sensors))).items() if sensors else ():
            sensor = sensors[key]
            sensor.imported_from_us = min(sensor.imported_from_us or at_us, at_us)

    async def _learn_profiles(self, keys: set[int]) -> None:
        missing = sorted(keys - self._profiles.keys())
        if missing:
            for row in await self._database.fetch(_SQL["profiles"], missing):
                self._profiles[row["key"]] = ProfileFacts(row["name"], row["version"], parse_profile(row["body"]))

    def _sensor(self, thing: asyncpg.Record, type_name: str, rows: dict[str, asyncpg.Record]) -> Sensor:
        facts = None if thing["profile_key"] is None else self._profiles[thing["profile_key"]]
        values = _values_of_profile(facts.profile, rows) if facts else _values_written(rows)
        return Sensor(
            entity_key=thing["key"],
            id=thing["id"],
            title=title_of(rows, thing["id"]),
            name_key=rows[NAME]["key"] if NAME in rows else None,
            type=type_name,
            lon=thing["lon"],
            lat=thing["lat"],
            street=street_of(rows),
            bearing_deg=rows[BEARING]["number"] if BEARING in rows else None,
            simulated=thing["simulated"] or any(row["simulated"] for row in rows.values()),
            device=None
            if facts is None
            else Device(
                thing["device_key"],
                thing["device"],
                facts.name,
                facts.version,
                facts.profile.interval_s,
                thing["registered_at"],
            ),
            main=_main(facts.profile if facts else None, values),
            values=values,
        )


def street_of(rows: Mapping[str, asyncpg.Record]) -> str | None:
    """The street that an entity's address names. rows: its attributes by IRI."""
    row = rows.get(ADDRESS)
    address = None if row is None else row["value"]
    if isinstance(address, dict) and isinstance(address.get("streetAddress"), str):
        return str(address["streetAddress"])
    return address if isinstance(address, str) else None


def title_of(rows: Mapping[str, asyncpg.Record], entity_id: str) -> str:
    """What an entity is called. rows: its attributes by IRI."""
    return called(rows[NAME]["value"] if NAME in rows else None, entity_id)


def _values_of_profile(profile: Profile, rows: dict[str, asyncpg.Record]) -> dict[str, Value]:
    """The attributes a device's profile maps, in its order."""
    return {
        name: _value(name, rows[expand(name)], mapping.unit, mapping.limit)
        for name, mapping in profile.attributes.items()
        if expand(name) in rows
    }


def _values_written(rows: dict[str, asyncpg.Record]) -> dict[str, Value]:
    """What was observed of a thing without a device."""
    return {
        compact(iri): _value(compact(iri), row, row["unit"], None)
        for iri, row in rows.items()
        if iri not in DESCRIBING and row["kind"] == Kind.PROPERTY and row["observed_at"] is not None
    }


def _value(name: str, row: asyncpg.Record, unit: str | None, limit: float | None) -> Value:
    current = row["value"] if row["number"] is None else row["number"]
    return Value(
        name, row["term_key"], row["key"], unit or row["unit"], limit, current, row["observed_at"], row["modified_at"]
    )


def _main(profile: Profile | None, values: dict[str, Value]) -> str | None:
    """The attribute that stands for the sensor: the first that holds numbers."""
    if profile is not None:
        return next((name for name, mapping in profile.attributes.items() if mapping.type == "number"), None)
    return next((name for name, value in values.items() if isinstance(value.value, float)), None)
