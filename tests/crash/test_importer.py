"""An import that is killed with SIGKILL, again and again, ends as one that was left alone."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from broadstreet.importer import readings
from broadstreet.store import Database, Store, migrate
from tests.crash.importing import main

ROWS = 450
SENSORS = 12
KILLS_AT_LEAST = 3


def table(seed: int) -> str:
    """A wide table with all that can go wrong in one: gaps, bad cells, broken lines, repetitions, contradictions."""
    chance = random.Random(seed)
    lines = []
    for row in range(ROWS):
        at = f"2026-10-{24 + row // 288:02}T{row // 12 % 24:02}:{row % 12 * 5:02}"
        cells = [chance.choice(["", "-1", "x"]) if chance.random() < 0.02 else f"{row + n / 8}" for n in range(SENSORS)]
        lines.append(",".join([at, *cells]))
        if chance.random() < 0.05:
            lines.append(chance.choice(["broken", lines[chance.randrange(len(lines))], f"{at},{'7,' * SENSORS}"[:-1]]))
    return "\n".join([",".join(["at", *(f"s{n}" for n in range(SENSORS))]), *lines])


async def kill_after(dsn: str, file: Path, folder: Path, batches: int, wait_s: float) -> bool:
    """Start the import, kill it some time after so many batches; whether it was quicker."""
    arguments = ["-m", "tests.crash.importing", dsn, "killed", str(file), str(folder)]
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    for _ in range(batches):
        await child.stdout.readline()
    await asyncio.sleep(wait_s)
    if child.returncode is None:
        child.kill()
    await child.stdout.read()
    return await child.wait() != -signal.SIGKILL


def reject_file(folder: Path) -> str:
    (path,) = folder.iterdir()
    return path.read_text()


async def outcome(database: Database, folder: Path) -> tuple[list[tuple[Any, ...]], tuple[Any, ...], str]:
    """Everything an import leaves: observations, counts, the reject file."""
    observations = await database.fetch(
        "SELECT e.id, o.observed_at, o.number, o.modified_at FROM observation o JOIN series s ON s.key = o.series_key "
        "JOIN entity e ON e.key = s.entity_key WHERE o.number IS NOT NULL ORDER BY 1, 2"
    )
    (run,) = await database.fetch(
        "SELECT rows_done, accepted, rejected, skipped, repeated, corrected, ambiguous, rejects_bytes, finished_at "
        "FROM import_run"
    )
    return [tuple(row) for row in observations], tuple(run), reject_file(folder)


@pytest.mark.parametrize("seed", [1, 2])
async def test_an_import_survives_being_killed(
    postgres_dsn: str, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "BATCH_READINGS", readings.BATCH_READINGS)  # `main` changes it here too
    chance = random.Random(seed)
    file = tmp_path / "table.csv"
    file.write_text(table(seed))
    await migrate(postgres_dsn)
    async with await Store.connect(postgres_dsn) as store:
        killed, left_alone = await store.create_tenant("killed", "Killed"), await store.create_tenant("alone", "Alone")
        await main(postgres_dsn, "alone", str(file), str(tmp_path / "alone"))
        kills = 0
        while not await kill_after(
            postgres_dsn, file, tmp_path / "killed", chance.randrange(1, 6), chance.random() / 50
        ):
            kills += 1
        assert kills >= KILLS_AT_LEAST
        observations, counts, rejects = await outcome(killed, tmp_path / "killed")
        assert (observations, counts, rejects) == await outcome(left_alone, tmp_path / "alone")
        assert sum(counts[1:4]) == SENSORS * (len(file.read_text().splitlines()) - 1)
