"""Both engines together: started side by side, watched, stopped in order; or the city's own, looked at and used."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from types import TracebackType

from broadstreet.engines.addresses import EngineAddresses, last_addresses, write_addresses
from broadstreet.engines.city import check_nats, check_postgres
from broadstreet.engines.folder import DataFolder
from broadstreet.engines.keeper import Keeper
from broadstreet.engines.nats import NAME as NATS
from broadstreet.engines.nats import EmbeddedNats
from broadstreet.engines.postgres import NAME as POSTGRES
from broadstreet.engines.postgres import EmbeddedPostgres
from broadstreet.engines.together import together
from broadstreet.engines.user import engine_user
from broadstreet.model.errors import EngineFailed


class Engines:
    """PostgreSQL and NATS for one data folder, from `start` to `stop` or within `async with`.

    An engine given by URL is the city's own: it is checked, never started or stopped. Start them in the main thread.
    """

    def __init__(
        self,
        data_dir: Path,
        postgres_url: str | None = None,
        nats_url: str | None = None,
        *,
        chance: Random | None = None,
        restoring: bool = False,
    ) -> None:
        """
        chance:    chooses NATS's port; left out, one that differs from run to run.
        restoring: whether a folder that is being made of a backup may be started.
        """
        self._postgres_url = postgres_url
        self._nats_url = nats_url
        self._chance = chance or Random()
        self._restoring = restoring
        self._folder = DataFolder(data_dir, None if postgres_url and nats_url else engine_user())
        self._addresses: EngineAddresses | None = None
        self.keepers: dict[str, Keeper] = {}
        """The engines that run here, by name: `postgres`, `nats-server`."""

    @property
    def addresses(self) -> EngineAddresses:
        """Where they are. Raises EngineFailed before `start`."""
        if self._addresses is None:
            raise EngineFailed("the engines have not been started")
        return self._addresses

    @property
    def folder(self) -> DataFolder:
        """The data folder."""
        return self._folder

    @property
    def data_dir(self) -> Path:
        """The data folder's path."""
        return self._folder.path

    async def start(self) -> EngineAddresses:
        """Take the data folder, start both, leave their addresses for other processes. All or nothing."""
        self._folder.prepare(restoring=self._restoring)
        self._folder.lock()
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.stop)
            dsn, url = await together(self._start_postgres(), self._start_nats())
            self._addresses = EngineAddresses(dsn, url)
            write_addresses(self._folder, self._addresses)
            undo.pop_all()
        return self._addresses

    async def running(self) -> None:
        """Return when every engine that is kept here runs: at once, unless one is being started again."""
        for keeper in self.keepers.values():
            await keeper.ready()

    async def stop(self) -> None:
        """Stop what was started here and give the data folder back."""
        try:
            await asyncio.gather(*(keeper.stop() for keeper in self.keepers.values()))
        finally:
            self.keepers.clear()
            self._addresses = None
            self._folder.unlock()

    async def __aenter__(self) -> Engines:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start_postgres(self) -> str:
        if self._postgres_url:
            await check_postgres(self._postgres_url)
            return self._postgres_url
        server = EmbeddedPostgres(self._folder)
        await self._keep(Keeper(POSTGRES, server.start, server.stop, server.log_path))
        return server.dsn

    async def _start_nats(self) -> str:
        if self._nats_url:
            await check_nats(self._nats_url)
            return self._nats_url
        last = last_addresses(self._folder)
        server = EmbeddedNats(self._folder, self._chance, last.nats_url if last else None)
        await self._keep(Keeper(NATS, server.start, server.stop, server.log_path))
        return server.url

    async def _keep(self, keeper: Keeper) -> None:
        await keeper.start()
        self.keepers[keeper.name] = keeper
