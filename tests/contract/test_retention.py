"""Upkeep of the past: what is over its dataset's retention is gone, from table, files and disk; what is old moves."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from broadstreet.access.audit import Audit
from broadstreet.app.upkeep import Upkeep
from broadstreet.history import Observations, extents, forget_origins
from broadstreet.history.mover import DAY_US
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.store import Store
from tests.contract.past import T0_US, Past, open_past

DAYS = 40
STEP_US = 300_000_000
NOW_US = T0_US + DAYS * DAY_US
ROWS = NOW_US // STEP_US - T0_US // STEP_US


async def fill(past: Past) -> None:
    times = T0_US + STEP_US * np.arange(ROWS)
    chance = np.random.default_rng(7)
    for key in past.series_keys:
        await past.append(Observations.of(key, times, chance.random(ROWS)))


async def govern(past: Past, name: str, days: int, keys: list[int]) -> None:
    await past.database.execute(
        "WITH made AS (INSERT INTO dataset (id, title, retention) VALUES ($1, $1, make_interval(days => $2)) "
        "RETURNING key) UPDATE series SET dataset_key = made.key FROM made WHERE series.key = ANY ($3::int[])",
        name,
        days,
        keys,
    )


async def packs(past: Past) -> set[int]:
    return {row["key"] for row in await past.database.fetch("SELECT key FROM origin WHERE kind = 'pack'")}


async def test_packs_of_long_ago_are_forgotten_but_not_what_is_current(city_dsn: str, tmp_path: Path) -> None:
    async with open_past(city_dsn, files=tmp_path) as past, await Store.connect(city_dsn, files=tmp_path) as store:
        silent, heard = past.series_keys[:2]
        _, first = await past.append(Observations.of(silent, [T0_US], [1.0]), T0_US, "pack")
        _, imported = await past.append(Observations.of(heard, [T0_US], [1.0]), T0_US)
        days = [
            (await past.append(Observations.of(heard, [at_us], [2.0]), at_us, "pack"))[1]
            for at_us in range(T0_US + DAY_US, NOW_US, DAY_US)
        ]
        keeping = Upkeep(store, 5, lambda: NOW_US)
        await keeping.look_after(past.database)
        assert await packs(past) == {first, *days}
        forgetting = Upkeep(store, 5, lambda: NOW_US, pack_days=10, ahead_us=DAY_US)
        await forgetting.look_after(past.database)
        assert await packs(past) == {first, *days[-11:]}
        assert await past.database.fetchval("SELECT count(*) FROM origin WHERE key = $1", imported) == 1
        found = await extents(past.database, [silent, heard], MIN_US, MAX_US)
        assert (found[silent].count, found[heard].count) == (1, 1 + len(days))
        late, _ = await past.append(Observations.of(silent, [T0_US + 1], [1.0]), NOW_US, "pack")
        assert late.inserted == 1
        assert await forget_origins(past.database, NOW_US, 0) == 0, "the table holds what is older"


def on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.parquet"))


@pytest.mark.parametrize("table_days", [0, 5])
async def test_what_may_not_stay_is_gone(city_dsn: str, tmp_path: Path, table_days: int) -> None:
    """table_days 0: all is in the table; 5: most has moved to files before anything expires."""
    async with (
        open_past(city_dsn, files=tmp_path) as past,
        await Store.connect(city_dsn, files=tmp_path) as store,
    ):
        await fill(past)
        a, b, c, *free = past.series_keys
        now_us = NOW_US
        upkeep = Upkeep(store, table_days, lambda: now_us)
        await upkeep.look_after(past.database)
        whole, folder = await extents(past.database, past.series_keys, MIN_US, MAX_US), tmp_path / "city"
        assert [whole[key].count for key in past.series_keys] == [ROWS] * 5, "nothing has a retention yet"
        full = on_disk(folder)
        await govern(past, "urn:dataset:month", 30, [a, b])
        await govern(past, "urn:dataset:ever", 3_650, [free[0]])
        await past.database.execute("UPDATE series SET retention = '10 days' WHERE key = ANY ($1::int[])", [b, c])
        await upkeep.look_after(past.database)
        left = await extents(past.database, past.series_keys, MIN_US, MAX_US)
        for key, days in ((a, 30), (b, 10), (c, 10), (free[0], DAYS), (free[1], DAYS)):
            assert left[key].count == days * 288, key
            assert left[key].first_us == NOW_US - days * DAY_US, key
        lines = [line for line in await Audit(store.control).read("city") if line.action == "observations.expire"]
        told = sorted((line.subject, line.principal, line.detail["observations"]) for line in lines)
        assert told == [
            ("tenant_city", "retention", 30 * 288),
            ("urn:dataset:month", "retention", 10 * 288),
            ("urn:dataset:month", "retention", 30 * 288),
        ]
        if table_days:
            assert on_disk(folder) < 0.75 * full, "the space of 70 of 200 days is free again"
        now_us += DAY_US
        await upkeep.look_after(past.database)
        assert (await extents(past.database, [a], MIN_US, MAX_US))[a].count == 29 * 288, "a day later, a day less"


async def test_the_tables_space_is_used_again(city_dsn: str, tmp_path: Path) -> None:
    """PostgreSQL keeps a table's file, and writes what comes into the room of what went."""
    async with (
        open_past(city_dsn, files=tmp_path) as past,
        await Store.connect(city_dsn, files=tmp_path) as store,
    ):
        sizes = []
        for day in range(4):
            times = T0_US + day * DAY_US + 10_000_000 * np.arange(8_640)
            for key in past.series_keys:
                await past.append(Observations.of(key, times, np.ones(len(times))))
            await Upkeep(store, 1, partial(int, T0_US + (day + 2) * DAY_US)).look_after(past.database)
            await past.analyze(city_dsn)
            sizes.append(await past.database.fetchval("SELECT pg_total_relation_size('observation')"))
        assert sizes[3] < 1.2 * sizes[1], f"four days take the room of two: {sizes}"
