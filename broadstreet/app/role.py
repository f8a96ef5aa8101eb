"""One role as a process of its own: `python -m broadstreet.app.role NAME`.

The settings come by the environment, the engines' addresses from the data folder. A role says in `run/<name>.said`
that it is ready, or why it cannot go on, and ends in order at SIGTERM or SIGINT. What it composes stands in
app/<name>.py, as `serve(settings, addresses, call)`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from broadstreet.app.logs import write_logs
from broadstreet.app.settings import Settings, from_environment
from broadstreet.engines import DataFolder, EngineAddresses, read_addresses, write_private
from broadstreet.log.ending import end
from broadstreet.model.errors import BroadstreetError, RoleFailed

ROLES = ("recorder", "notifier", "gateway", "api")
"""In the order in which they start. They stop the other way round: first what takes in, then what records."""
MAX_FILES = 65_536
COLLECT_AFTER = 20_000
EXIT_FAILED = 1
EXIT_USAGE = 2


class Said(msgspec.Struct, frozen=True):
    """A role's word: it is ready, or, with a message, it cannot go on."""

    pid: int
    message: str = ""
    where: str | None = None
    remedy: str | None = None


def said_path(folder: DataFolder, name: str) -> Path:
    """Where a role leaves its word."""
    return folder.run / f"{name}.said"


def say(folder: DataFolder, name: str, error: BroadstreetError | None = None) -> None:
    """Leave this process's word: it is ready, or what is wrong."""
    said = Said(os.getpid(), error.message, error.where, error.remedy) if error else Said(os.getpid())
    write_private(said_path(folder, name), msgspec.json.encode(said))


def listen(folder: DataFolder, name: str) -> Said | None:
    """A role's word, if it has left one."""
    path = said_path(folder, name)
    return msgspec.json.decode(path.read_bytes(), type=Said) if path.exists() else None


class Call:
    """What the supervisor and a role say to each other."""

    def __init__(self, name: str, folder: DataFolder) -> None:
        self.name = name
        self.stopping = asyncio.Event()
        """Set when the role is to end."""
        self._folder = folder

    def ready(self) -> None:
        """Say that the role serves."""
        leave_alone()
        say(self._folder, self.name)

    async def during(self, work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
        """Let work that never ends by itself go on until the role is to end. What it raises is raised."""
        task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
                raise RoleFailed(f"the {self.name} has stopped working")
        finally:
            await end((task, stopping))


def leave_alone() -> None:
    """Keep the collector of cycles from what is there now, which stays until the process ends.

    Looking through the modules' own 130,000 objects took 35 ms each time, and whoever asked just then waited for it.
    What comes afterwards is looked through after every COLLECT_AFTER objects: a batch of entities makes tens of
    thousands that no cycle holds, and a tenth of its time went into looking for one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


Serve = Callable[[Settings, EngineAddresses, Call], Awaitable[None]]
"""A role: serves until `call.stopping` is set, then ends in order."""


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us have, up to MAX_FILES: each connected device is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= MAX_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, hard))
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))  # root may
    except (ValueError, OSError):
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
    if len(sys.argv) != 2 or sys.argv[1] not in ROLES:
        sys.exit(EXIT_USAGE)
    raise_file_limit()
    name, settings = sys.argv[1], from_environment(os.environ)
    write_logs(name, settings.logging.format)
    failures: list[BroadstreetError] = []
    try:
        uvloop.run(run(name, settings))
    except* BroadstreetError as failed:  # alone, or of several tasks
        failures = list(leaves(failed))
    for failure in failures:
        logging.getLogger(__name__).critical("%s", failure)
    if failures:
        say(DataFolder(settings.data_path), name, failures[0])
        sys.exit(EXIT_FAILED)


def leaves(group: BaseExceptionGroup[BroadstreetError]) -> Iterator[BroadstreetError]:
    """The errors themselves, without the groups around them."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main()
