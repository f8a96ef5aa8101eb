"""The shipped mappings on the real sets: sums and hourly means are those of pandas on the files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from broadstreet.store import Database
from tests.contract.desk import Desk, open_desk

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
async def desk(city_dsn: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(city_dsn, tmp_path) as opened:
        yield opened


async def test_los_angeles(desk: Desk, shared_data: Path) -> None:
    file = shared_data / "traffic-los-angeles" / "speed_5min.csv"
    report = await desk.take_in(file, (EXAMPLES / "los-angeles.toml").read_text())
    assert (report.totals.accepted, report.totals.rejected, report.sensors) == (417_312, 0, 207)
    frame = pd.read_csv(file)
    frame.index = pd.date_range("2012-03-01", periods=len(frame), freq="5min", tz="America/Los_Angeles")
    await _equals(desk.database, "urn:ngsi-ld:TrafficFlowObserved:la-", frame)


async def test_melbourne(desk: Desk, shared_data: Path) -> None:
    file = shared_data / "pedestrians-melbourne" / "counts_hourly.csv.gz"
    report = await desk.take_in(file, (EXAMPLES / "melbourne.toml").read_text())
    totals = report.totals
    assert (totals.accepted, totals.rejected, totals.accepted + totals.rejected) == (326_560, 9, 326_569)
    assert (totals.ambiguous, report.reasons) == (34, {"time that does not exist": 9})
    lines = [int(row["line"]) for row in desk.rejected(report)]
    frame = pd.read_csv(file)
    local = pd.to_datetime(frame["time"])
    skipped = frame.index[local == pd.Timestamp("2012-10-07T02:00")]
    assert lines == [index + 2 for index in skipped]
    frame["time"] = local.dt.tz_localize("Australia/Melbourne", ambiguous=np.zeros(len(local), bool), nonexistent="NaT")
    wide = frame.dropna().pivot(index="time", columns="sensor_id", values="count")
    await _equals(desk.database, "urn:ngsi-ld:CrowdFlowObserved:melbourne-", wide)
    again = await desk.take_in(file, (EXAMPLES / "melbourne.toml").read_text())
    assert (again.is_repeat, again.totals) == (True, totals)


async def _equals(database: Database, prefix: str, frame: pd.DataFrame) -> None:
    """Sums and hourly means of every sensor are those of a table with a column a sensor."""
    rows = await database.fetch(
        "SELECT e.id, count(*) AS count, sum(number) AS sum FROM observation o JOIN series s ON s.key = o.series_key "
        "JOIN entity e ON e.key = s.entity_key WHERE number IS NOT NULL GROUP BY e.id"
    )
    found = {row["id"].removeprefix(prefix): (row["count"], row["sum"]) for row in rows}
    sums, counts = frame.sum(), frame.count()
    assert {name: count for name, (count, _) in found.items()} == {str(name): n for name, n in counts.items()}
    assert all(np.isclose(found[str(name)][1], total, rtol=1e-12, atol=0) for name, total in sums.items())
    hourly = await database.fetch(
        "SELECT e.id, date_trunc('hour', observed_at) AS hour, avg(number) AS mean FROM observation o "
        "JOIN series s ON s.key = o.series_key JOIN entity e ON e.key = s.entity_key "
        "WHERE number IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
    )
    means = frame.tz_convert("UTC").resample("1h").mean()
    means.columns = [f"{prefix}{name}" for name in means.columns]
    found_means = pd.DataFrame.from_records([tuple(row) for row in hourly], columns=["id", "hour", "mean"])
    found_means["hour"] = pd.to_datetime(found_means["hour"], unit="us", utc=True)
    stored = found_means.pivot(index="hour", columns="id", values="mean")
    pd.testing.assert_frame_equal(
        stored,
        means.dropna(how="all")[stored.columns],
        check_exact=False,
        rtol=1e-9,
        atol=0,
        check_names=False,
        check_freq=False,
        check_index_type=False,
        check_column_type=False,
    )
