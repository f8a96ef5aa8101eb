"""A disk that fills up: what would be written is refused in words, what is there is read, and it goes on by itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest

from broadstreet.access import Access
from broadstreet.app.clock import now_us
from broadstreet.app.settings import DiskSettings
from broadstreet.engines import read_status
from broadstreet.store import Store
from tests.absence import absent
from tests.crash.house import TrialHouse, free_port
from tests.crash.image import Image, can_mount
from tests.crash.load import Device, Load
from tests.crash.trial import acknowledged, nothing_waits, register, verdict_of
from tests.crash.verdict import TENANT

DISK_BYTES = 3_000_000_000
WATERMARK_BYTES = 300_000_000
LEFT_BYTES = 200_000_000
BEFORE = 1_000
PATIENCE_S = 60.0
LOOKS = 200
READ = "/ngsi-ld/v1/entities?type=https://example.org/CrashProbe"


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110  # what changes is in another process
            await asyncio.sleep(0.05)


async def token_of(house: TrialHouse) -> str:
    """A token of one who may read."""
    async with await Store.connect(house.addresses.postgres_dsn) as store:
        access = Access(store.control, now_us)
        await access.accounts.create("reader", "Reader", tenant=TENANT, roles=["viewer"], by="test")
        return (await access.tokens.issue("reader", "api", "test", 3_600, by="test")).secret


def fill(place: Path) -> Path:
    """Leave less room than is kept free."""
    filler = place / "filler"
    free = os.statvfs(place)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - LEFT_BYTES)
    return filler


def last_words(data_path: Path) -> str:
    """The end of each process's log."""
    return "\n".join(f"{path.name}: {path.read_text()[-2_000:]}" for path in sorted((data_path / "logs").glob("*.log")))


async def look_when_full(house: TrialHouse, load: Load, device: Device, token: str) -> None:
    """Readings are refused, by MQTT and HTTP; what was recorded is read."""
    await until(lambda: any(one.refused for one in load.devices))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.settings.http.port}") as client:
        # Each process looks at the disk once a second: the one that takes HTTP may see it a little later.
        for _ in range(LOOKS):
            refused = await client.post("/v1/readings", json={"v": -1.5}, auth=(device.id, device.secret))
            if refused.status_code == 507:
                break
            await asyncio.sleep(0.1)
        assert refused.status_code == 507, refused.text
        assert "left on the disk" in refused.text
        read = await client.get(READ, headers={"authorization": f"Bearer {token}"})
        assert read.status_code == 200, read.text
        assert read.json()
        assert (await client.get("/ready")).status_code == 200


@pytest.mark.timeout(240)
async def test_a_full_disk_refuses_and_recovers(data_dir: Path) -> None:
    if not can_mount():
        pytest.skip(absent("an image of a disk cannot be mounted here: it takes root and loop devices"))
    image = Image(data_dir, DISK_BYTES)
    image.mount()
    house = TrialHouse(image.place / "data", free_port)
    house.settings = msgspec.structs.replace(house.settings, disk=DiskSettings(watermark_bytes=WATERMARK_BYTES))
    try:
        await house.up()
        devices = await register(house.addresses.postgres_dsn)
        token = await token_of(house)
        load = Load(devices, house.settings.mqtt.port)
        load.start()
        await acknowledged(load, BEFORE)
        before = read_status(house.settings.data_path)
        filler = fill(image.place)
        await look_when_full(house, load, devices[0], token)
        filler.unlink()
        await acknowledged(load, load.acknowledged + BEFORE)
        load.publishing = False
        await nothing_waits(load)
        await load.stop()
        after = read_status(house.settings.data_path)
        assert after == before, last_words(house.settings.data_path)  # the same processes
        verdict = await verdict_of(house, devices)
        assert (verdict.lost, verdict.words) == (0, ())
    finally:
        await house.end()
        image.unmount()
