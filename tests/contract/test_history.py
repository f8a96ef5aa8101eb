"""History on a real PostgreSQL: appending with exact meaning, and every way of reading it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import numpy as np
import pandas as pd
import pytest

from broadstreet.history import (
    Method,
    Observation,
    Observations,
    Period,
    Stat,
    aggregate,
    appending,
    downsample,
    existing,
    exporting,
    extents,
    hourly_bars,
    nearest_before,
    overall,
    ranking,
    read,
    read_range,
    time_zone,
)
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.errors import InvalidQuery
from tests.contract.past import T0_US, Past, all_of, open_past

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US


@pytest.fixture
async def past(city_dsn: str) -> AsyncIterator[Past]:
    async with open_past(city_dsn) as opened:
        yield opened


async def test_what_is_new_is_inserted_and_becomes_current(past: Past) -> None:
    key, other = past.series_keys[:2]
    done, origin = await past.append(Observations.of([other, key, key], [T0_US, T0_US + 1, T0_US], [3.0, 2.0, 1.0]))
    assert (done.inserted, done.corrected, done.repeated, done.superseded) == (3, 0, 0, 0)
    assert await past.rows() == [
        (key, T0_US, 1.0, None, origin, None),
        (key, T0_US + 1, 2.0, None, origin, None),
        (other, T0_US, 3.0, None, origin, None),
    ]
    assert [(c.series_key, c.version, c.as_of_us, c.value, c.old, c.created) for c in done.changes] == [
        (key, 1, T0_US + 1, 2.0, None, True),
        (other, 1, T0_US, 3.0, None, True),
    ]


async def test_saying_it_again_changes_nothing(past: Past) -> None:
    key = past.series_keys[0]
    batch = Observations.of(key, T0_US + MINUTE_US * np.arange(2_000), np.arange(2_000))
    await past.append(batch)
    rows, current = await past.rows(), await past.current(key)
    for _ in range(2):
        done, _ = await past.append(batch, T0_US + HOUR_US)
        assert (done.inserted, done.corrected, done.repeated, done.changes) == (0, 0, 2_000, [])
    assert await past.rows() == rows
    assert await past.current(key) == current


async def test_another_value_is_a_correction(past: Past) -> None:
    key = past.series_keys[0]
    await past.append(Observations.of(key, [T0_US, T0_US + 1], [1.0, 2.0]))
    done, origin = await past.append(Observations.of(key, [T0_US, T0_US + 1], [1.0, 5.0]), T0_US + HOUR_US)
    assert (done.inserted, done.corrected, done.repeated) == (0, 1, 1)
    assert (await past.rows())[1] == (key, T0_US + 1, 5.0, None, origin, T0_US + HOUR_US)
    (change,) = done.changes
    assert (change.version, change.value, change.old, change.created) == (2, 5.0, 2.0, False)
    late, _ = await past.append(Observations.of(key, [T0_US], [9.0]), T0_US + HOUR_US)
    assert (late.corrected, late.changes) == (1, [])


async def test_a_version_rises_with_every_change_of_the_past_too(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the recorder's does, so that (series, version) tells what a consumer has seen, whoever wrote."""
    key, other = past.series_keys[:2]

    async def versions() -> list[int | None]:
        rows = [await past.current(series) for series in (key, other)]
        return [None if row is None else row["version"] for row in rows]

    await past.append(Observations.of([key, other], [T0_US, T0_US], [1.0, 1.0]))
    assert await versions() == [1, 1]
    earlier = Observations.of(key, [T0_US - 1], [0.5])
    await past.append(earlier)
    assert await versions() == [2, 1], "a late reading"
    await past.append(earlier)
    assert await versions() == [2, 1], "said again, it changes nothing"
    await past.append(Observations.of(key, [T0_US - 1], [0.25]))
    assert await versions() == [3, 1], "a correction of the past"
    monkeypatch.setattr(appending, "COPY_FROM_ROWS", 1)
    await past.append(Observations.of([key, key, other], [T0_US - 3, T0_US - 2, T0_US + 1], [1.0, 2.0, 3.0]))
    assert await versions() == [4, 2], "once for a batch, by COPY too"
    await past.database.execute("UPDATE attribute SET deleted_at = as_of WHERE series_key = $1", key)
    await past.append(Observations.of(key, [T0_US - 9], [1.0]))
    assert await versions() == [5, 2], "a tombstone counts on"


