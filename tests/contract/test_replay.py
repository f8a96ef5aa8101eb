"""A replay through a gateway and a recorder: what devices say is what an import would have stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from broadstreet.apis import Services
from broadstreet.app.clock import now_us
from broadstreet.devices import lend_secrets
from broadstreet.devices.loan import LONGEST_LOAN_S
from broadstreet.importer import Pace, Replay, prepare
from broadstreet.model.errors import InvalidInput, NotFound, Unavailable
from broadstreet.mqtt.client import Client
from broadstreet.recorder import Recorder
from tests.contract.conftest import Clock
from tests.contract.desk import ADMINISTRATOR, AS_DEVICES, MAPPING, NOW_US, TABLE, Desk, open_desk
from tests.contract.mqtt_site import PARTITIONS, open_gateway
from tests.contract.portal_house import AIR, air


@pytest.fixture
async def desk(city_dsn: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(city_dsn, tmp_path) as opened:
        yield opened


async def _replay(
    services: Services, folder: Path, file: Path, mapping: str, pace: Pace, clock: Callable[[], int]
) -> Replay:
    """Send a file through a gateway, and wait until a recorder has applied it."""
    city = await services.store.tenant("city")
    recording = asyncio.create_task(Recorder(services.log, services.store, range(PARTITIONS)).run())
    try:
        async with open_gateway(services, folder) as gateway:
            replay = Replay(
                services.store,
                city,
                prepare(file, mapping),
                pace,
                host="127.0.0.1",
                port=gateway.listener.port,
                principal=ADMINISTRATOR,
                clock=clock,
            )
            await replay.run()
        for _ in range(600):
            heard = await city.fetchval("SELECT coalesce(sum(messages), 0) FROM heard")
            if heard >= replay.totals.acknowledged:
                return replay
            await asyncio.sleep(0.05)
        raise AssertionError(f"only {heard} of {replay.totals} were recorded")
    finally:
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)


async def test_a_replay_stores_what_an_import_would(services: Services, data_dir: Path, tmp_path: Path) -> None:
    city = await services.store.tenant("city")
    desk = Desk(services.store, city, tmp_path)
    desk.write("places.csv", "id,street,lat,lon\na,Oak Street,52.5,13.4\nb,Elm Street,52.6,13.5\n")
    rows = [f"2026-01-01T{n // 60:02}:{n % 60:02},{name},{n / 7},s{n % 3}" for n in range(300) for name in "ab"]
    file = desk.write("air.csv", "\n".join(["at,id,no2,status", *rows, "2026-01-02T00:00,a,-1,fine"]))
    mapping = AS_DEVICES.replace('unit = "GQ"', 'unit = "GQ"\nscale = 0.1\noffset = 3.0')
    replay = await _replay(services, data_dir, file, mapping, Pace(0), now_us)
    assert (replay.totals.messages, replay.totals.acknowledged, replay.totals.devices) == (601, 601, 2)
    assert (replay.totals.refused, replay.totals.rejected) == (0, 0)
    sent = await desk.past()
    assert len(sent) == 1_202
    assert await city.fetchval("SELECT count(*) FROM device") == 2
    assert await services.store.control.fetchval("SELECT count(*) FROM device_loan") == 0
    report = await desk.take_in(file, mapping)
    assert (report.totals.accepted, report.totals.repeated) == (1_202, 1_202)
    assert await desk.past() == sent


async def test_a_replay_leaves_devices_their_secrets(services: Services, data_dir: Path, tmp_path: Path) -> None:
    city = await services.store.tenant("city")
    desk = Desk(services.store, city, tmp_path)
    desk.write("places.csv", "id,street,lat,lon\na,Oak Street,52.5,13.4\n")
    file = desk.write("air.csv", "at,id,no2,status\n2026-01-01T00:00,a,1,fine")
    await desk.take_in(file, AS_DEVICES)
    secret = await services.registry.rotate_secret(city, "air-a")
    async with open_gateway(services, data_dir, name="gateway-u") as gateway:
        own = Client("127.0.0.1", gateway.listener.port, client_id="air-a", username="air-a", password=secret)
        async with own:
            for _ in range(2):
                replay = Replay(
                    services.store,
                    city,
                    prepare(file, AS_DEVICES),
                    Pace(0),
                    host="127.0.0.1",
                    port=gateway.listener.port,
                    principal=ADMINISTRATOR,
                    clock=now_us,
                )
                assert (await replay.run()).acknowledged == 1
            assert own.is_connected
    assert await services.registry.authenticate("air-a", secret, at_us=now_us()) is not None


async def test_a_loan_ends_with_its_block_or_its_time(services: Services, clock: Clock) -> None:
    city, registry = await services.store.tenant("city"), services.registry
    await registry.register_profile(city, AIR, principal="test", at_us=clock())
    spec = air("a-1", secret="the device's own good secret")
    await registry.register(city, spec, principal="test", at_us=clock())
    async with lend_secrets(services.store, city, ["a-1"], clock) as secrets:
        assert await registry.authenticate("a-1", secrets["a-1"], at_us=clock()) is not None
        assert await registry.authenticate("a-1", "the device's own good secret", at_us=clock()) is not None
        assert await registry.authenticate("a-1", "another secret of that length", at_us=clock()) is None
        clock.forward(LONGEST_LOAN_S)
        assert await registry.authenticate("a-1", secrets["a-1"], at_us=clock()) is None
        async with lend_secrets(services.store, city, ["a-1"], clock) as others:
            await registry.disable(city, "a-1", clock())
            assert await registry.authenticate("a-1", others["a-1"], at_us=clock()) is None
            assert await services.store.control.fetchval("SELECT count(*) FROM device_loan") == 1, "the old one is gone"
    assert await services.store.control.fetchval("SELECT count(*) FROM device_loan") == 0
    harbour = await services.store.tenant("harbour")
    with pytest.raises(NotFound, match="no device 'a-1'"):
        async with lend_secrets(services.store, harbour, ["a-1"], clock):
            raise AssertionError("another tenant's device is none")


async def test_a_slice_is_moved_to_now_and_paced(services: Services, data_dir: Path, tmp_path: Path) -> None:
    city = await services.store.tenant("city")
    desk = Desk(services.store, city, tmp_path)
    desk.write("places.csv", "id,street,lat,lon\na,Oak Street,52.5,13.4\n")
    rows = [f"2026-01-01T00:{n:02}:00,a,{n},ok" for n in range(60)]
    file = desk.write("air.csv", "\n".join(["at,id,no2,status", *rows]))
    began_us = time.time_ns() // 1_000
    pace = Pace(6_000, shift_to_now=True, limit=11)
    replay = await _replay(services, data_dir, file, AS_DEVICES, pace, lambda: began_us)
    assert replay.totals.acknowledged == 11
    numbers = [row for row in await desk.past() if row[1] == "NO2"]
    assert [row[3] for row in numbers] == [float(n) for n in range(11)]
    times = np.array([row[2] for row in numbers])
    assert set(np.diff(times)) == {60_000_000}
    assert times[-1] == began_us + 100_000  # ten minutes, six thousand times as fast


def test_no_time_lies_ahead_of_its_moment_of_sending() -> None:
    first_us, last_us, now_us = 1_000_000_000, 5_000_000_000, 9_000_000_000
    for speed in (0, 0.5, 1, 2, 600):
        pace = Pace(speed, shift_to_now=True)
        shift_us = pace.shift_us(first_us, last_us, now_us)
        for at_us in (first_us, 2_500_000_000, last_us):
            sent_us = now_us + pace.sent_after_s(at_us - first_us) * 1e6
            assert at_us + shift_us <= sent_us + 1
    assert Pace(5).shift_us(first_us, last_us, now_us) == 0
    for wrong in ({"speed": -1}, {"speed": 1, "limit": 0}):
        with pytest.raises(InvalidInput):
            Pace(**wrong)  # type: ignore[arg-type]  # a limit of nothing, and time that runs backwards


async def test_a_replay_needs_devices_and_a_listener(desk: Desk, free_port: Callable[[], int]) -> None:
    def replay(mapping: str) -> Replay:
        return Replay(
            desk.store,
            desk.database,
            prepare(desk.folder / "air.csv", mapping),
            Pace(0),
            host="127.0.0.1",
            port=free_port(),
            principal=ADMINISTRATOR,
            clock=lambda: NOW_US,
        )

    desk.write("air.csv", TABLE)
    with pytest.raises(InvalidInput) as refused:
        replay(MAPPING)
    assert refused.value.where == "sensor.device"
    desk.write("places.csv", "id,street,lat,lon\na,Oak Street,52.5,13.4\n")
    with pytest.raises(InvalidInput, match="3 sensors make no device"):
        await replay(AS_DEVICES).run()
    desk.write("places.csv", "id,street,lat,lon\na,x,52.5,13.4\nb,y,52.6,13.5\n")
    desk.write("air.csv", "\n".join(TABLE.splitlines()[:3]))
    with pytest.raises(Unavailable, match="no MQTT server"):
        await replay(AS_DEVICES).run()
