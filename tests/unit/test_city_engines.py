"""The city's own engines: used when they will do, refused in words when they will not."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from broadstreet.engines import Child, Engines, read_addresses
from broadstreet.engines.city import check_nats, check_postgres, without_secret
from broadstreet.model.errors import EngineFailed
from tests.hushed import leaves_when_told

FreePort = Callable[[], int]


@asynccontextmanager
async def nats_server(folder: Path, port: int, settings: str) -> AsyncIterator[str]:
    """A NATS of the city's, with its own settings; its URL."""
    (folder / "own.conf").write_text(f'listen: "127.0.0.1:{port}"\n{settings}\n')
    program = Path(sys.executable).with_name("nats-server")
    child = await Child.spawn("nats", [program, "-c", folder / "own.conf"], log_path=folder / "own.log")
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        await child.stop((signal.SIGTERM, 10))


async def refusal(check: Awaitable[None]) -> EngineFailed:
    with pytest.raises(EngineFailed) as caught:
        await check
    return caught.value


async def test_they_are_used_as_they_are(engines: Engines, postgres_dsn: str, nats_url: str, data_dir: Path) -> None:
    async with Engines(data_dir, postgres_dsn, nats_url) as own:
        assert own.keepers == {}
        assert read_addresses(data_dir).postgres_dsn == postgres_dsn
        assert read_addresses(data_dir).nats_url == nats_url
    assert all(keeper.pid for keeper in engines.keepers.values()), "and go on without us"


async def test_a_user_without_rights_is_told_which(engines: Engines, postgres_dsn: str) -> None:
    owner = await asyncpg.connect(postgres_dsn)
    try:
        await owner.execute("CREATE ROLE clerk LOGIN")
        as_clerk = postgres_dsn.replace("//postgres@", "//clerk@")
        error = await refusal(check_postgres(as_clerk))
        assert "'clerk' may not create schemas or roles" in error.message
        assert error.remedy is not None
        await owner.execute(error.remedy.removeprefix("As a superuser: "))
        await check_postgres(as_clerk)
    finally:
        await owner.execute("DROP OWNED BY clerk")
        await owner.execute("DROP ROLE clerk")
        await owner.close()


async def test_a_database_of_another_encoding_is_refused(engines: Engines, postgres_dsn: str) -> None:
    owner = await asyncpg.connect(postgres_dsn)
    try:
        await owner.execute(
            "CREATE DATABASE old_city ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
        )
        dsn = engines.addresses.postgres_dsn.replace("/broadstreet?", "/old_city?")
        assert "its encoding is LATIN1" in (await refusal(check_postgres(dsn))).message
    finally:
        await owner.execute("DROP DATABASE IF EXISTS old_city WITH (FORCE)")
        await owner.close()


async def test_an_absent_one_is_named_without_its_secret(free_port: FreePort) -> None:
    port = free_port()
    for error in (
        await refusal(check_postgres(f"postgresql://clerk:swordfish@127.0.0.1:{port}/city")),
        await refusal(check_nats(f"nats://clerk:swordfish@127.0.0.1:{port}")),
    ):
        assert "swordfish" not in str(error)
        assert f"clerk:…@127.0.0.1:{port}" in str(error)
        assert error.remedy
    assert without_secret("nats://127.0.0.1:4222") == "nats://127.0.0.1:4222"


async def test_nats_without_jetstream_is_refused(data_dir: Path, free_port: FreePort) -> None:
    async with nats_server(data_dir, free_port(), "max_payload: 8MB") as url:
        assert "no JetStream" in (await until_it_answers(url)).message


async def test_nats_that_takes_no_packs_is_refused(data_dir: Path, free_port: FreePort) -> None:
    async with nats_server(data_dir, free_port(), f'jetstream {{ store_dir: "{data_dir}" }}') as url:
        assert "takes messages of 1,048,576 bytes" in (await until_it_answers(url)).message


async def until_it_answers(url: str) -> EngineFailed:
    """The refusal of a server that has come up."""
    while True:
        error = await refusal(check_nats(url))
        if "does not let us in" not in error.message:
            return error


async def test_an_engine_that_will_not_do_leaves_the_folder_free(engines: Engines, data_dir: Path) -> None:
    with pytest.raises(EngineFailed, match="does not let us in"):
        await Engines(data_dir, "postgresql://nobody@127.0.0.1:1/none", engines.addresses.nats_url).start()
    async with Engines(data_dir, engines.addresses.postgres_dsn, engines.addresses.nats_url):
        pass


async def test_who_stops_asking_leaves_no_connection() -> None:
    await leaves_when_told(check_nats)
