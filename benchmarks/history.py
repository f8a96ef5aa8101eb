"""How fast the past is read, cold and warm, by the API's own role, with another tenant beside; and how fast written.

    python -m benchmarks.history [--series 10000] [--hours 12] [--slow 100] [--days 365] [--times 100] [--plans]
                                 [--month] [--written 500]

The past: `--series` every minute for `--hours`, `--slow` every five minutes for `--days`; 17.7 million observations
unless said otherwise. The questions: the newest value of 1,000 entities, a day of one series (its points), a year of
one series by the hour, the mean over all entities by the hour. Cold: the engine was restarted and the system's cache of
its files is gone; one answer each. Warm: `--times` answers each, and a third as many of the last. `--plans` prints
PostgreSQL's plan of each. `--month` asks for the hourly mean of 30 days of `--series` every five minutes, 86 million
observations, in the table and then, moved, in files: that takes twenty minutes and 15 GB more. `--written`: how many
series the figures of writing are taken with, which stand in the other tenant.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec
import numpy as np
import uvloop

from benchmarks.history_past import END_US, FIVE_MINUTES_S, MINUTE_S, Laid, Stretch, chill, lay, settle
from benchmarks.history_writing import measure_writing
from broadstreet.app.role import leave_alone
from broadstreet.engines import Engines
from broadstreet.history import Method, Moved, Period, aggregate, moving, overall, read_range
from broadstreet.store import Database, Store, create_tenant, load_queries, migrate
from broadstreet.store.database import COMMAND_TIMEOUT_S

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
US: Final = 1_000_000
ENTITIES: Final = 1_000
WRITTEN_DAYS: Final = 30
MONTH_DAYS: Final = 30
MONTH_TIMES: Final = 5
HOT_TIMES: Final = 2
CITY, OTHER, MONTH = "city", "other", "month"
HOURLY: Final = Period.parse("PT1H")
PLAN: Final = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) "


class Question(msgspec.Struct, frozen=True):
    """What is asked, by the house's own functions; `queries` are those it sends, to be explained, with arguments."""

    name: str
    ask: Callable[[Database], Awaitable[object]]
    queries: list[tuple[str, tuple[Any, ...]]]


