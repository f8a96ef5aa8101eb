"""History against a naive model: a dictionary for the past, pandas and a calendar for what it amounts to."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from broadstreet.history import Observations, Period, Points, append, chart
from broadstreet.history.aggregates import HOUR_US, Method, sums
from broadstreet.history.appending import COPY_FROM_ROWS
from broadstreet.history.arrays import numbers_of, times_of
from broadstreet.history.downsampling import GAP_STEPS, gaps
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.errors import InvalidInput, InvalidQuery, TooMany
from broadstreet.store import Database, Store, write_origin

T0_US = 1_767_225_600_000_000
DAY_US = 86_400_000_000
QUICK = [method for method in Method if method is not Method.DISTINCT_COUNT]

batches = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.sampled_from([0.0, 1.0, 2.5])), max_size=12),
    min_size=1,
    max_size=6,
)
series = st.lists(
    st.tuples(st.integers(0, DAY_US - 1), st.floats(-1e6, 1e6)), max_size=300, unique_by=lambda point: point[0]
).map(sorted)


@pytest.fixture
async def tenant(city_dsn: str) -> AsyncIterator[tuple[Database, list[int]]]:
    async with await Store.connect(city_dsn) as store:
        city = await store.tenant("city")
        terms = await store.terms(city).intern(["urn:a", "urn:b", "urn:c"])
        entity = await city.fetchval(
            "INSERT INTO entity (id, types, created_at, modified_at) "
            "VALUES ('urn:e', '{1}', now(), now()) RETURNING key"
        )
        rows = await city.fetch(
            "INSERT INTO series (entity_key, term_key) SELECT $1, unnest($2::int[]) RETURNING key",
            entity,
            sorted(terms.values()),
        )
        yield city, [row["key"] for row in rows]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches=batches, pad=st.booleans())
async def test_appending_is_writing_into_a_dictionary(
    tenant: tuple[Database, list[int]], batches: list[list[tuple[int, int, float]]], pad: bool
) -> None:
    """Any batches, by upsert or (padded past the bound) by COPY, leave what a dictionary would hold, and its newest."""
    database, keys = tenant
    await database.execute("DELETE FROM observation")
    await database.execute("DELETE FROM attribute")
    past: dict[tuple[int, int], float] = {}
    for number, batch in enumerate(batches):
        rows = [(keys[s], T0_US + t, v) for s, t, v in batch]
        if pad:
            rows += [(keys[0], T0_US + 1_000 * (number + 1) + i, 0.0) for i in range(COPY_FROM_ROWS)]
        async with database.transaction() as connection:
            origin = await write_origin(connection, "import", "test", T0_US)
            columns = list(zip(*rows, strict=True)) or [(), (), ()]
            done = await append(connection, Observations.of(*columns), origin_key=origin, written_at_us=T0_US)
        last_word = {(s, t): v for s, t, v in rows}
        assert done.inserted == len(last_word.keys() - past.keys())
        assert done.corrected == sum(past[key] != last_word[key] for key in last_word.keys() & past.keys())
        assert done.inserted + done.corrected + done.repeated + done.superseded == len(rows)
        past |= last_word
    found = await database.fetch("SELECT series_key, observed_at, number FROM observation")
    assert {(row["series_key"], row["observed_at"]): row["number"] for row in found} == past
    newest = {s: (t, v) for (s, t), v in sorted(past.items())}
    current = await database.fetch("SELECT series_key, as_of, number FROM attribute")
    assert {row["series_key"]: (row["as_of"], row["number"]) for row in current} == newest


@given(st.sampled_from(["nan", "inf", "-inf"]), st.integers(0, 5))
def test_only_finite_numbers_are_observations(wrong: str, place: int) -> None:
    numbers = np.zeros(6)
    numbers[place] = float(wrong)
    with pytest.raises(InvalidInput, match="finite"):
        Observations.of(1, np.arange(6), numbers)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(points=st.lists(st.tuples(st.integers(MIN_US, MAX_US), st.floats(allow_nan=False, width=64)), min_size=1))
async def test_columns_are_what_the_database_sent(
    tenant: tuple[Database, list[int]], points: list[tuple[int, float]]
) -> None:
    row = await tenant[0].fetchrow(
        "SELECT array_send($1::timestamptz[]) AS times, array_send($2::float8[]) AS numbers", *zip(*points, strict=True)
    )
    assert row is not None
    assert list(zip(times_of(row["times"]).tolist(), numbers_of(row["numbers"]).tolist(), strict=True)) == points


@given(series, st.integers(4, 40))
def test_a_chart_keeps_the_shape(points: list[tuple[int, float]], wanted: int) -> None:
    """M4's promise, checked stretch by stretch: first, last, least and greatest stay, and nothing is made up."""
    at_us = np.array([at for at, _ in points], np.int64)
    values = np.array([value for _, value in points], np.float64)
    made = chart(Points(at_us, values), 0, DAY_US, wanted)
    kept = dict(zip(made.at_us.tolist(), made.values.tolist(), strict=True))
    assert len(made.at_us) <= wanted
    assert kept.items() <= dict(points).items()
    assert made.at_us.tolist() == sorted(kept)
    assert made.count == len(points)
    if made.is_raw:
        assert len(made.low) == len(made.high) == 0
        return
    stretch_us = -(-DAY_US // (wanted // 4))
    for number in {at // stretch_us for at, _ in points}:
        stretch = [(at, value) for at, value in points if at // stretch_us == number]
        stayed = [(at, value) for at, value in kept.items() if at // stretch_us == number]
        assert (stayed[0], stayed[-1]) == (stretch[0], stretch[-1])
        extremes = min(v for _, v in stretch), max(v for _, v in stretch)
        assert (min(v for _, v in stayed), max(v for _, v in stayed)) == extremes
        of_stretch = made.at_us // stretch_us == number
        assert set(made.low[of_stretch].tolist()) == {extremes[0]}
        assert set(made.high[of_stretch].tolist()) == {extremes[1]}


@given(series)
def test_gaps_are_where_neighbours_are_far_apart(points: list[tuple[int, float]]) -> None:
    times = [at for at, _ in points]
    steps = [b - a for a, b in itertools.pairwise(times)]
    expected = []
    if len(steps) >= 2:
        usual = float(np.median(steps))
        expected = [(a, b) for a, b in itertools.pairwise(times) if b - a > GAP_STEPS * usual]
    assert gaps(np.array(times, np.int64)) == expected


zones = st.sampled_from(["UTC", "Europe/Helsinki", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(
    st.integers(0, 4_000_000_000).map(lambda s: s * 1_000_000),
    st.integers(0, 800 * DAY_US),
    st.sampled_from(["PT1H", "PT7M", "P1D", "P1W", "P1M", "P3M", "P1Y", "P1DT12H", "PT0S"]),
    zones,
)
@example(T0_US, 0, "P1D", "UTC")
def test_periods_cover_a_range_without_overlap(from_us: int, length_us: int, duration: str, zone: str) -> None:
    try:
        edges = Period.parse(duration).edges(from_us, from_us + length_us, ZoneInfo(zone)).tolist()
    except TooMany:
        assert duration == "PT7M"
        return
    assert edges[0] == from_us
    assert edges == sorted(set(edges))
    if length_us:
        assert edges[-2] < from_us + length_us <= edges[-1]
    else:
        assert edges == [from_us]


@given(st.dates(datetime(1975, 1, 1, tzinfo=UTC).date(), datetime(2035, 1, 1, tzinfo=UTC).date()), zones)
def test_days_begin_at_midnight_and_months_on_the_first(day: object, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    first = datetime.fromisoformat(f"{day}").replace(day=1, tzinfo=zone)
    assume(_has_midnight(first))
    from_us = int(first.timestamp()) * 1_000_000
    for duration in ("P1D", "P1M"):
        edges = Period.parse(duration).edges(from_us, from_us + 366 * DAY_US, zone)
        starts = [datetime.fromtimestamp(at_us / 1e6, zone) for at_us in edges.tolist()]
        assert all(start.hour * 60 + start.minute == 0 for start in starts if _has_midnight(start))
        if duration == "P1M":
            assert {start.day for start in starts} == {1}


def _has_midnight(at: datetime) -> bool:
    """Whether that day has a midnight: some zones change their clocks then."""
    midnight = at.replace(hour=0, minute=0, fold=0)
    there = midnight.astimezone(UTC).astimezone(at.tzinfo)
    return there.hour == there.minute == 0


def test_months_from_the_31st_do_not_wander() -> None:
    start = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp()) * 1_000_000
    edges = Period.parse("P1M").edges(start, start + 120 * DAY_US)
    days = [datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%m-%d") for at_us in edges.tolist()]
    assert days == ["01-31", "02-28", "03-31", "04-30", "05-31"]


@given(st.text(alphabet="P0123456789YMWDTHS.,-", max_size=12))
def test_what_is_no_duration_is_refused_in_words(text: str) -> None:
    try:
        period = Period.parse(text, "period")
    except InvalidInput as error:
        assert error.where == "period"
    else:
        assert period.months >= 0
        assert period.days >= 0
        assert period.us >= 0


@given(points=series.filter(bool), split=st.integers(0, 300), hours=st.integers(1, 24))
def test_numbers_alone_amount_to_what_any_values_do(points: list[tuple[int, float]], split: int, hours: int) -> None:
    at_us, numbers = (list(column) for column in zip(*points, strict=True))
    keys = [1] * min(split, len(points)) + [2] * max(len(points) - split, 0)
    frame = pl.DataFrame(
        {"series_key": keys, "at_us": at_us, "number": numbers, "value": [None] * len(points)},
        {"series_key": pl.Int32, "at_us": pl.Int64, "number": pl.Float64, "value": pl.String},
    )
    edges = Period(us=hours * HOUR_US).edges(0, DAY_US)
    quick = sums(frame, edges, QUICK)
    slow = sums(frame, edges, [*QUICK, Method.DISTINCT_COUNT])
    assert [(one.series_key, one.from_us, one.to_us) for one in quick] == [
        (one.series_key, one.from_us, one.to_us) for one in slow
    ]
    for one, other in zip(quick, slow, strict=True):
        for method in QUICK:
            value = other.values[method]
            near = pytest.approx(value, rel=1e-12, abs=1e-3) if isinstance(value, float) else value
            assert one.values[method] == near


@pytest.mark.parametrize("method", [Method.SUM, Method.AVG, Method.SUMSQ, Method.STDDEV])
def test_what_cannot_be_added_up_is_said(method: Method) -> None:
    frame = pl.DataFrame({"series_key": [1, 1], "at_us": [0, 1], "number": [1e308, 1.1e308], "value": [None, None]})
    with pytest.raises(InvalidQuery, match="too large"):
        sums(frame, np.array([0, 10]), [method])
