"""Whatever is killed, the engines come back with what they had acknowledged, and nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import asyncpg
import nats
import nats.errors
import psutil
import pytest
from nats.aio.client import Client

from broadstreet.engines import Engines, Keeper, read_addresses
from broadstreet.model.errors import EngineFailed

PATIENCE_S = 30.0
"""How long a test waits for what must happen; none asserts how long it took."""


@pytest.fixture(scope="module")
async def fragile() -> AsyncIterator[Engines]:
    """Engines that tests of this file may kill. Their folder's path is too long for a socket."""
    with TemporaryDirectory(prefix="broadstreet-") as path:
        async with Engines(Path(path) / ("deep" * 20)) as engines:
            yield engines


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if happened():
                return
            await asyncio.sleep(0.01)


async def running(keeper: Keeper) -> int:
    """The process of an engine, once it is ready."""
    await until(lambda: keeper.pid is not None)
    assert keeper.pid is not None
    return keeper.pid


async def answers(dsn: str, query: str) -> object:
    """The answer of a database that may be on its way back."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                connection = await asyncpg.connect(dsn)
                try:
                    return await connection.fetchval(query)
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.02)


async def write_mark(dsn: str, mark: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS mark (value int)")
        await connection.execute("INSERT INTO mark VALUES ($1)", mark)
    finally:
        await connection.close()


async def append(url: str, body: bytes) -> None:
    """Append to a stream; when this returns, it is acknowledged."""
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        await jetstream.add_stream(name="FAULTS", subjects=["faults"])
        await jetstream.publish("faults", body)
    finally:
        await client.close()


async def last(url: str) -> bytes | None:
    """What was appended last, from a server that may be on its way back."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            client = Client()
            try:
                await client.connect(url, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0)
                return (await client.jetstream().get_last_msg("FAULTS", "faults")).data
            except (OSError, nats.errors.Error):
                await asyncio.sleep(0.02)
            finally:
                await client.close()


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
async def test_postgres_comes_back(fragile: Engines, sent: signal.Signals) -> None:
    keeper, dsn = fragile.keepers["postgres"], fragile.addresses.postgres_dsn
    before = keeper.restarts
    await write_mark(dsn, int(sent))
    os.kill(await running(keeper), sent)
    await until(lambda: keeper.restarts == before + 1 and keeper.pid is not None)
    assert await answers(dsn, "SELECT value FROM mark ORDER BY ctid DESC LIMIT 1") == sent
    assert fragile.addresses.postgres_dsn == dsn