def questions(laid: Laid, hours: int, days: int) -> list[Question]:
    """The four questions of the issue."""
    (many, few), (term_key, _) = laid.series_keys, laid.term_keys
    observation, entities = load_queries("observation"), load_queries("entity")["entities"]
    by_period = load_queries("aggregate")["sums_by_period"]
    day_us, year_us, half_us = (END_US - s * US for s in (DAY_S, days * DAY_S, hours * HOUR_S))
    # One series has one entity, made in the same order: their keys are alike.
    chosen = many[:: max(1, len(many) // ENTITIES)][:ENTITIES]
    edges = HOURLY.edges(half_us, END_US).tolist()
    one, other = few[len(few) // 2], few[-1]

    async def latest(database: Database) -> None:
        answer = await database.fetch(entities, chosen, False)
        if len(answer) != len(chosen):
            raise SystemExit(f"{len(chosen)} entities were asked for, and {len(answer)} answered")

    return [
        Question("latest_1000", latest, [(entities, (chosen, False))]),
        Question(
            "day",
            lambda database: read_range(database, one, day_us, END_US),
            [(observation["points"], (one, day_us, END_US, 1_000_000))],
        ),
        Question(
            "year_by_hour",
            lambda database: aggregate(database, [other], year_us, END_US, HOURLY, [Method.AVG]),
            [(observation["numbers"], ([other], year_us, END_US, 1_000_000))],
        ),
        Question(
            "city_hourly",
            lambda database: overall(database, term_key, half_us, END_US, HOURLY),
            [(by_period, (term_key, edges[:-1], edges[1:]))],
        ),
    ]


async def asked_ms(question: Question, database: Database) -> float:
    """How long one answer takes."""
    began_s = time.perf_counter()
    await question.ask(database)
    return (time.perf_counter() - began_s) * 1_000


async def bounded_ms(question: Question, database: Database) -> float:
    """As `asked_ms`; where the house gives up, the time after which it does."""
    with contextlib.suppress(TimeoutError):
        return await asked_ms(question, database)
    return COMMAND_TIMEOUT_S * 1_000


async def cold(engines: Engines, asked: list[Question]) -> dict[str, float]:
    """One answer each, of an engine that has just started; the connection stands, and the catalogue is known."""
    found = {}
    for question in asked:
        await chill(engines)
        async with await Store.connect(engines.addresses.postgres_dsn) as store:
            database = await store.tenant(CITY)
            await database.fetch("SELECT FROM series LIMIT 1")
            found[f"{question.name}_cold_ms"] = round(await asked_ms(question, database), 1)
    return found


async def warm(database: Database, asked: list[Question], times: int) -> dict[str, float]:
    """p50 and p99 of many answers, after one of each that does not count."""
    found = {}
    for question in asked:
        count = times // 3 if question.name == "city_hourly" else times
        took_ms = [await asked_ms(question, database) for _ in range(max(2, count) + 1)][1:]
        for part in (50, 99):
            found[f"{question.name}_ms_p{part}"] = round(float(np.percentile(took_ms, part)), 1)
    return found


async def say_plans(database: Database, asked: list[Question]) -> None:
    for question in asked:
        for sql, arguments in question.queries:
            print(f"== {question.name}")
            print("\n".join(row[0] for row in await database.fetch(PLAN + sql, *arguments)), flush=True)


async def measure_month(store: Store, dsn: str, series: int) -> dict[str, Any]:
    """Thirty days of every series every five minutes: the hourly mean, and what a reading takes, in table and files."""
    await create_tenant(dsn, MONTH, "Month")
    laid = await lay(dsn, MONTH, [Stretch(series, FIVE_MINUTES_S, MONTH_DAYS * DAY_S)])
    database = await store.tenant(MONTH)
    from_us = END_US - MONTH_DAYS * DAY_S * US
    question = Question("month", lambda held: overall(held, laid.term_keys[0], from_us, END_US, HOURLY), [])
    took_ms = [await bounded_ms(question, database) for _ in range(HOT_TIMES)]
    size = await database.fetchval("SELECT pg_total_relation_size('observation')")
    print(f"  hot: {took_ms}, {size / laid.rows} bytes a reading", flush=True)
    began_s, moved = time.perf_counter(), list[Moved]()
    async with moving(database, lambda: uuid4().hex, lambda: END_US) as mover:
        while (one := await mover.move_some(END_US + 1)) is not None:
            moved.append(one)
    move_s = time.perf_counter() - began_s
    print(f"  moved in {move_s:.0f} s", flush=True)
    await settle(dsn, MONTH)
    cold_ms = [await asked_ms(question, database) for _ in range(MONTH_TIMES + 1)][1:]
    one_series = laid.series_keys[0][series // 2]
    by_hour = Question("", lambda held: aggregate(held, [one_series], from_us, END_US, HOURLY, [Method.AVG]), [])
    series_ms = [await asked_ms(by_hour, database) for _ in range(MONTH_TIMES + 1)][1:]
    filed = await database.fetchrow("SELECT count(*) AS files, sum(bytes) AS bytes, sum(rows) AS rows FROM past_file")
    assert filed is not None
    return {
        "month_rows": laid.rows,
        "month_hot_city_hourly_ms_p50": round(float(np.median(took_ms)), 1),
        "month_hot_bytes_per_reading": round(size / laid.rows, 1),
        "month_moved_per_s": round(sum(one.taken for one in moved) / move_s),
        "month_files": filed["files"],
        "month_filed_city_hourly_ms_p50": round(float(np.median(cold_ms)), 1),
        "month_filed_series_by_hour_ms_p50": round(float(np.median(series_ms)), 1),
        "month_filed_bytes_per_reading": round(float(filed["bytes"] / filed["rows"]), 2),
        "mover_rss_mb_max": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    async with Engines(folder / "data") as engines:
        dsn = engines.addresses.postgres_dsn
        await migrate(dsn)
        for tenant in (CITY, OTHER):
            await create_tenant(dsn, tenant, tenant.title())
        async with await Store.connect(dsn) as store:
            writing = await measure_writing(store, OTHER, folder, options.written, WRITTEN_DAYS)
        stretches = [
            Stretch(options.series, MINUTE_S, options.hours * HOUR_S),
            Stretch(options.slow, FIVE_MINUTES_S, options.days * DAY_S),
        ]
        laid = await lay(dsn, CITY, stretches)
        asked = questions(laid, options.hours, options.days)
        figures: dict[str, Any] = {"rows": laid.rows, **await cold(engines, asked)}
        async with await Store.connect(dsn, files=folder / "past") as store:
            database = await store.tenant(CITY)
            leave_alone()  # as the process does that answers
            figures |= await warm(database, asked, options.times)
            size = await database.fetchval("SELECT pg_total_relation_size('observation')")
            figures["bytes_per_reading"] = round(size / laid.rows, 1)
            if options.plans:
                await say_plans(database, asked)
            if options.month:
                figures |= await measure_month(store, dsn, options.series)
    return figures | writing


async def run(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="broadstreet-") as name:
        figures = await measure(options, Path(name))
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast the past is read, and written.")
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--hours", type=int, default=12)
    parser.add_argument("--slow", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--written", type=int, default=500)
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--month", action="store_true")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
