"""The supervisor: engines, migrations, then one process a role; what dies is started again.

It holds nothing that could be lost: killed itself, it takes every process with it (they are on a leash), and the next
start finds everything in the data folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from broadstreet.app.acme import prepare_certificate, wanted
from broadstreet.app.clock import now_us
from broadstreet.app.draining import recorded
from broadstreet.app.edges import write_edges
from broadstreet.app.notice import READY, STOPPING, Notice
from broadstreet.app.preparation import prepare_log, prepare_store
from broadstreet.app.role import ROLES, Said, listen, said_path
from broadstreet.app.settings import Settings, to_environment
from broadstreet.engines import Child, Engines, HouseStatus, Keeper, status_of, together, write_status
from broadstreet.model.errors import BroadstreetError, InvalidInput, RoleFailed

READY_S = 60.0
POLL_S = 0.02
STOP_S = 15.0
"""How long a role may take to end in order."""
RECORDER = "recorder"
RECORD_S = 20.0
"""How long the recorder may take to apply what was taken in before a stop."""
T = TypeVar("T")
Step = Callable[[str, float], None]
"""Told of each step of a start when it is done: what it was, and how long it took in seconds."""
logger = logging.getLogger(__name__)


class House:
    """Everything that runs for one data folder, from `start` to `stop` or within `async with`."""

    def __init__(
        self, settings: Settings, roles: Sequence[str] = ROLES, on_step: Step = lambda what, took_s: None
    ) -> None:
        """roles: those to run here, of `ROLES`. Raises InvalidInput for another one."""
        for name in roles:
            if name not in ROLES:
                raise InvalidInput(f"there is no role {name!r}", where="roles", remedy=f"Choose of {', '.join(ROLES)}.")
        self.settings = settings
        self.engines = Engines(
            settings.data_path, settings.engines.postgres_url or None, settings.engines.nats_url or None
        )
        self._roles = [name for name in ROLES if name in roles]
        self._keepers: dict[str, Keeper] = {}
        self._on_step = on_step
        self._complete = False

    async def start(self) -> None:
        """Start everything; return when every role is ready. All or nothing."""
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.stop)
            wanted(self.settings)  # said before anything is started, if it cannot be
            addresses = await self._step("engines", self.engines.start())
            await self._step("schema", prepare_store(self.settings, addresses))
            await self._step("streams", prepare_log(self.settings, addresses))
            prepare_certificate(self.settings, now_us())
            await together(*(self._step(name, self._start_role(name)) for name in self._roles))
            undo.pop_all()
        self._complete = True
        write_edges(self.engines.folder, self.settings)
        for keeper in (*self.engines.keepers.values(), *self._keepers.values()):
            keeper.on_change = self._tell
        self._tell()

    async def stop(self) -> None:
        """Stop everything: what takes in; what records, once it has recorded that; the engines."""
        was_complete, self._complete = self._complete, False
        try:
            for name in reversed(self._roles):
                if name in self._keepers:
                    if name == RECORDER and was_complete:
                        await self._recorded()
                    await self._keepers.pop(name).stop()
        finally:
            await self.engines.stop()

    async def _recorded(self) -> None:
        """Let the recorder come to the end of the log, for a while: what is left waits for the next start."""
        try:
            if not await recorded(self.engines.addresses, RECORD_S):
                logger.warning("not everything is applied after %.0f s; it is when the house starts again", RECORD_S)
        except BroadstreetError as error:
            logger.warning("whether everything is applied cannot be told: %s", error)

    async def run(self, on_ready: Callable[[], Awaitable[None]]) -> None:
        """Start, serve until SIGINT, SIGTERM or SIGHUP, stop. `on_ready` runs meanwhile; a signal ends it, too."""
        interrupted, notice = asyncio.Event(), Notice(os.environ)
        loop = asyncio.get_running_loop()
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(sent, interrupted.set)

        async def serve() -> None:
            await self.start()
            try:
                await notice.tell(READY)
                await asyncio.gather(on_ready(), notice.live())
                await asyncio.Event().wait()
            finally:
                await notice.tell(STOPPING)
                await self._step("stop", self.stop())

        serving, waiting = asyncio.create_task(serve()), asyncio.create_task(interrupted.wait())
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if interrupted.is_set():
            serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    async def __aenter__(self) -> House:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def status(self) -> HouseStatus:
        """What runs now."""
        engines = [status_of(keeper) for keeper in self.engines.keepers.values()]
        roles = [status_of(self._keepers[name]) for name in self._roles if name in self._keepers]
        ready = self._complete and all(process.pid is not None for process in (*engines, *roles))
        return HouseStatus(os.getpid(), ready, engines, roles)

    def _tell(self) -> None:
        """Leave word of what runs. What dies is started again even where there is no room for a word."""
        if self._complete:
            try:
                write_status(self.engines.folder, self.status())
            except OSError as error:
                logger.warning("what runs cannot be written down: %s", error)

    async def _step(self, what: str, work: Coroutine[Any, Any, T]) -> T:
        began_s = time.monotonic()
        result = await work
        self._on_step(what, time.monotonic() - began_s)
        return result

    async def _start_role(self, name: str) -> None:
        log_path = self.engines.folder.logs / f"{name}.log"
        keeper = Keeper(name, partial(self._spawn_role, name), stop_role, log_path)
        await keeper.start()
        self._keepers[name] = keeper

    async def _spawn_role(self, name: str) -> Child:
        """A role's process that has said it is ready. Raises RoleFailed with its last words."""
        await self.engines.running()
        folder = self.engines.folder
        said_path(folder, name).unlink(missing_ok=True)
        child = await Child.spawn_module(
            name,
            "broadstreet.app.role",
            name,
            log_path=folder.logs / f"{name}.log",
            env=os.environ | to_environment(self.settings),
        )
        try:
            deadline = asyncio.get_running_loop().time() + READY_S
            while (said := listen(folder, name)) is None or said.message:
                if child.exit_code is not None:
                    raise failure(child, said, folder.logs / f"{name}.log")
                if asyncio.get_running_loop().time() > deadline:
                    raise RoleFailed(f"the {name} was not ready within {READY_S:.0f} s")
                await asyncio.sleep(POLL_S)
        except BaseException:
            await child.stop()
            raise
        return child


def failure(child: Child, said: Said | None, log_path: Path) -> RoleFailed:
    """Why a role did not start: its own word, else the last line of its log."""
    if said is not None:
        return RoleFailed(said.message, where=said.where, remedy=said.remedy)
    words = child.words().splitlines() or [f"it ended with {child.exit_code}"]
    return RoleFailed(f"the {child.name} did not start: {words[-1]}", where=str(log_path))


async def stop_role(child: Child) -> None:
    """End a role's process in order."""
    await child.stop((signal.SIGTERM, STOP_S))