async def test_within_a_batch_the_last_word_counts(past: Past) -> None:
    key = past.series_keys[0]
    done, _ = await past.append(Observations.of(key, [T0_US] * 4, [1.0, 2.0, 1.0, 2.0]))
    assert (done.inserted, done.corrected, done.repeated, done.superseded) == (1, 0, 1, 2)
    assert [row[2] for row in await past.rows()] == [2.0]


async def test_a_late_reading_stays_in_the_past_and_a_tombstone_holds(past: Past) -> None:
    key = past.series_keys[0]
    await past.append(Observations.of(key, [T0_US], [1.0]))
    late, _ = await past.append(Observations.of(key, [T0_US - 1], [0.5]))
    assert (late.inserted, late.changes) == (1, [])
    await past.database.execute("UPDATE attribute SET deleted_at = $1, version = 2", T0_US + 10)
    older, _ = await past.append(Observations.of(key, [T0_US + 10], [2.0]))
    assert (older.inserted, older.changes) == (1, [])
    newer, _ = await past.append(Observations.of(key, [T0_US + 11], [3.0]), T0_US + 99)
    (change,) = newer.changes
    assert (change.version, change.created, change.value) == (4, True, 3.0)
    current = await past.current(key)
    assert current is not None
    assert (current["deleted_at"], current["created_at"], current["number"]) == (None, T0_US + 99, 3.0)


async def test_other_values_than_numbers_are_kept(past: Past) -> None:
    key = past.series_keys[0]
    values: list[Any] = ["open", None, True, [1, 2], {"a": None}, None]
    numbers = np.array([np.nan, 7.0, np.nan, np.nan, np.nan, np.nan])
    batch = Observations(np.full(6, key, np.int32), T0_US + np.arange(6), numbers, values)
    done, _ = await past.append(batch)
    assert done.inserted == 6
    assert (await past.append(batch))[0].repeated == 6
    found = await read(past.database, [key], T0_US, T0_US + 6)
    assert [o.value for o in found] == ["open", 7.0, True, [1, 2], {"a": None}, None]
    numbers_only = await read_range(past.database, key, T0_US, T0_US + 6)
    assert numbers_only.values.tolist() == [7.0]


async def test_sub_attributes_come_along(past: Past) -> None:
    key = past.series_keys[0]
    meta = await past.database.fetchval("INSERT INTO meta (body, hash) VALUES ('{}', 'x') RETURNING key")
    for first_us, count in ((T0_US, 600), (T0_US + HOUR_US * 100, 3)):
        times = first_us + MINUTE_US * np.arange(count)
        keys, metas = np.full(count, key, np.int32), np.full(count, meta, np.int32)
        await past.append(Observations(keys, times, np.zeros(count), meta_keys=metas))
    assert await past.database.fetchval("SELECT array_agg(DISTINCT meta_key) FROM observation") == [meta]
    current = await past.current(key)
    assert current is not None
    assert current["meta_key"] == meta


async def test_copy_and_upsert_race_to_the_same_result(past: Past) -> None:
    """Two writers of the same fresh rows at once: one copies, the other finds out too late and falls back."""
    batch = Observations.of(np.repeat(past.series_keys, 2_000), np.tile(T0_US + np.arange(2_000), 5), np.zeros(10_000))
    first, second = await asyncio.gather(past.append(batch), past.append(batch))
    assert first[0].inserted + second[0].inserted == 10_000
    assert first[0].repeated + second[0].repeated == 10_000
    assert len(await past.rows()) == 10_000


