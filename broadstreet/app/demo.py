"""The demonstration: a house, central Helsinki founded in it, and the simulator beside, until a signal.

The house starts as with `broadstreet up`, the city is founded as with `broadstreet city demo`, and the simulator runs
as a process of its own, which knows the house by its MQTT port alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from broadstreet.access import Access
from broadstreet.app.clock import now_us
from broadstreet.app.edges import edges_of
from broadstreet.app.example import begin_example
from broadstreet.app.founding import FLEET_FILE, Founding, demo_extract
from broadstreet.app.house import House
from broadstreet.app.settings import Settings
from broadstreet.app.wish import Step, Wish
from broadstreet.devices import list_devices
from broadstreet.engines import Child
from broadstreet.model.errors import BroadstreetError, Conflict
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.store import Database, Store
from simulator import Fleet, read_fleet

ACCOUNT: Final = "demo"
PRINCIPAL: Final = "broadstreet demo"
PAST_FILE: Final = "past-complete"
"""In the data folder once the simulated past is all there: an interrupted demo goes on where it was."""
PORTS_TRIED: Final = 20
FIRST_WORD_S: Final = 30.0
POLL_S: Final = 0.05
STOP_S: Final = 5.0
LAST_WORDS: Final = 500
_log = logging.getLogger(__name__)


class Telling(NamedTuple):
    """Who is told what of a demonstration.

    step:     a step of its own begins.
    done:     a step of the house is done: what it was, how long it took in seconds.
    ready:    all is there: the address that signs one browser in, and how long it took in seconds.
    deserted: the simulator has ended: its exit code, its last words.
    """

    step: Step
    done: Callable[[str, float], None]
    ready: Callable[[str, float], None]
    deserted: Callable[[int, str], None]


def free_port(host: str, port: int) -> int:
    """The port, or where somebody else has it the next one that is free; the port itself where none is."""
    for candidate in range(port, port + PORTS_TRIED):
        with socket.socket() as probe, contextlib.suppress(OSError, OverflowError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, candidate))
            return candidate
    return port


class Demo:
    """The demonstration, from the first step to the last."""

    def __init__(self, settings: Settings, wish: Wish, telling: Telling) -> None:
        self._settings = settings
        self._wish = wish
        self._telling = telling
        self._house = House(settings, on_step=self._house_did)
        self._began_s = self._engines_s = 0.0

    async def run(self) -> None:
        """Everything, until a signal."""
        self._began_s = self._engines_s = asyncio.get_running_loop().time()
        await self._house.run(self._live)

    def _house_did(self, what: str, took_s: float) -> None:
        if what == "engines":
            self._engines_s = asyncio.get_running_loop().time()
        self._telling.done(what, took_s)

    def _since_s(self, began_s: float) -> float:
        return asyncio.get_running_loop().time() - began_s

    async def _live(self) -> None:
        founding = Founding(self._settings, self._wish, now_us(), self._telling.step)
        async with await Store.connect(self._house.engines.addresses.postgres_dsn) as store:
            database = await store.tenant(DEFAULT_TENANT)
            fleet = await self._fleet(founding, store, database)
            async with self._simulated() as simulator:
                with self._telling.step("First reading") as say:
                    await self._first_word(database, simulator)
                    say(f"{self._since_s(self._engines_s):.1f} s after the engines were ready")
                complete = self._settings.data_path / PAST_FILE
                if not complete.exists() and self._wish.history_days:
                    await founding.give_past(store, database, fleet, fleet.founded_us)
                    complete.touch()
                self._telling.ready(await self._link(store), self._since_s(self._began_s))
                await self._example(store, database)
                code = await simulator.wait()
                self._telling.deserted(code, simulator.words()[-LAST_WORDS:])

    async def _example(self, store: Store, database: Database) -> None:
        """A plan of the city's network, made beside what runs; the city lives without it, too."""
        try:
            await begin_example(self._settings, store, database, ACCOUNT)
        except BroadstreetError as error:
            _log.warning("no plan of the network is made: %s", error)

    async def _fleet(self, founding: Founding, store: Store, database: Database) -> Fleet:
        """The city's devices; a city that is not there yet is founded."""
        if founding.fleet_path.exists():
            return read_fleet(founding.fleet_path)
        return await founding.settle(store, database, await founding.read(demo_extract()))

    @asynccontextmanager
    async def _simulated(self) -> AsyncIterator[Child]:
        """The simulator, as a process that ends with the block, or with us."""
        data, mqtt = self._settings.data_path, self._settings.mqtt
        options = ["--credentials", str(data / FLEET_FILE), "--host", mqtt.host, "--port", str(mqtt.port)]
        log_path = data / "logs" / "simulator.log"
        simulator = await Child.spawn_module("simulator", "simulator", *options, log_path=log_path)
        try:
            yield simulator
        finally:
            await simulator.stop((signal.SIGTERM, STOP_S))

    async def _first_word(self, database: Database, simulator: Child) -> None:
        """Wait for a reading of the live city to be applied, a simulated device's as any other's."""
        since_us, began_s = now_us(), asyncio.get_running_loop().time()
        while self._since_s(began_s) < FIRST_WORD_S and simulator.exit_code is None:
            heard = [device.last_heard_us or 0 for device in await list_devices(database)]
            if max(heard, default=0) >= since_us:
                return
            await asyncio.sleep(POLL_S)

    async def _link(self, store: Store) -> str:
        """The address that signs one browser in, once, as the account `demo`."""
        access = Access(store.control, now_us)
        with contextlib.suppress(Conflict):  # it was made by an earlier demo
            await access.accounts.create(ACCOUNT, "Demo", tenant=DEFAULT_TENANT, roles=["administrator"], by=PRINCIPAL)
        path = await access.sign_in.create_link(ACCOUNT, by=PRINCIPAL)
        return edges_of(self._settings).portal_url + path
