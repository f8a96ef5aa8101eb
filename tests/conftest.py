"""Real engines for every test that needs them: PostgreSQL and NATS from the wheels, started once a worker.

Fixtures to use:

    engines       both engines, running for the whole session (one pair per pytest-xdist worker)
    postgres_dsn  the owner's DSN of an empty database, new for each test and dropped after it; roles belong to the
                  whole server and stay for the worker's other tests
    city_dsn      the same, of a database with the newest schema and the tenant `city`
    databases     makes such databases, with the tenants one names, for fixtures of another scope
    nats_url      the URL of a NATS server that holds no stream: they are deleted after each test
    data_dir      an empty folder with a short path, removed afterwards
    free_port     a function that gives a port of the loopback nothing listens on
    shared_data   the folder of real data sets; the test is skipped where it is absent

Async tests and fixtures need no mark: anyio runs them (`anyio_mode = auto`), in one uvloop per worker, so that what a
session fixture started goes on living through the tests.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import nats
import pytest

from broadstreet.engines import Engines
from broadstreet.store import create_tenant, migrate
from tests.absence import absent
from tests.hangs import Hangs

SHARED_DATA = Path(os.environ.get("BROADSTREET_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


ASYNC_LIMIT_S = 150
"""An async test that takes longer fails. pytest-timeout's own end comes later, and ends the process of the test."""
TOLD_AFTER_S = 165
"""By then a test hangs where its limit does not reach: in a fixture, or in what swallows a cancellation."""

hangs = pytest.StashKey[Hangs]()


def pytest_configure(config: pytest.Config) -> None:
    # A command started by its name takes the code that is installed, and its processes that of the folder they start
    # in: where these are two copies, one migrates and the other asks for tables that are not there.
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    config.stash[hangs] = Hangs(os.dup(2))  # before output is captured: what a process holds when it dies is lost


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Say where a test or one of its fixtures hangs."""
    with item.config.stash[hangs].told_after(TOLD_AFTER_S, item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """End an async test that hangs, and say where it waits."""
    test = pyfuncitem.obj
    if inspect.iscoroutinefunction(test) and not hasattr(test, "hypothesis"):

        @functools.wraps(test)
        async def within_limit(**given: object) -> None:
            pyfuncitem.config.stash[hangs].loop = asyncio.get_running_loop()
            async with asyncio.timeout(ASYNC_LIMIT_S):
                await test(**given)

        pyfuncitem.obj = within_limit
    return (yield)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop of every async test: uvloop, as in production."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def session_dir() -> Iterator[Path]:
    """A folder for this worker's engines. Not pytest's own, whose long path a Unix socket has no room for."""
    path = Path(tempfile.mkdtemp(prefix="broadstreet-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty folder with a short path."""
    path = Path(tempfile.mkdtemp(prefix="broadstreet-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
async def engines(session_dir: Path) -> AsyncIterator[Engines]:
    """Both engines, running."""
    async with Engines(session_dir / "data") as running:
        yield running


class Databases:
    """Databases of a worker's PostgreSQL. One with tenants is migrated once, and copied for each test: a fifth of the
    work."""

    def __init__(self, owner: asyncpg.Connection, dsn: str) -> None:
        """owner: a connection of the server's owner, who came by `dsn`."""
        self._owner = owner
        self._dsn = dsn
        self._made: dict[tuple[str, ...], str] = {}

    @asynccontextmanager
    async def empty(self, template: str = "template1") -> AsyncIterator[str]:
        """The DSN of a new database. Whoever is still connected when the block ends is thrown out."""
        name = f"test_{uuid4().hex}"
        # Its files are copied and not written into PostgreSQL's log: half of the work.
        await self._owner.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield self._dsn_of(name)
        await self._owner.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @asynccontextmanager
    async def with_tenants(self, *tenants: str) -> AsyncIterator[str]:
        """The DSN of a new database with the newest schema and these tenants."""
        if (template := self._made.get(tenants)) is None:
            template = f"template_{uuid4().hex}"
            await self._owner.execute(f"CREATE DATABASE {template} STRATEGY wal_log")
            await migrate(self._dsn_of(template))
            for tenant in tenants:
                await create_tenant(self._dsn_of(template), tenant, f"The {tenant}")
            self._made[tenants] = template
        async with self.empty(template) as dsn:
            yield dsn

    def _dsn_of(self, name: str) -> str:
        return self._dsn.replace("/broadstreet?", f"/{name}?")


@pytest.fixture(scope="session")
async def databases(engines: Engines) -> AsyncIterator[Databases]:
    """Databases for fixtures of any scope."""
    owner = await asyncpg.connect(engines.addresses.postgres_dsn)
    try:
        yield Databases(owner, engines.addresses.postgres_dsn)
    finally:
        await owner.close()


@pytest.fixture
async def postgres_dsn(databases: Databases) -> AsyncIterator[str]:
    """An empty database of one's own."""
    async with databases.empty() as dsn:
        yield dsn


@pytest.fixture
async def city_dsn(databases: Databases) -> AsyncIterator[str]:
    """A database of one's own with the tenant `city`."""
    async with databases.with_tenants("city") as dsn:
        yield dsn


@pytest.fixture
async def nats_url(engines: Engines) -> AsyncIterator[str]:
    """A NATS server without streams."""
    yield engines.addresses.nats_url
    client = await nats.connect(engines.addresses.nats_url)
    try:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            await jetstream.delete_stream(str(stream.config.name))
    finally:
        await client.close()


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives a free port of the loopback at each call."""

    def choose() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return choose


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets, kept outside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip(absent(f"the shared data sets are not at {SHARED_DATA}; set BROADSTREET_SHARED_DATA"))
    return SHARED_DATA
