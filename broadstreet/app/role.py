"""One role as a process of its own: `python -m broadstreet.app.role NAME`.

The settings come by the environment, the engines' addresses from the data folder. A role says that it is ready by
leaving its process id in `run/<name>.ready`, and ends in order at SIGTERM or SIGINT. What it composes stands in
app/<name>.py, as `serve(settings, addresses, call)`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import uvloop

from broadstreet.app.settings import Settings, from_environment
from broadstreet.engines import DataFolder, EngineAddresses, read_addresses, write_private
from broadstreet.model.errors import BroadstreetError, RoleFailed

ROLES = ("recorder", "gateway", "api")
"""In the order in which they start. They stop the other way round: first what takes in, then what records."""
LOG_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
EXIT_FAILED = 1
EXIT_USAGE = 2


class Call:
    """What the supervisor and a role say to each other."""

    def __init__(self, name: str, folder: DataFolder) -> None:
        self.name = name
        self.stopping = asyncio.Event()
        """Set when the role is to end."""
        self._path = ready_path(folder, name)

    def ready(self) -> None:
        """Say that the role serves."""
        write_private(self._path, str(os.getpid()).encode())

    async def during(self, work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
        """Let work that never ends by itself go on until the role is to end. What it raises is raised."""
        task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
                raise RoleFailed(f"the {self.name} has stopped working")
        finally:
            for ending in (task, stopping):
                ending.cancel()
            await asyncio.gather(task, stopping, return_exceptions=True)


Serve = Callable[[Settings, EngineAddresses, Call], Awaitable[None]]
"""A role: serves until `call.stopping` is set, then ends in order."""


def ready_path(folder: DataFolder, name: str) -> Path:
    """Where a role says that it is ready."""
    return folder.run / f"{name}.ready"


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us have: each connected device is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def run(name: str, settings: Settings) -> None:
    """Run a role until a signal ends it."""
    folder = DataFolder(settings.data_path)
    call = Call(name, folder)
    loop = asyncio.get_running_loop()
    for sent in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sent, call.stopping.set)
    serve: Serve = import_module(f"broadstreet.app.{name}").serve
    await serve(settings, read_addresses(folder.path), call)


def main() -> None:
    """The process. Its log goes where its standard error goes, with times in UTC."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S", stream=sys.stderr)
    # That PostgreSQL is away is said by the room that needs it, in a line; the driver adds a page to each.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
    if len(sys.argv) != 2 or sys.argv[1] not in ROLES:
        sys.exit(EXIT_USAGE)
    raise_file_limit()
    failures: list[BaseException] = []
    try:
        uvloop.run(run(sys.argv[1], from_environment(os.environ)))
    except* BroadstreetError as failed:  # alone, or of several tasks
        failures = list(leaves(failed))
    for failure in failures:
        logging.getLogger(__name__).critical("%s", failure)
    if failures:
        sys.exit(EXIT_FAILED)


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The errors themselves, without the groups around them."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main()
