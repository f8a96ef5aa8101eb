"""A gateway in a process of its own, which can be killed: `python -m tests.contract.mqtt_process DSN NATS NAME FOLDER`.

It says its port on standard output.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from broadstreet.access import Access
from broadstreet.apis import Services
from broadstreet.devices import Registry
from broadstreet.log import Log
from broadstreet.store import Store
from tests.contract.mqtt_site import ANSWER_S, now_us, open_gateway


class GatewayProcess:
    """A gateway elsewhere."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def kill(self) -> None:
        """End it without a word."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()  # and let go of what it said


@asynccontextmanager
async def gateway_process(dsn: str, nats_url: str, name: str, folder: Path) -> AsyncIterator[GatewayProcess]:
    """A gateway in a process of its own, at work."""
    arguments = (sys.executable, "-m", __name__, dsn, nats_url, name, str(folder))
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(2 * ANSWER_S):
        running = GatewayProcess(process, int(await process.stdout.readline()))
    try:
        yield running
    finally:
        await running.kill()


async def main(dsn: str, nats_url: str, name: str, folder: str) -> None:
    """Take connections until killed."""
    async with await Store.connect(dsn) as store, await Log.connect(nats_url) as log:
        services = Services(store, log, Access(store.control, now_us), Registry(store), now_us)
        async with open_gateway(services, Path(folder), name=name) as gateway:
            sys.stdout.write(f"{gateway.listener.port}\n")
            sys.stdout.flush()
            await gateway.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
