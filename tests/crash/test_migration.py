"""An upgrade that is killed, again and again, ends where one that was left alone ends; a newer house is refused."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from broadstreet.app.settings import Settings
from broadstreet.app.upgrading import schema_states, upgrade
from broadstreet.engines import Engines
from broadstreet.model.errors import Conflict, EngineFailed, NoHouse
from broadstreet.store import create_tenant, migrate, migration
from tests.contract.catalog import described

TENANTS = [f"t{number}" for number in range(8)]
KILLED_BETWEEN = 2
"""At how many different points, with some steps done and some not, it was killed at least."""
ATTEMPTS = 25
LONGEST_S = 0.03
LOOKS = 5_000
VERSIONS = "SELECT schema, count(*) AS steps, max(version) AS newest FROM control.migration GROUP BY 1"
NEWEST = {kind: migration.migrations(kind)[-1][0] for kind in ("control", "tenant")}


async def no_views(*_: object) -> None:
    """The first version had none."""


async def old_house(dsn: str, monkeypatch: pytest.MonkeyPatch, tenants: Sequence[str]) -> None:
    """A database as the first version left it, with several tenants."""
    every = migration.migrations
    with monkeypatch.context() as patch:
        patch.setattr(migration, "migrations", lambda kind: every(kind)[:1])
        patch.setattr(migration, "_put_up_views", no_views)
        await migrate(dsn)
        for tenant in tenants:
            await create_tenant(dsn, tenant, tenant)


async def kill_between(dsn: str, wait_s: float) -> bool:
    """Start the migration and kill it a moment after it has made a step; whether it was quicker."""
    before = await steps(dsn)
    arguments = (sys.executable, "-m", "tests.crash.migrating", dsn)
    child = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    await child.stdout.readline()
    for _ in range(LOOKS):
        if child.returncode is not None or await steps(dsn) > before:
            break
        await asyncio.sleep(0.002)
    await asyncio.sleep(wait_s)
    if child.returncode is None:
        child.kill()
    await child.stdout.read()
    return await child.wait() != -signal.SIGKILL


async def steps(dsn: str) -> int:
    """How many steps all schemas have had together."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM control.migration"))
    finally:
        await connection.close()


async def as_any(dsn: str, tenant: str) -> frozenset[tuple[str, str]]:
    """A tenant's schema without its name."""
    lines = await described(dsn, f"tenant_{tenant}")
    return frozenset((what, how.replace(f"broadstreet_t_{tenant}:", "its role:")) for what, how in lines)


async def test_an_upgrade_survives_being_killed(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await old_house(postgres_dsn, monkeypatch, TENANTS)
    chance, left = random.Random(7), [await steps(postgres_dsn)]
    while len(left) < ATTEMPTS and not await kill_between(postgres_dsn, chance.uniform(0, LONGEST_S)):
        left.append(await steps(postgres_dsn))
    await migrate(postgres_dsn)
    assert len({done for done in left if left[0] < done < await steps(postgres_dsn)}) >= KILLED_BETWEEN
    await create_tenant(postgres_dsn, "fresh", "Made now")
    fresh = await as_any(postgres_dsn, "fresh")
    for tenant in TENANTS:
        assert await as_any(postgres_dsn, tenant) == fresh
    connection = await asyncpg.connect(postgres_dsn)
    for row in await connection.fetch(VERSIONS):
        newest = NEWEST["control" if row["schema"] == "control" else "tenant"]
        assert (row["steps"], row["newest"]) == (newest, newest)  # each step once
    await connection.execute("INSERT INTO control.migration (schema, version) VALUES ('tenant_t3', 9999)")
    await connection.close()
    with pytest.raises(EngineFailed, match="newer Broadstreet has used this database: tenant_t3"):
        await migrate(postgres_dsn)


async def test_what_there_is_to_do_is_said_and_done(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=str(data_dir / "data"))
    with pytest.raises(NoHouse):
        await schema_states(settings)
    async with Engines(settings.data_path) as engines:
        await old_house(engines.addresses.postgres_dsn, monkeypatch, TENANTS[:1])
        with pytest.raises(Conflict, match="runs"):
            await upgrade(settings)
        before = await schema_states(settings)
    assert {state.found for state in before} == {1}
    assert [state.schema for state in sorted(before)] == ["control", "tenant_t0"]
    words = await asyncio.to_thread(check, settings)
    assert f"tenant_t0: 1 → {NEWEST['tenant']}" in words
    assert "never backed up" in words
    await upgrade(settings)
    assert all(state.found == state.known for state in await schema_states(settings))


def check(settings: Settings) -> str:
    """What the command says."""
    program = (sys.executable, "-c", "from broadstreet.cli import main; main()", "upgrade", "--check")
    command = [*program, "--data-dir", settings.data_dir]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def test_a_folder_of_a_newer_form_is_refused(data_dir: Path) -> None:
    await asyncio.to_thread((data_dir / "house.json").write_text, '{"form": 2}')
    with pytest.raises(EngineFailed, match="newer Broadstreet has used this data folder"):
        async with Engines(data_dir):
            pass
