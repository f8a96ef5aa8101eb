"""Writing devices down: entity, place, series and device, in one transaction.

What the entity is given: `name`, `location`, `address` (its street) and `bearing` (the street's direction, degrees
clockwise from north), where known, and an empty series for each attribute of its profile, so that steward and map
know what is to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from broadstreet.devices.profile import Profile, parse_profile
from broadstreet.model.change import ChangeBatch, EntityEvent, Flag, encode_changes
from broadstreet.model.entity import Kind, meta_hash
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.model.identifiers import check_uri, entity_urn
from broadstreet.model.naming import NAME
from broadstreet.model.terms import compact, expand
from broadstreet.store import OutboxKind, Store, load_queries, write_origin, write_outbox

if TYPE_CHECKING:
    from broadstreet.store import Database
    from broadstreet.store.database import Connection

_SQL = load_queries("device")
LOCATION, ADDRESS, BEARING = expand("location"), expand("address"), expand("bearing")
DEGREES = {"unitCode": "DD"}


class DeviceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A device to register. title: what its entity is called from then on, if it has no name yet.

    lon, lat: WGS 84 degrees. entity_id: if left out, made of the profile's type and the id.
    """

    id: str
    title: str
    profile: str
    lon: float
    lat: float
    street: str | None = None
    bearing_deg: float | None = None
    entity_id: str | None = None
    dataset: str | None = None
    secret: str | None = None


class _Statics:
    """The values that come with registration, in columns."""

    def __init__(self) -> None:
        self.entity: list[str] = []
        self.iri: list[str] = []
        self.kind: list[int] = []
        self.number: list[float | None] = []
        self.value: list[Any] = []
        self.has_unit: list[bool] = []

    def add(
        self, entity: str, iri: str, value: Any, kind: Kind = Kind.PROPERTY, *, number: float | None = None
    ) -> None:
        self.entity.append(entity)
        self.iri.append(iri)
        self.kind.append(int(kind))
        self.number.append(number)
        self.value.append(value)
        self.has_unit.append(iri == BEARING)


async def write_devices(
    store: Store, database: Database, specs: Sequence[DeviceSpec], *, principal: str, at_us: int
) -> dict[str, tuple[int, str]]:
    """Write those devices that are not there yet; answers (key, entity id) by id. Raises as Registry.register_many."""
    async with database.acquire() as connection:
        profiles = await _profiles(connection, {spec.profile for spec in specs})
    iris = {NAME, LOCATION, ADDRESS, BEARING}
    for _, profile in profiles.values():
        iris.update([profile.type, *profile.iris])
    terms = await store.terms(database).intern(iris)
    async with database.transaction() as connection:
        await connection.execute(_SQL["bump_registry"])  # locks out a second writer of the registry
        rows = await connection.fetch(_SQL["existing_devices"], [spec.id for spec in specs])
        present = {row["id"]: (int(row["key"]), str(row["entity_id"])) for row in rows}
        new = [spec for spec in specs if spec.id not in present]
        if not new:
            return present
        origin_key = await write_origin(connection, "registry", principal, at_us, f"{len(new)} devices")
        writer = _Writer(connection, terms, profiles, at_us, origin_key)
        written = await writer.write(new)
        changes = writer.changes(database.name, principal)
        await write_outbox(connection, OutboxKind.CHANGES, encode_changes(changes))
    return present | written


async def _profiles(connection: Connection, names: set[str]) -> dict[str, tuple[int, Profile]]:
    found = {}
    for name in sorted(names):
        row = await connection.fetchrow(_SQL["newest_profile"], name)
        if row is None:
            raise NotFound(
                f"there is no profile {name[:80]!r}", where="profile", remedy="Write the profile down first."
            )
        found[name] = (int(row["key"]), parse_profile(row["body"]))
    return found


