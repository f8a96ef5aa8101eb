"""Every query of the past goes by an index: PostgreSQL is asked for its plan, as a tenant's own role."""

from __future__ import annotations

import numpy as np

from broadstreet.history import Observations
from broadstreet.store.queries import load_queries
from tests.contract.past import T0_US, open_past

MINUTE_US = 60_000_000
ROWS = 20_000
TO_US = T0_US + ROWS * MINUTE_US
DAY_US = 1_440 * MINUTE_US
IN_INDEX_ALONE = {"numbers", "numbers_if_told", "points", "count", "hourly_means", "sums_by_period"}


async def test_every_read_of_the_past_goes_by_its_index(city_dsn: str) -> None:
    async with open_past(city_dsn) as past:
        keys = past.series_keys
        times = T0_US + MINUTE_US * np.arange(ROWS)
        for key in keys:
            await past.append(Observations.of(key, times, np.ones(ROWS)))
        await past.analyze(city_dsn)
        some, day = keys[:2], (T0_US, T0_US + DAY_US)
        asked = {
            "numbers": (some, *day, 1_000_000),
            "numbers_if_told": (some, *day, 1_000_000),
            "others": (some, *day),
            "points": (keys[0], *day, 1_000),
            "oldest_first": (some, *day, 1_000),
            "newest_first": (some, *day, 1_000),
            "count": (some, *day),
            "columns": (some, *day, 1_000_000),
            "existing": (some, [T0_US, T0_US]),
            "overlaps": (some, [T0_US, T0_US], [T0_US, T0_US]),
            "hourly_means": (some, *day),
            "sums_by_period": (past.term_key, [T0_US], [TO_US]),
            "rank_max": (past.term_key, *day, 10),
            "rank_min": (past.term_key, *day, 10),
            "rank_mean": (past.term_key, *day, 10),
            "rank_last": (past.term_key, *day, 10),
        }
        queries = {**load_queries("observation"), **load_queries("aggregate"), **load_queries("past")}
        for name, arguments in asked.items():
            plan = "\n".join(row[0] for row in await past.database.fetch(f"EXPLAIN {queries[name]}", *arguments))
            assert "Seq Scan on observation" not in plan, f"{name}:\n{plan}"
            if name in IN_INDEX_ALONE:
                assert "Index Only Scan using observation_pkey" in plan, f"{name}:\n{plan}"


async def test_a_key_without_the_number_would_be_noticed(city_dsn: str) -> None:
    async with open_past(city_dsn) as past:
        await past.append(Observations.of(past.series_keys[0], T0_US + np.arange(5_000), np.ones(5_000)))
        await past.rekey(city_dsn, "PRIMARY KEY (series_key, observed_at, n)")
        await past.analyze(city_dsn)
        sql = load_queries("observation")["numbers"]
        rows = await past.database.fetch(f"EXPLAIN {sql}", past.series_keys[:1], T0_US, TO_US, 1_000)
        assert not any("Index Only Scan" in row[0] for row in rows)