async def test_copy_falls_back_when_it_meets_another_row(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    key = past.series_keys[0]
    await past.append(Observations.of(key, [T0_US + 5], [1.0]))
    blind = {**appending._SQL, "overlaps": "SELECT $1::int[] IS NULL AND $2::timestamptz[] = $3::timestamptz[]"}
    monkeypatch.setattr(appending, "_SQL", blind)
    done, _ = await past.append(Observations.of(key, T0_US + np.arange(1_000), np.ones(1_000)))
    assert (done.inserted, done.repeated) == (999, 1)


async def test_nothing_that_is_no_number_gets_in(past: Past) -> None:
    done, _ = await past.append(Observations.of([], [], []))
    assert (done.inserted, done.changes) == (0, [])
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await past.append(Observations.of([999], [T0_US], [1.0]))
    assert await past.rows() == []


async def test_ranges_are_half_open(past: Past) -> None:
    key = past.series_keys[0]
    await past.append(Observations.of(key, [T0_US, T0_US + 1, T0_US + 2], [1.0, 2.0, 3.0]))
    database = past.database
    assert (await read_range(database, key, T0_US, T0_US + 2)).values.tolist() == [1.0, 2.0]
    assert (await read_range(database, key, T0_US, T0_US + 3, limit=1)).at_us.tolist() == [T0_US]
    assert len(await read_range(database, key, T0_US, T0_US)) == 0
    assert len(await read_range(database, past.series_keys[1], MIN_US, MAX_US)) == 0
    newest = await read(database, past.series_keys[:2], T0_US, T0_US + 3, limit=2, newest_first=True)
    assert [o.value for o in newest] == [3.0, 2.0]
    for at_us, value in ((T0_US - 1, None), (T0_US, 1.0), (T0_US + 99, 3.0)):
        found = await nearest_before(database, key, at_us)
        assert (found.value if found else None) == value
    extent = (await extents(database, past.series_keys, T0_US + 1))[key]
    assert (extent.count, extent.first_us, extent.last_us) == (2, T0_US + 1, T0_US + 2)
    with pytest.raises(InvalidQuery):
        await read_range(database, key, T0_US, T0_US - 1)


async def test_a_long_range_comes_whole(past: Past) -> None:
    """Longer than a network buffer, so that pieces end within rows."""
    key = past.series_keys[0]
    times = T0_US + MINUTE_US * np.arange(30_000)
    values = np.random.default_rng(1).normal(size=30_000)
    await past.append(Observations.of(key, times, values))
    found = await read_range(past.database, key, MIN_US, MAX_US)
    assert np.array_equal(found.at_us, times)
    assert np.array_equal(found.values, values)


async def test_what_stands_is_found_by_position(past: Past) -> None:
    key, other = past.series_keys[:2]
    _, origin = await past.append(Observations.of([key, other], [T0_US, T0_US], [1.0, 2.0]))
    keys, times = np.array([other, key, key], np.int32), np.array([T0_US, T0_US + 1, T0_US])
    async with past.database.acquire() as connection:
        found = await existing(past.database, connection, keys, times)
    assert {position: (e.value, e.origin_key) for position, e in found.items()} == {0: (2.0, origin), 2: (1.0, origin)}


async def test_aggregates_are_those_of_pandas(past: Past) -> None:
    key = past.series_keys[0]
    times = T0_US + 5 * MINUTE_US * np.arange(2_000)
    values = np.random.default_rng(2).integers(0, 40, 2_000).astype(float)
    await past.append(Observations.of(key, times, values))
    grouped = pd.Series(values, pd.to_datetime(times, unit="us", utc=True)).resample("1h")
    found = await aggregate(past.database, [key], T0_US, int(times[-1]) + 1, Period.parse("PT1H"), list(Method))
    expected = {
        Method.TOTAL_COUNT: grouped.count(),
        Method.DISTINCT_COUNT: grouped.nunique(),
        Method.SUM: grouped.sum(),
        Method.AVG: grouped.mean(),
        Method.MIN: grouped.min(),
        Method.MAX: grouped.max(),
        Method.STDDEV: grouped.std(),
        Method.SUMSQ: grouped.apply(lambda hour: (hour**2).sum()),
    }
    assert len(found) == len(grouped.count())
    for method, series in expected.items():
        assert np.allclose([a.values[method] for a in found], series, rtol=1e-12, atol=0), method


async def test_aggregates_of_other_values(past: Past) -> None:
    key = past.series_keys[0]
    values: list[Any] = ["b", "a", True, False, [1, 2, 3], {"x": 1}, None]
    numbers = np.full(7, np.nan)
    await past.append(Observations(np.full(7, key, np.int32), T0_US + np.arange(7), numbers, values))
    (texts,) = await aggregate(past.database, [key], T0_US, T0_US + 2, Period(), list(Method))
    assert texts.values == {
        Method.TOTAL_COUNT: 2,
        Method.DISTINCT_COUNT: 2,
        Method.SUM: None,
        Method.AVG: None,
        Method.MIN: "a",
        Method.MAX: "b",
        Method.STDDEV: None,
        Method.SUMSQ: None,
    }
    (rest,) = await aggregate(past.database, [key], T0_US + 2, None, Period(), list(Method))
    assert (rest.values[Method.TOTAL_COUNT], rest.values[Method.DISTINCT_COUNT]) == (5, 5)
    assert (rest.values[Method.SUM], rest.values[Method.MIN], rest.values[Method.MAX]) == (4.0, 0.0, 3.0)


async def test_aggregates_of_nothing_one_and_too_much(past: Past) -> None:
    key, empty = past.series_keys[:2]
    await past.append(Observations.of(key, [T0_US, T0_US + HOUR_US], [5.0, 1e200]))
    hour = Period.parse("PT1H")
    assert await aggregate(past.database, [empty], None, None, hour, [Method.AVG]) == []
    assert await aggregate(past.database, [key], T0_US, T0_US, hour, [Method.AVG]) == []
    (one,) = await aggregate(past.database, [key], T0_US, T0_US + 1, hour, [Method.AVG, Method.STDDEV])
    assert (one.values, one.to_us - one.from_us) == ({Method.AVG: 5.0, Method.STDDEV: None}, HOUR_US)
    with pytest.raises(InvalidQuery, match="too large"):
        await aggregate(past.database, [key], None, None, hour, [Method.SUMSQ])


async def test_a_day_is_a_day_when_the_clocks_change(past: Past) -> None:
    """In Helsinki 29 March 2026 has 23 hours and 25 October 25."""
    key = past.series_keys[0]
    start, end = (int(datetime(2026, m, 1, tzinfo=UTC).timestamp()) * 1_000_000 - 3 * HOUR_US for m in (3, 12))
    times = np.arange(start, end, HOUR_US)
    await past.append(Observations.of(key, times, np.ones(len(times))))
    zone = time_zone("Europe/Helsinki")
    from_us = int(datetime(2026, 3, 2, tzinfo=zone).timestamp()) * 1_000_000
    days = await aggregate(past.database, [key], from_us, end, Period.parse("P1D"), [Method.TOTAL_COUNT], zone)
    counts = {
        datetime.fromtimestamp(day.from_us / 1e6, zone).date().isoformat(): day.values[Method.TOTAL_COUNT]
        for day in days
    }
    odd = {day: count for day, count in counts.items() if count != 24}
    odd.pop("2026-12-01", None)
    odd.pop("2026-11-30", None)
    assert odd == {"2026-03-29": 23, "2026-10-25": 25}


async def test_hourly_bars(past: Past) -> None:
    key, other, empty = past.series_keys[:3]
    now_us = T0_US + 30 * MINUTE_US
    times = now_us - 5 * MINUTE_US * np.arange(400)
    values = np.random.default_rng(3).random(400)
    await past.append(Observations.of(key, times, values))
    await past.append(Observations.of(other, [T0_US - 23 * HOUR_US, T0_US - 23 * HOUR_US - 1], [4.0, 99.0]))
    bars = await hourly_bars(past.database, [other, empty, key], now_us)
    assert bars.shape == (3, 24)
    assert bars[0, 0] == 4.0
    assert np.isnan(bars[0, 1:]).all()
    assert np.isnan(bars[1]).all()
    hourly = pd.Series(values, pd.to_datetime(times, unit="us")).resample("1h").mean().iloc[-24:]
    assert np.allclose(bars[2], hourly, rtol=1e-12)


async def test_a_city_is_the_mean_of_all_its_observations(past: Past) -> None:
    times = T0_US + 5 * MINUTE_US * np.arange(36)
    values = {key: np.random.default_rng(key).random(36) for key in past.series_keys[:3]}
    for key, numbers in values.items():
        await past.append(Observations.of(key, times, numbers))
    texts = Observations(np.array([past.series_keys[3]], np.int32), times[:1], np.array([np.nan]), ["open"])
    await past.append(texts)
    await past.append(Observations.of(past.series_keys[4], [T0_US + 2 * HOUR_US + 1, T0_US + 9 * HOUR_US], [7.0, 8.0]))
    found = await overall(past.database, past.term_key, T0_US, T0_US + 5 * HOUR_US, Period.parse("PT1H"))
    assert [(one.from_us - T0_US) // HOUR_US for one in found] == [0, 1, 2], "an hour without a number is left out"
    assert [one.count for one in found] == [36, 36, 37]
    hours = np.concatenate(list(values.values())).reshape(3, 3, 12).transpose(1, 0, 2).reshape(3, 36)
    means = (hours.sum(axis=1) + np.array([0, 0, 7.0])) / [36, 36, 37]
    assert np.allclose([one.mean for one in found], means, rtol=1e-12)
    short = await overall(past.database, past.term_key, T0_US, T0_US + 1, Period.parse("PT1H"))
    assert [(one.to_us, one.count) for one in short] == [(T0_US + 1, 3)], "the last period ends with the range"
    assert await overall(past.database, past.term_key, T0_US, T0_US, Period.parse("PT1H")) == []
    await past.append(Observations.of(past.series_keys[:2], [T0_US, T0_US + 1], [1.7e308, 1.7e308]))
    with pytest.raises(InvalidQuery, match="too large"):
        await overall(past.database, past.term_key, T0_US, T0_US + HOUR_US, Period())


async def test_ranking(past: Past) -> None:
    a, b, c, gone, silent = past.series_keys
    await past.append(Observations.of([a, a, a, b, b], T0_US + np.array([0, 1, 2, 0, 1]), [1.0, 9.0, 2.0, 5.0, 4.0]))
    await past.append(Observations.of([c, c, gone], T0_US + np.array([0, 1, 0]), [9.0, 9.0, 100.0]))
    await past.append(Observations.of(silent, [T0_US - 1], [1000.0]))
    await past.database.execute(
        "UPDATE entity SET deleted_at = now() WHERE key = (SELECT entity_key FROM series WHERE key = $1)", gone
    )

    async def ranked(stat: Stat) -> list[tuple[int, float, int]]:
        ranks = await ranking(past.database, past.term_key, stat, T0_US, T0_US + 10)
        return [(rank.series_key, rank.value, rank.at_us - T0_US) for rank in ranks]

    assert await ranked(Stat.MAX) == [(a, 9.0, 1), (c, 9.0, 0), (b, 5.0, 0)]
    assert await ranked(Stat.MIN) == [(a, 1.0, 0), (b, 4.0, 1), (c, 9.0, 0)]
    assert await ranked(Stat.MEAN) == [(c, 9.0, 1), (b, 4.5, 1), (a, 4.0, 2)]
    assert await ranked(Stat.LAST) == [(c, 9.0, 1), (b, 4.0, 1), (a, 2.0, 2)]
    top = await ranking(past.database, past.term_key, Stat.MAX, T0_US, T0_US + 10, limit=1)
    assert [rank.entity_id for rank in top] == ["urn:ngsi-ld:Sensor:1"]


async def test_charts(past: Past) -> None:
    key, empty = past.series_keys[:2]
    times = T0_US + 5 * MINUTE_US * np.delete(np.arange(20_000), np.s_[5_000:5_100])
    values = np.sin(np.arange(len(times)) / 50)
    values[12_345] = 50.0
    await past.append(Observations.of(key, times, values))
    made = await downsample(past.database, key, T0_US, int(times[-1]) + 1, 400)
    assert len(made.at_us) <= 400
    assert made.count == len(times)
    assert made.values.max() == 50.0
    assert made.gaps_us == [(int(times[4_999]), int(times[5_000]))]
    few = await downsample(past.database, key, T0_US, T0_US + HOUR_US, 400)
    assert (few.is_raw, len(few.at_us), len(few.low)) == (True, 12, 0)
    none = await downsample(past.database, empty, T0_US, T0_US + HOUR_US)
    assert (none.count, none.gaps_us, len(none.at_us)) == (0, [], 0)
    for points in (3, 4_001):
        with pytest.raises(InvalidQuery):
            await downsample(past.database, key, T0_US, T0_US + HOUR_US, points)


async def test_an_export_is_of_one_moment(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PIECE_ROWS", 1_000)
    key, other = past.series_keys[:2]
    await past.append(Observations.of(key, T0_US + np.arange(7_000), np.arange(7_000)))
    await past.append(Observations.of(other, [T0_US], [1.0]), kind="simulated")
    rows: list[Observation] = []
    async for piece in all_of(past.database, [key, other], T0_US, T0_US + 6_500):
        assert len(piece) <= 1_000
        if not rows:
            await past.append(Observations.of(other, [T0_US + 1], [2.0]))
        rows += piece
    assert [row.value for row in rows] == [*range(6_500), 1.0]
    assert (rows[-1].series_key, rows[-1].observed_at_us) == (other, T0_US)
