"""The supervisor: what it starts, restarts and stops, and what it leaves behind when it is killed: nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest

from broadstreet.app.house import House
from broadstreet.app.settings import DiskSettings, EngineSettings, Http, Mqtt, Settings, to_environment
from broadstreet.engines import Engines, HouseStatus, read_status
from broadstreet.model.errors import EngineFailed, InvalidInput, RoleFailed

FreePort = Callable[[], int]
PATIENCE_S = 60.0


@pytest.fixture
def settings(data_dir: Path, free_port: FreePort) -> Settings:
    """Settings of a house of its own."""
    return Settings(
        data_dir=str(data_dir),
        mqtt=Mqtt(port=free_port()),
        http=Http(port=free_port()),
        disk=DiskSettings(watermark_bytes=1_000_000),
    )


@pytest.fixture
def guest(settings: Settings, engines: Engines, postgres_dsn: str, nats_url: str) -> Settings:
    """Settings of a house on engines that run already."""
    return msgspec.structs.replace(settings, engines=EngineSettings(postgres_dsn, nats_url))


async def until(happened: Callable[[], bool]) -> None:
    """Wait for what must happen; how long it takes is not asserted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if happened():
                return
            await asyncio.sleep(0.02)


async def answers(settings: Settings, path: str) -> int:
    """The status with which the house's HTTP answers, once it does."""
    async with httpx.AsyncClient() as client, asyncio.timeout(PATIENCE_S):
        while True:
            try:
                answer = await client.get(f"http://127.0.0.1:{settings.http.port}{path}")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return answer.status_code


def pids(status: HouseStatus | None) -> dict[str, int]:
    """The processes of a house by name."""
    assert status is not None
    return {process.name: process.pid for process in (*status.engines, *status.roles) if process.pid}


def gone(processes: dict[str, int]) -> bool:
    return not any(psutil.pid_exists(pid) for pid in processes.values())


async def test_a_killed_role_comes_back_alone(guest: Settings) -> None:
    async with House(guest, ["recorder", "api"]) as house:
        before = pids(read_status(guest.data_path))
        assert set(before) == {"recorder", "api"}
        assert await answers(guest, "/ready") == 200
        os.kill(before["api"], signal.SIGKILL)
        await until(lambda: house.status().ready and pids(house.status())["api"] != before["api"])
        assert await answers(guest, "/ready") == 200
        told = read_status(guest.data_path)
        assert told == house.status()
        assert told is not None
        assert {role.name: role.restarts for role in told.roles} == {"recorder": 0, "api": 1}
        assert pids(told)["recorder"] == before["recorder"]
        after = pids(told)
    assert gone(after)
    assert read_status(guest.data_path) is None


async def test_a_used_port_is_said_and_nothing_is_left(guest: Settings) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", guest.http.port))
        squatter.listen()
        with pytest.raises(RoleFailed, match=f"^cannot listen at 127.0.0.1 port {guest.http.port}"):
            await House(guest, ["recorder", "api"]).start()
    assert not [p for p in psutil.Process().children() if "broadstreet.app.role" in p.cmdline()]
    async with House(guest, ["api"]):
        assert await answers(guest, "/health") == 200


def test_an_unknown_role_is_refused(settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="no role 'gatway'"):
        House(settings, ["gatway"])


@asynccontextmanager
async def up(settings: Settings, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`broadstreet up` as a process of its own, ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from broadstreet.cli import main; main()", "up", *options),
        env=os.environ | to_environment(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while not (line := await process.stdout.readline()).startswith(b"Ready."):
                assert line, (await process.communicate())[1].decode()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
async def test_up_serves_until_told_to_stop(settings: Settings, sent: signal.Signals) -> None:
    async with up(settings, "--roles", "recorder,api") as process:
        running = pids(read_status(settings.data_path))
        assert set(running) == {"postgres", "nats-server", "recorder", "api"}
        assert await answers(settings, "/ready") == 200
        with pytest.raises(EngineFailed, match=f"process {process.pid}"):
            await House(settings).start()
        process.send_signal(sent)
        assert await process.wait() == 0
    assert gone(running)


async def test_nothing_outlives_a_killed_supervisor(settings: Settings) -> None:
    async with up(settings, "--roles", "recorder,api") as process:
        running = pids(read_status(settings.data_path))
        process.kill()
        await process.wait()
        await until(lambda: gone(running))
    async with up(settings, "--roles", "api"):
        assert await answers(settings, "/ready") == 200
