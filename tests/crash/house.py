"""The house under trial: `broadstreet up` as a process of its own, killed and watched from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from broadstreet.app.settings import Http, Mqtt, Settings, to_environment
from broadstreet.engines import EngineAddresses, HouseStatus, read_addresses, read_status

PATIENCE_S = 120.0
POLL_S = 0.01
COMMAND = (sys.executable, "-c", "from broadstreet.cli import main; main()", "up")


class TrialHouse:
    """One house in one data folder."""

    def __init__(self, data_dir: Path, port_of: Callable[[], int]) -> None:
        self.settings = Settings(data_dir=str(data_dir), mqtt=Mqtt(port=port_of()), http=Http(port=port_of()))
        self._supervisor: asyncio.subprocess.Process | None = None
        self._log = data_dir.with_name("supervisor.log")

    @property
    def addresses(self) -> EngineAddresses:
        """Where its engines are."""
        return read_addresses(self.settings.data_path)

    async def up(self) -> None:
        """Start it and return when it is ready."""
        with self._log.open("ab") as log:
            self._supervisor = await asyncio.create_subprocess_exec(
                *COMMAND, env=os.environ | to_environment(self.settings), stdout=log, stderr=log
            )
        await self.ready_but({})

    async def down(self) -> None:
        """Stop it in order; return when every process of it is gone."""
        assert self._supervisor is not None
        with suppress(ProcessLookupError):
            self._supervisor.send_signal(signal.SIGTERM)
        assert await self._supervisor.wait() == 0, self._log.read_text()

    async def end(self) -> None:
        """Stop it, however it is; its engines and roles go with it."""
        if self._supervisor is not None and self._supervisor.returncode is None:
            try:
                async with asyncio.timeout(PATIENCE_S / 2):  # within what a test may take: its own end came already
                    await self.down()
            finally:
                with suppress(ProcessLookupError):
                    self._supervisor.kill()

    async def kill(self, targets: tuple[str, ...]) -> dict[str, int]:
        """Kill processes of it in one moment, without warning; which they were, by name."""
        victims = {name: pid for name, pid in self._processes().items() if name in targets}
        families = [psutil.Process(pid).children(recursive=True) for name, pid in victims.items() if name == "postgres"]
        for pid in (*victims.values(), *(process.pid for family in families for process in family)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if "supervisor" in victims:
            assert self._supervisor is not None
            await self._supervisor.wait()
        return victims

    def pid_of(self, name: str) -> int | None:
        """The process id of a part that runs."""
        return self._processes().get(name)

    async def ready_but(self, former: dict[str, int]) -> None:
        """Return when everything is ready, and none of the former processes is what runs now."""
        async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient() as client:
            while True:
                status = self._status()
                if status is not None and status.ready and not self._processes().items() & former.items():
                    with suppress(httpx.TransportError):
                        if (await client.get(f"http://127.0.0.1:{self.settings.http.port}/ready")).status_code == 200:
                            return
                if self._supervisor is not None and self._supervisor.returncode is not None:
                    raise AssertionError(f"the supervisor has ended: {self._log.read_text()}")
                await asyncio.sleep(POLL_S)

    async def recover(self, victims: dict[str, int]) -> None:
        """Return when what was killed is ready again; a killed supervisor is started again."""
        if "supervisor" in victims:
            await self.up()
        else:
            await self.ready_but(victims)

    def _status(self) -> HouseStatus | None:
        status = read_status(self.settings.data_path)
        mine = self._supervisor is not None and status is not None and status.supervisor_pid == self._supervisor.pid
        return status if mine else None

    def _processes(self) -> dict[str, int]:
        status = self._status()
        if status is None:
            return {}
        kept = {process.name: process.pid for process in (*status.engines, *status.roles) if process.pid is not None}
        return {"supervisor": status.supervisor_pid, **kept}


def free_port() -> int:
    """A port nobody listens on, below those that outgoing connections are given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
