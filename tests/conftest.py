"""Real engines for every test that needs them: PostgreSQL and NATS from the wheels, started once a worker.

Fixtures to use:

    engines       both engines, running for the whole session (one pair per pytest-xdist worker)
    postgres_dsn  the owner's DSN of an empty database, new for each test and dropped after it; roles belong to the
                  whole server and stay for the worker's other tests
    nats_url      the URL of a NATS server that holds no stream: they are deleted after each test
    data_dir      an empty folder with a short path, removed afterwards
    free_port     a function that gives a port of the loopback nothing listens on
    shared_data   the folder of real data sets; the test is skipped where it is absent

Async tests and fixtures need no mark: anyio runs them (`anyio_mode = auto`), in one uvloop per worker, so that what a
session fixture started goes on living through the tests.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import nats
import pytest

from broadstreet.engines import Engines
from tests.absence import absent

SHARED_DATA = Path(os.environ.get("BROADSTREET_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


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


@pytest.fixture
async def postgres_dsn(engines: Engines) -> AsyncIterator[str]:
    """An empty database of one's own. Whoever is still connected when the test ends is thrown out."""
    name = f"test_{uuid4().hex}"
    owner = await asyncpg.connect(engines.addresses.postgres_dsn)
    try:
        await owner.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
        yield engines.addresses.postgres_dsn.replace("/broadstreet?", f"/{name}?")
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await owner.close()


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
