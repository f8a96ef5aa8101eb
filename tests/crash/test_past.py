"""A move of the past that is killed, again and again: nothing is lost, nothing is doubled, nothing is left behind."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import numpy as np

from broadstreet.history import Observations, Points, read_range
from broadstreet.model.clock import MAX_US, MIN_US
from tests.contract.past import T0_US, Past, open_past
from tests.docs.pages import ROOT

KILLS = 6
LONGEST_S = 0.6
STEP_US = 600_000_000
ROWS = 20_000
BEFORE_US = T0_US + ROWS * STEP_US


async def answers(past: Past) -> list[Points]:
    return [await read_range(past.database, key, MIN_US, MAX_US) for key in past.series_keys]


async def run_mover(dsn: str, folder: Path, kill_after_s: float | None) -> bool:
    """Whether it came to its end."""
    arguments = (sys.executable, "-m", "tests.crash.past_mover", dsn, str(folder), str(BEFORE_US))
    process = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"begins\n"
    if kill_after_s is not None:
        await asyncio.sleep(kill_after_s)
        if process.returncode is None:
            process.kill()
    rest, _ = await process.communicate()
    return rest == b"done\n"


async def test_a_killed_move_loses_and_doubles_nothing(city_dsn: str, tmp_path: Path) -> None:
    chance = random.Random(1854)
    async with open_past(city_dsn, files=tmp_path) as past:
        times = T0_US + STEP_US * np.arange(ROWS)
        for number, key in enumerate(past.series_keys):
            await past.append(Observations.of(key, times + number, np.arange(ROWS) / 7 + number))
        before = await answers(past)
        cut_short = 0
        for _ in range(KILLS):
            cut_short += not await run_mover(city_dsn, tmp_path, chance.uniform(0, LONGEST_S))
            for was, found in zip(before, await answers(past), strict=True):
                assert np.array_equal(was.at_us, found.at_us)
                assert np.array_equal(was.values, found.values)
        assert cut_short > 0, "no move was killed in its midst"
        assert await run_mover(city_dsn, tmp_path, None)
        for was, found in zip(before, await answers(past), strict=True):
            assert np.array_equal(was.at_us, found.at_us)
            assert np.array_equal(was.values, found.values)
        listed = {row["name"] for row in await past.database.fetch("SELECT name FROM past_file")}
        assert {path.name for path in (tmp_path / "city").glob("*.p*")} == listed
        assert await past.moved_rows() == ROWS * len(past.series_keys)
