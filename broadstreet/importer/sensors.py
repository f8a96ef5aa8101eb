"""The sensors a table brings: each an entity with its name and place, a device where the mapping says so, and series.

They are made when the first reading of theirs comes, and found again afterwards. What is there already is left as it
is: an import adds readings to a city, it does not rename it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from broadstreet.access import Principal
from broadstreet.context import AttributeFragment, BatchOperation, Broker, EntityFragment
from broadstreet.context.bounds import MAX_BATCH
from broadstreet.devices import DeviceSpec, Registry
from broadstreet.devices.dataset import describe_dataset
from broadstreet.history import NO_META
from broadstreet.history.observations import Int32s
from broadstreet.importer.mapping import SENSOR, Mapping, fill
from broadstreet.importer.places import Place, Places
from broadstreet.model.entity import Kind, meta_hash
from broadstreet.model.errors import Conflict, InvalidInput, TooMany
from broadstreet.model.geometry import point
from broadstreet.model.identifiers import check_device, check_uri
from broadstreet.model.terms import expand
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

MAX_SENSORS: Final = 100_000
NO_SENSOR: Final = "no sensor"

_SQL = load_queries("import_run")
_DEVICE_SQL = load_queries("device")


class Sensor(msgspec.Struct):
    """One sensor of a table. series: its series' keys, as the mapping counts attributes; fault: why it is none."""

    name: str
    entity_id: str = ""
    title: str = ""
    device: str | None = None
    place: Place | None = None
    series: list[int] = []
    fault: str | None = None


def describe(mapping: Mapping, places: Places, name: str) -> Sensor:
    """What the mapping makes of a sensor's name; with a fault where that cannot be."""
    place = places.by_sensor.get(name)
    values = {**(place.row if place else {}), SENSOR: name}
    try:
        if not name:
            raise InvalidInput("the cell is empty")
        if place is None and mapping.locations is not None:
            values = dict.fromkeys(_columns(places), "") | values
        entity_id = check_uri(fill(mapping.sensor.entity, values, "sensor.entity"))
        title = fill(mapping.sensor.title, values, "sensor.title") or name
        device = None
        if mapping.sensor.device is not None and place is not None:
            device = check_device(fill(mapping.sensor.device, values, "sensor.device"))
    except InvalidInput as error:
        return Sensor(name, fault=error.message)
    return Sensor(name, entity_id, title, device, place)


def _columns(places: Places) -> list[str]:
    return list(next(iter(places.by_sensor.values())).row) if places.by_sensor else []


