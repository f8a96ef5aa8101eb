"""`broadstreet demo`: a whole city on this machine, made the first time, living until Ctrl-C.

The house starts as with `broadstreet up`, Helsinki is founded in it as with `broadstreet city demo`, and the simulator
runs as a process of its own, which knows the house by its MQTT port alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
import webbrowser
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from broadstreet.app.settings import variable
from broadstreet.cli.city import (
    FLEET_FILE,
    HISTORY_DAYS,
    Wish,
    demo_extract,
    draw,
    give_past,
    plan,
    read,
    register,
    step,
)
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for
from broadstreet.cli.up import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from broadstreet.app import Settings
    from broadstreet.engines import Child
    from broadstreet.store import Database, Store
    from simulator import Fleet

ACCOUNT: Final = "demo"
PRINCIPAL: Final = "broadstreet demo"
PAST_FILE: Final = "past-complete"
"""In the data folder once the simulated past is all there: an interrupted demo goes on where it was."""
PORTS_TRIED: Final = 20
FIRST_WORD_S: Final = 30.0
POLL_S: Final = 0.05
STOP_S: Final = 5.0

console = Console(highlight=False)


def demo(
    data_dir: DataDir = None,
    settings: SettingsFile = None,
    mqtt_port: Annotated[int | None, typer.Option(help="Where devices connect.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Where the portal and the APIs are.")] = None,
    history_days: Annotated[int, typer.Option(min=0, max=366, help="Days of simulated past.")] = HISTORY_DAYS,
    browser: Annotated[bool, typer.Option(help="Open the portal in a browser, where there is one.")] = True,
) -> None:
    """A simulated city to look at: engines, 520 devices, thirty days of history, the portal. Ctrl-C stops it all."""
    from broadstreet.app.settings import Http, Mqtt

    chosen = house_settings(data_dir, settings, mqtt__port=mqtt_port, http__port=http_port)
    chosen = house_settings(
        mqtt__port=None if mqtt_port else free_port("MQTT", chosen.mqtt.host, chosen.mqtt.port, Mqtt().port),
        http__port=None if http_port else free_port("HTTP", chosen.http.host, chosen.http.port, Http().port),
    )
    wait_for(Demo(chosen, Wish(history_days=history_days), browser).run())


def free_port(what: str, host: str, port: int, default: int) -> int:
    """The port, or where nobody chose it and somebody else has it, the next one that is free."""
    if port != default:
        return port
    for candidate in range(port, port + PORTS_TRIED):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, candidate))
            if candidate != port:
                console.print(f"Port {port} is taken, so {what} is spoken on {candidate}.")
            return candidate
    return port


class Demo:
    """The demonstration, from the first step to the last."""

    def __init__(self, settings: Settings, wish: Wish, browser: bool) -> None:
        from broadstreet.app.house import House

        self._house = House(settings, on_step=self._say)
        self._settings = settings
        self._wish = wish
        self._browser = browser
        self._began_s = self._engines_s = time.monotonic()

    async def run(self) -> None:
        """Everything, until a signal."""
        console.print(f"Starting the house in {self._settings.data_path}")
        await self._house.run(self._live)

    def _say(self, what: str, took_s: float) -> None:
        if what == "engines":
            self._engines_s = time.monotonic()
        say(what, took_s)

    async def _live(self) -> None:
        from broadstreet.model.identifiers import DEFAULT_TENANT
        from broadstreet.store import Store

        addresses = self._house.engines.addresses
        async with await Store.connect(addresses.postgres_dsn) as store:
            database = await store.tenant(DEFAULT_TENANT)
            fleet = await self._found(store, database)
            async with self._simulated() as simulator:
                with step("First reading") as came_of_it:
                    await self._first_word(database, simulator)
                    came_of_it(f"{time.monotonic() - self._engines_s:.1f} s after the engines were ready")
                await self._give_past(store, database, fleet)
                link = await self._link(store)
                self._show(link)
                await self._watch(simulator)

    async def _found(self, store: Store, database: Database) -> Fleet:
        """The city's devices; a city that is not there yet is founded."""
        from simulator import read_fleet, write_fleet

        path = self._settings.data_path / FLEET_FILE
        if path.exists():
            return read_fleet(path)
        at_us = time.time_ns() // 1_000
        with step("Read the map") as came_of_it:
            extract = await asyncio.to_thread(read, demo_extract())
            came_of_it(f"{len(extract.streets):,} stretches of street, {len(extract.buildings):,} buildings")
        with step("Draw the map") as came_of_it:
            city = await asyncio.to_thread(draw, self._settings, extract, self._wish)
            came_of_it(f"{city.title}, {len(city.streets):,} streets")
        with step("Register devices") as came_of_it:
            fleet = await register(store, database, plan(extract, city, self._wish, path, at_us), at_us)
            write_fleet(path, fleet)
            came_of_it(f"{len(fleet.devices):,}, each with a credential of its own")
        return fleet

    @asynccontextmanager
    async def _simulated(self) -> AsyncIterator[Child]:
        """The simulator, as a process that ends with the block, or with us."""
        from broadstreet.engines import Child

        data, mqtt = self._settings.data_path, self._settings.mqtt
        options = ["--credentials", str(data / FLEET_FILE), "--host", mqtt.host, "--port", str(mqtt.port)]
        simulator = await Child.spawn(
            "simulator", [sys.executable, "-m", "simulator", *options], log_path=data / "logs" / "simulator.log"
        )
        try:
            yield simulator
        finally:
            await simulator.stop((signal.SIGTERM, STOP_S))

    async def _first_word(self, database: Database, simulator: Child) -> None:
        """Wait for a reading of the live city to be applied, a simulated device's as any other's."""
        from broadstreet.devices import list_devices

        since_us = time.time_ns() // 1_000
        deadline_s = time.monotonic() + FIRST_WORD_S
        while time.monotonic() < deadline_s and simulator.exit_code is None:
            heard = [device.last_heard_us or 0 for device in await list_devices(database)]
            if max(heard, default=0) >= since_us:
                return
            await asyncio.sleep(POLL_S)

    async def _give_past(self, store: Store, database: Database, fleet: Fleet) -> None:
        """Thirty days in which the city was not watched; once."""
        complete = self._settings.data_path / PAST_FILE
        if complete.exists() or not self._wish.history_days:
            return
        with step(f"Simulate {self._wish.history_days} days") as came_of_it:
            count = await give_past(store, database, fleet, self._wish.history_days, fleet.founded_us)
            complete.touch()
            came_of_it(f"{count:,} observations, labelled simulated")

    async def _link(self, store: Store) -> str:
        """The address that signs one browser in, once, as the account `demo`."""
        from broadstreet.access import Access
        from broadstreet.app.clock import now_us
        from broadstreet.model.errors import Conflict
        from broadstreet.model.identifiers import DEFAULT_TENANT

        access = Access(store.control, now_us)
        with contextlib.suppress(Conflict):  # it was made by an earlier demo
            await access.accounts.create(ACCOUNT, "Demo", tenant=DEFAULT_TENANT, roles=["administrator"], by=PRINCIPAL)
        path = await access.sign_in.create_link(ACCOUNT, by=PRINCIPAL)
        from broadstreet.app.edges import edges_of

        return edges_of(self._settings).portal_url + path

    def _show(self, link: str) -> None:
        console.print(f"\nReady after {time.monotonic() - self._began_s:.1f} s. The portal, signed in once:")
        console.print(f"  {link}", style="bold", soft_wrap=True)
        again = f"{sys.argv[0]} account link {ACCOUNT} --data-dir {self._settings.data_path}"
        if self._settings.http.port != type(self._settings.http)().port:
            again = f"{variable('http.port')}={self._settings.http.port} {again}"
        console.print(f"Another one: {again}", soft_wrap=True)
        console.print("Ctrl-C stops everything; what was collected stays.")
        has_display = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
        if self._browser and has_display:
            webbrowser.open(link)

    async def _watch(self, simulator: Child) -> None:
        """Serve on; say so if the simulator ends, and go on without it."""
        code = await simulator.wait()
        console.print(f"The simulator has ended ({code}); the house serves on. Its words: {simulator.words()[-500:]}")
