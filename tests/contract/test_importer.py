"""Imports on a real PostgreSQL: all that is in a file, once, whatever comes between."""

from __future__ import annotations

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from broadstreet.access import Principal
from broadstreet.context import Broker
from broadstreet.importer import Import, prepare
from broadstreet.importer.sensors import Sensors
from broadstreet.model.change import decode_changes
from broadstreet.model.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.contract.desk import ADMINISTRATOR, AS_DEVICES, MAPPING, NOW_US, TABLE, Desk, open_desk, us


@pytest.fixture
async def desk(city_dsn: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(city_dsn, tmp_path) as opened:
        yield opened


async def test_every_reading_is_accepted_or_rejected(desk: Desk) -> None:
    report = await desk.take_in(desk.write("air.csv", TABLE))
    totals = report.totals
    assert (totals.rows_done, totals.accepted, totals.rejected, totals.repeated) == (7, 7, 7, 2)
    assert (report.sensors, report.resumed_at, report.is_repeat, report.without_place) == (2, 0, False, [])
    midnight = us("2026-01-01T00:00+01:00")
    assert await desk.past() == [
        ("a", "NO2", midnight, 1.0),
        ("a", "status", midnight, "fine"),
        ("a", "status", midnight + 3_600_000_000, "dull"),
        ("b", "NO2", midnight, 2.0),
        ("b", "status", midnight, "fine"),
    ]
    rejected = [(int(r["line"]), r["column"], r["reason"]) for r in desk.rejected(report)]
    assert rejected == [
        (3, "status", "empty"),
        (4, "no2", "out of range"),
        (6, "", "a second value for one moment"),
        (7, "", "no sensor"),
        (7, "", "no sensor"),
        (8, "", "no sensor"),
        (8, "", "no sensor"),
    ]
    assert desk.rejected(report)[2]["detail"] == "3.0, where line 3 says 2.0"
    assert desk.rejected(report)[2]["original"] == "2026-01-01T00:00,b,3,fine"


async def test_what_an_import_leaves_in_the_store(desk: Desk) -> None:
    await desk.take_in(desk.write("air.csv", TABLE))
    dataset = await desk.database.fetchrow(
        "SELECT d.*, count(s.key) AS series FROM dataset d JOIN series s ON s.dataset_key = d.key GROUP BY d.key"
    )
    assert dataset is not None
    assert (dataset["id"], dataset["owner"], dataset["retention"].days, dataset["series"]) == (
        "urn:example:dataset:air",
        "The city",
        30,
        4,
    )
    origins = await desk.database.fetch("SELECT kind, principal, note FROM origin WHERE kind = 'import'")
    assert [tuple(row) for row in origins] == [("import", "test", "import of air.csv")]
    units = await desk.database.fetch("SELECT DISTINCT m.body FROM observation o JOIN meta m ON m.key = o.meta_key")
    assert [row["body"] for row in units] == [{"unitCode": "GQ"}]
    current = await desk.database.fetch("SELECT a.number FROM attribute a WHERE a.number IS NOT NULL ORDER BY 1")
    assert [row["number"] for row in current] == [1.0, 2.0]
    bodies = [row["body"] for row in await desk.database.fetch("SELECT body FROM outbox ORDER BY key")]
    batches = [decode_changes(body) for body in bodies]
    assert sum(len(batch.entities) for batch in batches) == 2
    assert [len(batch.series) for batch in batches if batch.kind == "import"] == [4]


async def test_the_same_again_is_not_done_again(desk: Desk) -> None:
    file = desk.write("air.csv", TABLE)
    first = await desk.take_in(file)
    past = await desk.past()
    again = await desk.take_in(file)
    assert (again.is_repeat, again.totals, again.reasons) == (True, first.totals, first.reasons)
    assert await desk.past() == past
    renamed = await desk.take_in(desk.write("copy.csv", TABLE))
    assert renamed.is_repeat


async def test_another_mapping_of_the_same_file_corrects(desk: Desk) -> None:
    file = desk.write("air.csv", TABLE)
    first = await desk.take_in(file)
    doubled = await desk.take_in(file, MAPPING.replace('unit = "GQ"', 'unit = "GQ"\nscale = 2.0'))
    assert (doubled.totals.accepted, doubled.totals.corrected, doubled.totals.repeated) == (7, 2, 5)
    assert [row[3] for row in await desk.past() if row[1] == "NO2"] == [2.0, 4.0]
    assert doubled.reasons == first.reasons
    retitled = await desk.take_in(file, MAPPING.replace('title = "Air"', 'title = "Air, mended"').replace("GQ", "GP"))
    assert (retitled.totals.accepted, retitled.totals.corrected) == (7, 2)
    assert await desk.database.fetchval("SELECT count(*) FROM observation WHERE modified_at = $1", NOW_US) == 2


async def test_a_second_value_is_found_across_batches_and_imports(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the first value stands by this import or by an earlier one: a file does not overrule itself."""
    monkeypatch.setattr("broadstreet.importer.readings.BATCH_READINGS", 4)
    hours = [f"2026-01-01T{hour:02}:00,a,{hour},fine" for hour in range(20)]
    file = desk.write("air.csv", "\n".join(["at,id,no2,status", *hours, "2026-01-01T03:00,a,99,fine", hours[4], ""]))
    for mapping in (MAPPING, MAPPING.replace('title = "Air"', 'title = "Air again"')):
        report = await desk.take_in(file, mapping)
        assert (report.totals.accepted, report.totals.rejected) == (43, 1)
        assert report.reasons == {"a second value for one moment": 1}
        assert [row[3] for row in await desk.past() if row[1] == "NO2"] == [float(hour) for hour in range(20)]
    assert report.totals.repeated == 43


async def test_two_local_times_are_never_merged(desk: Desk) -> None:
    lines = ["at,id,no2,status"]
    lines += ["2026-10-25T02:30,a,5,fine"] * 2  # the clocks show it twice; the policy takes both for the second
    lines += ["2026-03-29T02:30,a,7,fine", "2026-03-29T03:30,a,7,fine"]  # the first was skipped, and moves to the other
    report = await desk.take_in(desk.write("clocks.csv", "\n".join(lines)))
    assert (report.totals.accepted, report.totals.rejected) == (4, 4)
    assert (report.totals.ambiguous, report.totals.shifted) == (2, 2)
    assert report.reasons == {"two local times for one moment": 4}
    assert [row[2] for row in await desk.past() if row[1] == "NO2"] == [
        us("2026-03-29T03:30+02:00"),
        us("2026-10-25T02:30+01:00"),
    ]


async def test_sensors_become_devices_where_they_have_a_place(desk: Desk) -> None:
    desk.write("places.csv", "id,street,lat,lon\na,Oak Street,52.5,13.4\nz,Elm Street,0,0\n")
    report = await desk.take_in(desk.write("air.csv", TABLE), AS_DEVICES)
    assert report.without_place == ["b"]
    rows = await desk.database.fetch(
        "SELECT d.id, e.id AS entity, p.name FROM device d JOIN entity e ON e.key = d.entity_key "
        "JOIN profile p ON p.key = d.profile_key"
    )
    assert [tuple(row) for row in rows] == [("air-a", "urn:ngsi-ld:AirQualityObserved:a", "air")]
    assert await desk.database.fetchval("SELECT geojson FROM place") == {"type": "Point", "coordinates": [13.4, 52.5]}
    names = await desk.database.fetch("SELECT a.value FROM attribute a WHERE a.value IN ('\"b\"', '\"Oak Street\"')")
    assert len(names) == 2


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ("id,street,lat\na,x,1\n", "no column 'lon'"),
        ("id,street,lat,lon\na,x,1\n", "3 cells instead of 4"),
        ("id,street,lat,lon\na,x,north,1\n", "not degrees"),
        ("id,street,lat,lon\na,x,91,1\n", "not degrees"),
        ("id,street,lat,lon\na,x,1,1\na,x,1,2\n", "two places"),
        ("id,road,lat,lon\na,x,1,1\n", r"\{street\}"),
        ("", "is empty"),
    ],
)
async def test_wrong_places_are_refused_before_a_row_is_read(desk: Desk, places: str, words: str) -> None:
    desk.write("places.csv", places)
    with pytest.raises(InvalidInput, match=words):
        prepare(desk.write("air.csv", TABLE), AS_DEVICES)
    with pytest.raises(NotFound):
        prepare(desk.write("air.csv", TABLE), AS_DEVICES, desk.folder / "elsewhere.csv")


async def test_the_same_table_from_parquet(desk: Desk) -> None:
    begin = pl.Series(["2026-01-01T00:00"]).str.to_datetime("%Y-%m-%dT%H:%M")[0]
    frame = pl.DataFrame({"n": np.arange(600)}).select(
        at=pl.lit(begin) + pl.duration(hours="n"), id=pl.lit("a"), no2=pl.col("n").cast(float), status=pl.lit("x")
    )
    path = desk.folder / "air.parquet"
    frame.write_parquet(path)
    report = await desk.take_in(path)
    assert (report.totals.accepted, report.totals.rejected) == (1_200, 0)
    assert [row[3] for row in await desk.past() if row[1] == "NO2"] == frame["no2"].to_list()
    with gzip.open(desk.folder / "air.csv.gz", "wt") as file:
        file.write(frame.write_csv(datetime_format="%Y-%m-%dT%H:%M"))
    assert (await desk.take_in(desk.folder / "air.csv.gz")).totals.repeated == 1_200


async def test_an_import_may_be_cut_off_anywhere(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled at one moment after another and begun again, it ends as if nothing had been."""
    monkeypatch.setattr("broadstreet.importer.readings.BATCH_READINGS", 60)
    hours = [(n, f"2026-01-{1 + n // 24:02}T{n % 24:02}:00") for n in range(200)]
    rows = [f"{at},{name},{n if n % 7 else -n},ok" for n, at in hours for name in "ab"]
    rows += [*rows[:50], "2026-01-01T01:00,a,777,ok"]
    file = desk.write("air.csv", "\n".join(["at,id,no2,status", *rows]))
    starts = 0
    for turns in itertools.count(10, 50):
        work = asyncio.create_task(desk.work(file).run(desk.rejects))
        starts += 1
        for _ in range(turns):
            await asyncio.sleep(0)
        work.cancel()
        with suppress(asyncio.CancelledError):
            report = await work
            break
    assert starts > 3
    assert report.totals.rows_done == len(rows)
    assert report.totals.accepted + report.totals.rejected == 2 * len(rows)
    numbers = [row[3] for row in await desk.past() if row[1] == "NO2"]
    assert numbers == 2 * [float(n) for n in range(200) if n % 7 or n == 0]
    rejected = [(int(r["line"]), r["column"]) for r in desk.rejected(report)]
    assert len(set(rejected)) == len(rejected) == report.totals.rejected
    assert (402 + 50, "") in rejected


async def test_two_at_once_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadstreet.importer.run.LOCK_TRIES", 2)
    monkeypatch.setattr("broadstreet.importer.readings.BATCH_READINGS", 2)
    file = desk.write("air.csv", TABLE)
    going, held = asyncio.Event(), asyncio.Event()
    prepare_sensors = Sensors.prepare

    async def slowly(sensors: Sensors) -> None:
        going.set()
        await held.wait()
        await prepare_sensors(sensors)

    monkeypatch.setattr(Sensors, "prepare", slowly)
    first = asyncio.create_task(desk.take_in(file))
    await going.wait()
    with pytest.raises(Conflict, match="being imported"):
        await desk.take_in(file)
    held.set()
    assert (await first).totals.accepted == 7


async def test_a_deleted_entity_comes_back_with_newer_readings_alone(desk: Desk) -> None:
    await desk.take_in(desk.write("air.csv", TABLE))
    broker, deleted_us = Broker(desk.store), us("2026-02-01T00:00Z")
    for name in "ab":
        await broker.delete(ADMINISTRATOR, deleted_us, f"urn:ngsi-ld:AirQualityObserved:{name}")
    late = "at,id,no2,status\n2026-01-05T00:00,a,4,late\n2026-02-05T00:00,b,5,new\n"
    assert (await desk.take_in(desk.write("more.csv", late))).totals.accepted == 4
    rows = await desk.database.fetch("SELECT id FROM entity WHERE deleted_at IS NULL")
    assert [row["id"].rpartition(":")[2] for row in rows] == ["b"]
    bodies = [row["body"] for row in await desk.database.fetch("SELECT body FROM outbox ORDER BY key DESC LIMIT 1")]
    (event,) = decode_changes(bodies[0]).entities
    assert (event.id, event.operation) == ("urn:ngsi-ld:AirQualityObserved:b", "created")


async def test_who_may_not_write_may_not_import(desk: Desk) -> None:
    viewer = Principal.account("v", "V", "city", ["viewer"])
    prepared = prepare(desk.write("air.csv", TABLE), MAPPING)
    with pytest.raises(NotAllowed):
        Import(desk.store, desk.database, prepared, principal=viewer, clock=lambda: NOW_US)
