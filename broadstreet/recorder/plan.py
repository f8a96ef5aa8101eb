"""What the recorder must know of a device to apply its readings: its decoder, and the series that its attributes feed.

Plans are loaded when a device is first met, and thrown away together when the registry's version has moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from broadstreet.devices import Decoder, parse_profile
from broadstreet.model.entity import meta_hash
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

NO_META = 0
"""Stands where a reading has no sub-attributes; keys in the store begin at 1."""
_SQL = load_queries("device")


class Plan(NamedTuple):
    """One device. series and metas stand in the order of the profile's attributes; NO_META stands for no unit."""

    device_key: int
    device: str
    profile: str
    decoder: Decoder
    series: list[int]
    metas: list[int]


class _ProfilePlan(NamedTuple):
    label: str
    decoder: Decoder
    terms: list[int]
    metas: list[int]


class Plans:
    """The plans of one tenant's devices."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._plans: dict[int, Plan] = {}
        self._profiles: dict[int, _ProfilePlan] = {}
        self.version = 0
        """The registry's version these plans belong to."""

    async def refresh(self) -> None:
        """Forget everything, and note the registry's version as it is now."""
        self._plans.clear()
        self._profiles.clear()
        self.version = int(await self._database.fetchval(_SQL["registry_version"]))

    async def load(self, device_keys: Iterable[int]) -> dict[int, Plan]:
        """The plans of these devices; a device that is not in the registry has none."""
        wanted = set(device_keys)
        if missing := wanted - self._plans.keys():
            await self._fetch(sorted(missing))
        return self._plans

    async def _fetch(self, device_keys: list[int]) -> None:
        rows = await self._database.fetch(_SQL["plans"], device_keys)
        if not rows:
            return
        await self._fetch_profiles({row["profile_key"] for row in rows} - self._profiles.keys())
        terms = sorted({term for profile in self._profiles.values() for term in profile.terms})
        found = await self._database.fetch(_SQL["series_keys"], [row["entity_key"] for row in rows], terms)
        series = {(row["entity_key"], row["term_key"]): int(row["key"]) for row in found}
        for row in rows:
            profile = self._profiles[row["profile_key"]]
            self._plans[row["key"]] = Plan(
                device_key=row["key"],
                device=row["id"],
                profile=profile.label,
                decoder=profile.decoder,
                series=[series[row["entity_key"], term] for term in profile.terms],
                metas=profile.metas,
            )

    async def _fetch_profiles(self, keys: set[int]) -> None:
        if not keys:
            return
        for row in await self._database.fetch(_SQL["profiles_by_key"], sorted(keys)):
            profile = parse_profile(row["body"])
            terms = await self._store.terms(self._database).intern(profile.iris)
            units = [mapping.unit for mapping in profile.attributes.values()]
            metas = await self._intern_units({unit for unit in units if unit is not None})
            self._profiles[row["key"]] = _ProfilePlan(
                label=f"{row['name']} {row['version']}",
                decoder=Decoder(profile),
                terms=[terms[iri] for iri in profile.iris],
                metas=[NO_META if unit is None else metas[unit] for unit in units],
            )

    async def _intern_units(self, units: set[str]) -> dict[str, int]:
        bodies = {unit: {"unitCode": unit} for unit in sorted(units)}
        hashes = {unit: meta_hash(body) for unit, body in bodies.items()}
        async with self._database.transaction() as connection:
            await connection.execute(_SQL["upsert_meta"], list(bodies.values()), list(hashes.values()))
            rows = await connection.fetch(_SQL["meta_keys"], list(hashes.values()))
        keys = {bytes(row["hash"]): int(row["key"]) for row in rows}
        return {unit: keys[digest] for unit, digest in hashes.items()}
