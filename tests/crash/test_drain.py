"""A house under load is ended in order: all that was acknowledged is recorded, clients are told, systemd is told."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from broadstreet.app.settings import Settings, to_environment
from broadstreet.engines import Engines
from broadstreet.log import Log
from broadstreet.mqtt import Connect, Decoder, Disconnect, Version, encode
from broadstreet.store import Store
from tests.crash.house import TrialHouse, free_port
from tests.crash.load import Device, Load
from tests.crash.trial import AFTER_RECOVERY, acknowledged, nothing_waits, register, verdict_of
from tests.crash.verdict import TENANT

BEFORE = 5_000
SHUTTING_DOWN = 0x8B
DRAIN = (sys.executable, "-c", "from broadstreet.cli import main; main()", "drain", "--within", "60")


@pytest.fixture
def notices(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What systemd was told, which reads as it comes."""
    heard: list[bytes] = []
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind(str(data_dir / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(data_dir / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        reader = threading.Thread(target=lambda: heard.extend(iter(lambda: listening.recv(100), b"")))
        reader.start()
        yield heard
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as last:
            last.sendto(b"", str(data_dir / "notify"))
        reader.join()


async def last_word(port: int, device: Device) -> Disconnect:
    """Connect as a device of MQTT 5 and stay; what it is told at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    hello = Connect("onlooker", Version.V5, clean_start=True, username=device.id, password=device.secret.encode())
    writer.write(encode(hello, Version.V5))
    decoder = Decoder(Version.V5)
    while data := await reader.read(4096):
        decoder.feed(data)
        while (packet := decoder.next()) is not None:
            if isinstance(packet, Disconnect):
                writer.close()
                return packet
    raise AssertionError("it was told nothing")


def drain(settings: Settings) -> int:
    """Run the command; its status."""
    environment = os.environ | to_environment(settings)
    return subprocess.run(DRAIN, env=environment, capture_output=True, check=False).returncode


async def left_over(house: TrialHouse) -> int:
    """How many packs are in the log and not applied, with the engines alone."""
    async with (
        Engines(house.settings.data_path) as engines,
        await Store.connect(engines.addresses.postgres_dsn) as store,
        await Log.connect(engines.addresses.nats_url) as log,
    ):
        rows = await (await store.tenant(TENANT)).fetch("SELECT partition, sequence FROM cursor")
        assert rows
        return sum([await log.count_raw(TENANT, row["partition"], row["sequence"]) for row in rows])


@pytest.mark.timeout(240)
async def test_a_drain_loses_nothing(data_dir: Path, notices: list[bytes]) -> None:
    house = TrialHouse(data_dir / "data", free_port)
    try:
        assert await asyncio.to_thread(drain, house.settings) == 3  # there is none
        await house.up()
        devices = await register(house.addresses.postgres_dsn)
        spare = devices.pop()
        load = Load(devices, house.settings.mqtt.port)
        load.start()
        try:
            onlooker = asyncio.create_task(last_word(house.settings.mqtt.port, spare))
            await acknowledged(load, BEFORE)
            assert await asyncio.to_thread(drain, house.settings) == 0
            assert (await onlooker).reason == SHUTTING_DOWN
            assert notices[0] == b"READY=1"
            assert notices[-1] == b"STOPPING=1"
            assert b"WATCHDOG=1" in notices
            assert await left_over(house) == 0
            await house.down()
            await house.up()
            await acknowledged(load, load.acknowledged + AFTER_RECOVERY)
            load.publishing = False
            await nothing_waits(load)
        finally:
            await load.stop()
        verdict = await verdict_of(house, devices)
        assert verdict.words == ()
        assert (verdict.lost, verdict.duplicated) == (0, 0)
    finally:
        await house.end()