async def test_a_killed_backend_leaves_the_others_data(fragile: Engines) -> None:
    keeper, dsn = fragile.keepers["postgres"], fragile.addresses.postgres_dsn
    await write_mark(dsn, 77)
    pid, victim = await running(keeper), await asyncpg.connect(dsn)
    os.kill(await victim.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await victim.fetchval("SELECT 1")
    victim.terminate()
    assert await answers(dsn, "SELECT max(value) FROM mark") == 77
    assert keeper.pid == pid, "the postmaster recovers by itself"


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
async def test_nats_comes_back_at_the_same_port(fragile: Engines, sent: signal.Signals) -> None:
    keeper, url = fragile.keepers["nats-server"], fragile.addresses.nats_url
    before, body = keeper.restarts, sent.name.encode()
    await append(url, body)
    os.kill(await running(keeper), sent)
    await until(lambda: keeper.restarts == before + 1 and keeper.pid is not None)
    assert await last(url) == body


async def test_a_connected_client_finds_nats_again(fragile: Engines) -> None:
    keeper = fragile.keepers["nats-server"]
    client = await nats.connect(fragile.addresses.nats_url, reconnect_time_wait=0, max_reconnect_attempts=-1)
    try:
        before = client.stats["reconnects"]
        os.kill(await running(keeper), signal.SIGKILL)
        await until(lambda: client.stats["reconnects"] > before and client.is_connected)
        assert (await client.jetstream(timeout=PATIENCE_S).account_info()).streams >= 0
    finally:
        await client.close()


async def test_all_killed_at_once(fragile: Engines) -> None:
    await write_mark(fragile.addresses.postgres_dsn, 99)
    await append(fragile.addresses.nats_url, b"all")
    before = {name: keeper.restarts for name, keeper in fragile.keepers.items()}
    for keeper in fragile.keepers.values():
        engine = psutil.Process(await running(keeper))
        for process in (engine, *engine.children(recursive=True)):
            process.kill()
    await until(lambda: all(k.restarts > before[k.name] and k.pid is not None for k in fragile.keepers.values()))
    assert await answers(fragile.addresses.postgres_dsn, "SELECT max(value) FROM mark") == 99
    assert await last(fragile.addresses.nats_url) == b"all"


async def test_a_second_house_is_refused(fragile: Engines) -> None:
    with pytest.raises(EngineFailed, match=rf"in use by another Broadstreet \(process {os.getpid()}\)"):
        await Engines(fragile.data_dir).start()
    assert read_addresses(fragile.data_dir) == fragile.addresses, "and the first goes on"


async def test_a_full_restart_keeps_data_and_port(data_dir: Path) -> None:
    async with Engines(data_dir) as first:
        addresses = first.addresses
        await write_mark(addresses.postgres_dsn, 1)
        await append(addresses.nats_url, b"kept")
        pids = [keeper.pid for keeper in first.keepers.values()]
    assert not any(psutil.pid_exists(pid) for pid in pids if pid)
    with pytest.raises(EngineFailed, match="no Broadstreet runs"):
        read_addresses(data_dir)
    async with Engines(data_dir) as second:
        assert second.addresses == addresses
        assert await answers(addresses.postgres_dsn, "SELECT value FROM mark") == 1
        assert await last(addresses.nats_url) == b"kept"


async def test_stale_remains_are_no_hindrance(data_dir: Path) -> None:
    """A pid file that names a living stranger, a half-made database, a half-written address file, a used port."""
    async with Engines(data_dir) as first:
        port = urlsplit(first.addresses.nats_url).port
    pid_file = data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{data_dir}/postgres\n1\n5432\n{data_dir}/socket\n\n 1 1\nready\n")
    (data_dir / "postgres.new").mkdir()
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    (data_dir / "run" / "engines.json.part").write_text("{")
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        async with Engines(data_dir) as second:
            assert await answers(second.addresses.postgres_dsn, "SELECT 1") == 1
            assert urlsplit(second.addresses.nats_url).port != port


async def test_a_database_of_another_version_is_refused(data_dir: Path) -> None:
    files = data_dir / "postgres"
    files.mkdir()
    (files / "PG_VERSION").write_text("17\n")
    with pytest.raises(EngineFailed, match="made by PostgreSQL 17"):
        await Engines(data_dir).start()
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(data_dir) in " ".join(p.info["cmdline"] or [])]


SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from broadstreet.engines import Engines

async def main():
    async with Engines(Path(sys.argv[1])) as engines:
        print(*(keeper.pid for keeper in engines.keepers.values()), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_no_orphan_outlives_a_killed_parent(data_dir: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISOR, str(data_dir), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        pids = [int(pid) for pid in (await parent.stdout.readline()).split()]
        assert len(pids) == 2
        addresses = read_addresses(data_dir)
        await write_mark(addresses.postgres_dsn, 5)
    finally:
        parent.kill()
        await parent.communicate()
    await until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    async with Engines(data_dir) as again:
        assert await answers(again.addresses.postgres_dsn, "SELECT value FROM mark") == 5


async def test_only_the_owner_gets_in(fragile: Engines) -> None:
    data = fragile.data_dir
    assert data.stat().st_mode & 0o067 == 0
    assert (data / "run").stat().st_mode & 0o077 == 0
    assert (data / "run" / "engines.json").stat().st_mode & 0o077 == 0
    assert (data / "postgres").stat().st_mode & 0o077 == 0
    assert (data / "nats" / "nats.conf").stat().st_mode & 0o077 == 0
    port = urlsplit(fragile.addresses.nats_url).port
    client = Client()
    with pytest.raises(nats.errors.Error, match="Authorization"):
        await client.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False)
    await client.close()
