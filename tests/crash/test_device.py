"""A device and its house are killed at random moments: each reading counts once, each command is executed once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from broadstreet.access import Access, Principal
from broadstreet.devices import CommandRow, Commands, DeviceSpec, Order, Registry
from broadstreet.log import Log
from broadstreet.model.clock import format_rfc3339
from broadstreet.outpost import Memory
from broadstreet.outpost.actuator import DONE
from broadstreet.store import Database, Store
from tests.crash.house import TrialHouse, free_port
from tests.crash.verdict import TENANT, drained

DEVICE = "lamp-1"
PROFILE = '[profile]\nname = "lamp"\ntype = "Streetlight"\ntime = "ts"\n[attributes.power]\nfield = "v"\n'
PROFILE += '[attributes.illuminanceLevel]\nfield = "level"\n'
READINGS, EVERY_S = 1_000, 0.004
ORDERS = 20
DEVICE_KILLS = 3
HOUSE_KILLS = (("gateway",), ("nats-server",), ("recorder", "postgres"))
PATIENCE_S = 90.0
POLL_S = 0.05
LET_IN = "the house lets it in"
BY = Principal.account("trial", "Trial", TENANT, ["dispatcher"])


def now_us() -> int:
    return time.time_ns() // 1000


class TrialDevice:
    """`broadstreet device run` as a process."""

    def __init__(self, folder: Path, port: int, secret: str) -> None:
        self._words = ["--folder", str(folder), "--id", DEVICE, "--house", f"mqtt://127.0.0.1:{port}"]
        self._environment = os.environ | {"BROADSTREET_DEVICE_SECRET": secret}
        self._log = folder.with_name("device.log")
        self._log.touch()
        self._begun = 0
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Begin, or begin again."""
        self._begun = len(self.said())
        command = (sys.executable, "-c", "from broadstreet.cli import main; main()", "device", "run")
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, *self._words, *words, env=self._environment, stdout=log, stderr=log
            )
        return self.process

    def said(self) -> str:
        """What it wrote."""
        return self._log.read_text()

    async def let_in(self) -> None:
        """Wait until the house has let it in since its last start."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if LET_IN in self.said()[self._begun :]:
                    return
                await asyncio.sleep(POLL_S)

    async def end(self, number: int) -> int:
        """Send a signal, and wait."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()


@asynccontextmanager
async def reached(house: TrialHouse) -> AsyncIterator[tuple[Store, Database, Commands]]:
    async with await Store.connect(house.addresses.postgres_dsn) as store:
        commands = Commands(Access(store.control, now_us).audit, os.urandom)
        yield store, await store.tenant(TENANT), commands


async def register(house: TrialHouse) -> tuple[int, str]:
    """The device's key and secret."""
    async with reached(house) as (store, database, _):
        registry = Registry(store)
        await registry.register_profile(database, PROFILE, principal="trial", at_us=now_us())
        spec = DeviceSpec(id=DEVICE, title="Lamp", profile="lamp", lon=24.94, lat=60.17)
        made = await registry.register(database, spec, principal="trial", at_us=now_us())
        assert made.secret is not None
        return made.key, made.secret


async def order(house: TrialHouse, key: int, numbers: range) -> None:
    """Commands, each with a level of its own."""
    async with reached(house) as (_, database, commands):
        for number in numbers:
            one = Order(name="set-level", body={"level": (number + 1) / ORDERS}, why="trial")
            await commands.order(database, BY, now_us(), {DEVICE: key}, one)


async def answered(house: TrialHouse) -> list[CommandRow]:
    """All commands, once each is answered."""
    async with reached(house) as (_, database, commands), asyncio.timeout(PATIENCE_S):
        while True:
            found = await commands.list(database, device=DEVICE, limit=ORDERS)
            if len(found) == ORDERS and all(one.state not in ("queued", "delivered") for one in found):
                return found
            await asyncio.sleep(POLL_S)


async def numbers_recorded(house: TrialHouse) -> list[tuple[float, bool]]:
    """What was recorded of the file, in its order, and whether it was ever corrected."""
    async with reached(house) as (store, database, _), await Log.connect(house.addresses.nats_url) as log:
        await drained(log, database, house.settings.log.partitions)
        rows = await (await store.tenant(TENANT)).fetch(
            "SELECT o.number, o.modified_at IS NOT NULL AS corrected FROM observation o"
            " JOIN series s ON s.key = o.series_key JOIN term t ON t.key = s.term_key"
            " WHERE t.iri LIKE '%power' ORDER BY o.observed_at"
        )
    return [(row["number"], row["corrected"]) for row in rows]


async def kill_at_random(device: TrialDevice, house: TrialHouse, key: int, words: tuple[str, ...]) -> None:
    """Kill the device and parts of the house in turns, and order meanwhile."""
    chance = Random(7)
    each = ORDERS // (DEVICE_KILLS + 1)
    for kill in range(DEVICE_KILLS):
        await order(house, key, range(kill * each, (kill + 1) * each))
        await asyncio.sleep(chance.uniform(0.6, 1.2))
        assert await device.end(signal.SIGKILL) == -signal.SIGKILL, device.said()
        await device.start(*words)
        if kill < len(HOUSE_KILLS):
            await asyncio.sleep(chance.uniform(0.5, 1.0))
            await house.recover(await house.kill(HOUSE_KILLS[kill]))
    await order(house, key, range(DEVICE_KILLS * each, ORDERS))


@pytest.mark.timeout(300)
async def test_each_reading_counts_once_and_each_command_is_executed_once(data_dir: Path) -> None:
    house = TrialHouse(data_dir / "data", free_port)
    folder, file = data_dir / "device", data_dir / "readings.ndjson"
    began_us = now_us() - READINGS * 1_000_000
    lines = [json.dumps({"ts": format_rfc3339(began_us + n * 1_000_000), "v": n}) for n in range(READINGS)]
    file.write_text("\n".join(lines))
    device: TrialDevice | None = None
    try:
        await house.up()
        key, secret = await register(house)
        device = TrialDevice(folder, house.settings.mqtt.port, secret)
        words = ("--readings", str(file), "--every", str(EVERY_S))
        await device.start(*words)
        await kill_at_random(device, house, key, words)
        assert device.process is not None
        async with asyncio.timeout(PATIENCE_S):
            assert await device.process.wait() == 0, device.said()
        await device.start("--simulate", "street-light")  # for the commands that are still to come
        await device.let_in()
        commands = await answered(house)
        assert await device.end(signal.SIGTERM) == 0, device.said()
        assert await numbers_recorded(house) == [(float(n), False) for n in range(READINGS)]
    finally:
        if device is not None:
            await device.end(signal.SIGKILL)
        await house.end()
    assert {one.state for one in commands} == {"acknowledged"}
    levels = sorted(one.result["level"] for one in commands)
    before = sorted(one.result["was"] for one in commands if one.result["was"] is not None)
    assert levels == [(n + 1) / ORDERS for n in range(ORDERS)]
    last = set(levels) - set(before)
    assert len(before) == ORDERS - 1 and len(last) == 1  # a chain: what one set, exactly one other found
    with Memory(folder, 1) as memory:
        assert memory.fact(DONE) == ORDERS
        assert memory.fact("level") == last.pop()
