"""How fast the past is written and imported, on one connection, the engine on the same processors; and what pages read.

`copied_per_s` loads a reading every five minutes of every series into an empty store, as a demonstration's past is;
`upserted_per_s` says a tenth of it again, a second later each, so that the rows stand among others; `imported_per_s`
takes in the first hundred series as a wide table with a thousandth of its cells bad. Reading times are the median of
five: a year of one series as a chart of 800 points, thirty days of it by the hour, the last 24 hourly means of all
series, and the entities by yesterday's maximum.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from broadstreet.access import Principal
from broadstreet.history import (
    Method,
    Observations,
    Period,
    Stat,
    aggregate,
    append,
    downsample,
    hourly_bars,
    ranking,
)
from broadstreet.importer import Import, prepare
from broadstreet.store import Database, Store, write_origin

SEED = 1854
STEP_US = 300_000_000
DAY_US = 86_400_000_000
END_US = 1_790_000_000_000_000
BATCH_SERIES = 10
TIMES = 5
TABLE_SENSORS = 100
MAPPING = """
[file]
form = "wide"
[time]
start = "2026-01-01T00:00"
step = "PT5M"
time_zone = "UTC"
[sensor]
type = "T"
entity = "urn:ngsi-ld:T:imported-{sensor}"
[attributes.level]
[dataset]
id = "urn:example:dataset:benchmark"
title = "Benchmark"
"""


class Bench:
    """An empty store with some series of one attribute."""

    def __init__(self, store: Store, database: Database, series_keys: list[int], term_key: int) -> None:
        self.store = store
        self.database = database
        self.series_keys = series_keys
        self.term_key = term_key
        self.chance = np.random.default_rng(SEED)

    async def append(self, series_keys: list[int], times_us: Any) -> int:
        """Write times of these series in one transaction; answers the rows."""
        count = len(times_us)
        keys = np.repeat(np.array(series_keys, np.int32), count)
        rows = Observations.of(keys, np.tile(times_us, len(series_keys)), self.chance.random(len(keys)))
        async with self.database.transaction() as connection:
            origin_key = await write_origin(connection, "simulated", "benchmark", END_US)
            done = await append(connection, rows, origin_key=origin_key, written_at_us=END_US)
        return done.inserted

    async def write(self, series_keys: list[int], times_us: Any) -> float:
        """Rows a second."""
        began_s, rows = time.perf_counter(), 0
        for start in range(0, len(series_keys), BATCH_SERIES):
            rows += await self.append(series_keys[start : start + BATCH_SERIES], times_us)
        return rows / (time.perf_counter() - began_s)

    async def take_in(self, folder: Path, rows: int) -> float:
        """Readings a second of a table, from the first look at the file to the last commit."""
        cells = self.chance.random((rows, TABLE_SENSORS)).round(3).astype(str)
        cells[self.chance.random(cells.shape) < 0.001] = "bad"
        file = folder / "table.csv"
        lines = [",".join(f"s{n}" for n in range(TABLE_SENSORS)), *(",".join(row) for row in cells.tolist())]
        await asyncio.to_thread(file.write_text, "\n".join(lines))
        principal = Principal.account("benchmark", "Benchmark", self.database.name, ["administrator"])
        began_s = time.perf_counter()
        work = Import(self.store, self.database, prepare(file, MAPPING), principal=principal, clock=lambda: END_US)
        report = await work.run(folder)
        if report.totals.accepted + report.totals.rejected != cells.size:
            raise SystemExit(f"{cells.size} readings were in the table, and the report says {report.totals}")
        return cells.size / (time.perf_counter() - began_s)


async def median_ms(read: Callable[[], Awaitable[object]]) -> float:
    """The median of some times a read takes."""
    took_ms = []
    for _ in range(TIMES):
        began_s = time.perf_counter()
        await read()
        took_ms.append((time.perf_counter() - began_s) * 1_000)
    return round(statistics.median(took_ms), 1)


async def measure_writing(store: Store, tenant: str, folder: Path, series: int, days: int) -> dict[str, Any]:
    """The figures, in an empty tenant, which keeps what was written."""
    database = await store.tenant(tenant)
    term_key = (await store.terms(database).intern(["urn:level"]))["urn:level"]
    rows = await database.fetch(
        "WITH made AS (INSERT INTO entity (id, types, created_at, modified_at) "
        "SELECT 'urn:ngsi-ld:T:' || i, '{1}', now(), now() FROM generate_series(1, $1) i RETURNING key) "
        "INSERT INTO series (entity_key, term_key) SELECT key, $2 FROM made RETURNING key",
        series,
        term_key,
    )
    return await _measure(Bench(store, database, [row["key"] for row in rows], term_key), folder, days)


async def _measure(bench: Bench, folder: Path, days: int) -> dict[str, Any]:
    keys, database = bench.series_keys, bench.database
    times_us = END_US - STEP_US * np.arange(days * DAY_US // STEP_US)[::-1]
    figures: dict[str, Any] = {"rows_written": len(keys) * len(times_us)}
    began_s, own_s = time.perf_counter(), time.process_time()
    figures["copied_per_s"] = round(await bench.write(keys, times_us))
    own_share = (time.process_time() - own_s) / (time.perf_counter() - began_s)
    figures["upserted_per_s"] = round(await bench.write(keys[: len(keys) // 10], times_us + 1_000_000))
    figures["imported_per_s"] = round(await bench.take_in(folder, len(times_us)))
    await bench.append(keys[:1], END_US - STEP_US * np.arange(365 * DAY_US // STEP_US)[::-1] + 7)
    year_us, month_us, day_us = END_US - 365 * DAY_US, END_US - 30 * DAY_US, END_US - DAY_US
    hour, methods = Period.parse("PT1H"), [Method.AVG, Method.MAX]
    figures["chart_of_a_year_ms"] = await median_ms(lambda: downsample(database, keys[0], year_us, END_US))
    figures["hours_of_a_month_ms"] = await median_ms(
        lambda: aggregate(database, keys[1:2], month_us, END_US, hour, methods)
    )
    figures["hourly_bars_ms"] = await median_ms(lambda: hourly_bars(database, keys, END_US))
    figures["ranking_ms"] = await median_ms(lambda: ranking(database, bench.term_key, Stat.MAX, day_us, END_US, 20))
    figures["own_share_of_copying"] = round(own_share, 2)
    figures["limit_of_copying"] = "PostgreSQL, which works on one connection" if own_share < 0.5 else "this process"
    return figures