class Sensors:
    """The sensors of one import."""

    def __init__(
        self,
        store: Store,
        database: Database,
        mapping: Mapping,
        places: Places,
        *,
        principal: Principal,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._database = database
        self._mapping = mapping
        self._places = places
        self._principal = principal
        self._clock = clock
        self._broker = Broker(store)
        self._known: dict[str, Sensor] = {}
        self._dataset_key = 0
        self._terms: dict[str, int] = {}
        self._metas: list[int] = []

    @property
    def without_place(self) -> list[str]:
        """Sensors the table of locations does not know: entities without a place, and without a device."""
        if self._mapping.locations is None:
            return []
        return [sensor.name for sensor in self._known.values() if sensor.fault is None and sensor.place is None]

    def __len__(self) -> int:
        """How many sensors have been found good."""
        return sum(sensor.fault is None for sensor in self._known.values())

    async def prepare(self) -> None:
        """Write down what all sensors share: dataset, profile, names, units."""
        mapping, database = self._mapping, self._database
        self._dataset_key = await describe_dataset(database, mapping.dataset_facts)
        if mapping.profile_text is not None:
            registry = Registry(self._store)
            await registry.register_profile(
                database, mapping.profile_text, principal=self._principal.name, at_us=self._clock()
            )
        iris = [expand(name) for name in mapping.attributes]
        keys = await self._store.terms(database).intern(iris)
        self._terms = {iri: keys[iri] for iri in iris}
        bodies = [{"unitCode": a.unit} if a.unit else None for a in mapping.attributes.values()]
        hashes = [None if body is None else meta_hash(body) for body in bodies]
        async with database.transaction() as connection:
            known = [(body, digest) for body, digest in zip(bodies, hashes, strict=True) if body is not None]
            await connection.execute(
                _DEVICE_SQL["upsert_meta"], [body for body, _ in known], [digest for _, digest in known]
            )
            rows = await connection.fetch(_DEVICE_SQL["meta_keys"], [digest for _, digest in known])
        meta_keys = {bytes(row["hash"]): row["key"] for row in rows}
        self._metas = [NO_META if digest is None else meta_keys[digest] for digest in hashes]

    def meta_keys(self, attribute: Int32s) -> Int32s:
        """The sub-attributes of readings, by their attributes."""
        return np.array(self._metas, np.int32)[attribute]

    async def ensure(self, names: Sequence[str]) -> list[Sensor]:
        """The sensors of these names, made where they are new. Raises TooMany over MAX_SENSORS."""
        new = [describe(self._mapping, self._places, name) for name in names if name not in self._known]
        if len(self._known) + len(new) > MAX_SENSORS:
            raise TooMany(f"a table has at most {MAX_SENSORS} sensors", where="sensor", remedy="Mend sensor.column.")
        good = [sensor for sensor in new if sensor.fault is None]
        if good:
            await self._make(good)
        self._known.update((sensor.name, sensor) for sensor in new)
        return [self._known[name] for name in names]

    async def _make(self, sensors: list[Sensor]) -> None:
        await self._register([sensor for sensor in sensors if sensor.device is not None])
        await self._create([sensor for sensor in sensors if sensor.device is None])
        terms = list(self._terms.values())
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_DEVICE_SQL["entity_keys"], [sensor.entity_id for sensor in sensors])
            entities = {row["id"]: row["key"] for row in rows}
            keys = list(entities.values())
            await connection.execute(_SQL["insert_series"], keys, terms, self._dataset_key)
            rows = await connection.fetch(_DEVICE_SQL["series_keys"], keys, terms)
        series = {(row["entity_key"], row["term_key"]): row["key"] for row in rows}
        for sensor in sensors:
            sensor.series = [series[entities[sensor.entity_id], term] for term in terms]

    async def _register(self, sensors: list[Sensor]) -> None:
        if not sensors:
            return
        specs = [
            DeviceSpec(
                id=sensor.device or "",
                title=sensor.title,
                profile=self._mapping.sensor.profile or "",
                lon=sensor.place.lon if sensor.place else 0.0,
                lat=sensor.place.lat if sensor.place else 0.0,
                entity_id=sensor.entity_id,
                dataset=self._mapping.dataset.id,
            )
            for sensor in sensors
        ]
        registered = await Registry(self._store).register_many(
            self._database, specs, principal=self._principal.name, at_us=self._clock()
        )
        # A device that was there may feed another entity than the template says; its readings belong there.
        for sensor, device in zip(sensors, registered, strict=True):
            sensor.entity_id = device.entity_id

    async def _create(self, sensors: list[Sensor]) -> None:
        """Entities for sensors that are no devices; those that are there stay as they are, and deleted ones deleted."""
        rows = await self._database.fetch(_DEVICE_SQL["entity_keys"], [sensor.entity_id for sensor in sensors])
        known = {row["id"] for row in rows}
        new = [sensor for sensor in sensors if sensor.entity_id not in known]
        for start in range(0, len(new), MAX_BATCH):
            fragments = [self._fragment(sensor) for sensor in new[start : start + MAX_BATCH]]
            outcome = await self._broker.batch(self._principal, self._clock(), BatchOperation.CREATE, fragments)
            for failed in outcome.errors:
                if not isinstance(failed.error, Conflict):
                    raise failed.error

    def _fragment(self, sensor: Sensor) -> EntityFragment:
        attributes = [AttributeFragment(expand("name"), kind=Kind.PROPERTY, value=sensor.title)]
        if sensor.place is not None:
            place = point(sensor.place.lon, sensor.place.lat).geojson()
            attributes.append(AttributeFragment(expand("location"), kind=Kind.GEO_PROPERTY, value=place))
        return EntityFragment(sensor.entity_id, [expand(self._mapping.sensor.type)], attributes)