class _Writer:
    """One transaction's worth of registrations."""

    def __init__(
        self,
        connection: Connection,
        terms: dict[str, int],
        profiles: dict[str, tuple[int, Profile]],
        at_us: int,
        origin_key: int,
    ) -> None:
        self._connection = connection
        self._terms = terms
        self._profiles = profiles
        self._at_us = at_us
        self._origin_key = origin_key
        self._events: list[EntityEvent] = []
        self._changed: list[tuple[int, Any]] = []

    async def write(self, specs: Sequence[DeviceSpec]) -> dict[str, tuple[int, str]]:
        """Write everything; answers (device key, entity id) by device id."""
        entity_ids = [self._entity_id(spec) for spec in specs]
        entity_keys = await self._write_entities(specs, entity_ids)
        datasets = await self._dataset_keys(specs)
        dataset_of = [datasets.get(spec.dataset or "") for spec in specs]
        rows = await self._connection.fetch(
            _SQL["insert_devices"],
            [spec.id for spec in specs],
            [entity_keys[entity_id] for entity_id in entity_ids],
            [self._profiles[spec.profile][0] for spec in specs],
            dataset_of,
            self._at_us,
        )
        keys = {row["id"]: int(row["key"]) for row in rows}
        for profile_key, _ in self._profiles.values():
            of_profile = [keys[s.id] for s in specs if self._profiles[s.profile][0] == profile_key]
            await self._connection.execute(_SQL["insert_device_profiles"], of_profile, self._at_us, profile_key)
        await self._write_series(specs, entity_ids, entity_keys, dataset_of)
        await self._write_statics(specs, entity_ids, entity_keys)
        return {spec.id: (keys[spec.id], entity_id) for spec, entity_id in zip(specs, entity_ids, strict=True)}

    def _entity_id(self, spec: DeviceSpec) -> str:
        if spec.entity_id is not None:
            return check_uri(spec.entity_id, "entity_id")
        short = compact(self._profiles[spec.profile][1].type).rsplit("/", 1)[-1].rsplit("#", 1)[-1]
        return entity_urn(short.rsplit(":", 1)[-1], spec.id)

    async def _write_entities(self, specs: Sequence[DeviceSpec], entity_ids: list[str]) -> dict[str, int]:
        types = [self._profiles[spec.profile][1].type for spec in specs]
        type_keys = [self._terms[iri] for iri in types]
        made = await self._connection.fetch(_SQL["insert_entities"], entity_ids, type_keys, self._at_us)
        iri_of = dict(zip(entity_ids, types, strict=True))
        self._events = [EntityEvent(row["key"], row["id"], [iri_of[row["id"]]], "created") for row in made]
        rows = await self._connection.fetch(_SQL["entity_keys"], entity_ids)
        return {row["id"]: int(row["key"]) for row in rows}

    async def _dataset_keys(self, specs: Sequence[DeviceSpec]) -> dict[str, int]:
        wanted = {spec.dataset for spec in specs if spec.dataset}
        rows = await self._connection.fetch(_SQL["dataset_keys"], sorted(wanted)) if wanted else []
        found = {row["id"]: int(row["key"]) for row in rows}
        if missing := sorted(wanted - found.keys()):
            raise NotFound(f"there is no dataset {missing[0]!r}", where="dataset", remedy="Describe the dataset first.")
        return found

    async def _write_series(
        self,
        specs: Sequence[DeviceSpec],
        entity_ids: list[str],
        entity_keys: dict[str, int],
        dataset_of: list[int | None],
    ) -> None:
        rows: list[tuple[int, int, int | None]] = []
        for spec, entity_id, dataset_key in zip(specs, entity_ids, dataset_of, strict=True):
            iris = [NAME, LOCATION, *self._profiles[spec.profile][1].iris]
            iris += [ADDRESS] * (spec.street is not None) + [BEARING] * (spec.bearing_deg is not None)
            rows += [(entity_keys[entity_id], self._terms[iri], dataset_key) for iri in dict.fromkeys(iris)]
        columns = [list(column) for column in zip(*rows, strict=True)]
        await self._connection.execute(_SQL["insert_series"], *columns)

    async def _write_statics(
        self, specs: Sequence[DeviceSpec], entity_ids: list[str], entity_keys: dict[str, int]
    ) -> None:
        statics, points = _Statics(), {}
        for spec, entity_id in zip(specs, entity_ids, strict=True):
            points[entity_id] = _point(spec)
            statics.add(entity_id, NAME, spec.title)
            statics.add(entity_id, LOCATION, points[entity_id], Kind.GEO_PROPERTY)
            if spec.street is not None:
                statics.add(entity_id, ADDRESS, {"streetAddress": spec.street})
            if spec.bearing_deg is not None:
                statics.add(entity_id, BEARING, None, number=float(spec.bearing_deg))
        found = await self._connection.fetch(
            _SQL["series_keys"],
            list(entity_keys.values()),
            [self._terms[i] for i in (NAME, LOCATION, ADDRESS, BEARING)],
        )
        series = {(row["entity_key"], row["term_key"]): int(row["key"]) for row in found}
        keys = [
            series[entity_keys[entity], self._terms[iri]]
            for entity, iri in zip(statics.entity, statics.iri, strict=True)
        ]
        unit_key = await self._intern_meta(DEGREES)
        metas = [unit_key if has_unit else None for has_unit in statics.has_unit]
        values = [
            None if number is not None else value for number, value in zip(statics.number, statics.value, strict=True)
        ]
        made = await self._connection.fetch(
            _SQL["insert_attributes"], keys, statics.kind, statics.number, values, metas, self._at_us, self._origin_key
        )
        fresh = {row["series_key"] for row in made}
        kept = [i for i, key in enumerate(keys) if key in fresh]
        await self._connection.execute(
            _SQL["insert_observations"],
            [keys[i] for i in kept],
            [statics.number[i] for i in kept],
            [values[i] for i in kept],
            [metas[i] for i in kept],
            self._at_us,
            self._origin_key,
        )
        self._changed = [(keys[i], values[i] if statics.number[i] is None else statics.number[i]) for i in kept]
        located = [series[entity_keys[entity_id], self._terms[LOCATION]] for entity_id in entity_ids]
        await self._connection.execute(
            _SQL["upsert_places"],
            located,
            [entity_keys[entity_id] for entity_id in entity_ids],
            self._terms[LOCATION],
            [spec.lon for spec in specs],
            [spec.lat for spec in specs],
            [points[entity_id] for entity_id in entity_ids],
        )

    async def _intern_meta(self, body: dict[str, Any]) -> int:
        digest = meta_hash(body)
        await self._connection.execute(_SQL["upsert_meta"], [body], [digest])
        return int((await self._connection.fetch(_SQL["meta_keys"], [digest]))[0]["key"])

    def changes(self, tenant: str, principal: str) -> ChangeBatch:
        """What this transaction changed, for the outbox."""
        count = len(self._changed)
        return ChangeBatch(
            tenant=tenant,
            origin_key=self._origin_key,
            kind="registry",
            principal=principal,
            at_us=self._at_us,
            series=[key for key, _ in self._changed],
            version=[1] * count,
            as_of_us=[self._at_us] * count,
            value=[value for _, value in self._changed],
            old=[None] * count,
            flags=[int(Flag.CURRENT | Flag.CREATED)] * count,
            entities=self._events,
        )


def _point(spec: DeviceSpec) -> dict[str, Any]:
    """The device's place as GeoJSON. Raises InvalidInput for one that is not on Earth."""
    if not (-180 <= spec.lon <= 180 and -90 <= spec.lat <= 90):
        raise InvalidInput(
            f"the place of {spec.id!r}, longitude {spec.lon}, latitude {spec.lat}, is not on Earth",
            where="lon, lat",
            remedy="Give WGS 84 degrees: longitude -180 to 180, latitude -90 to 90.",
        )
    return {"type": "Point", "coordinates": [spec.lon, spec.lat]}
