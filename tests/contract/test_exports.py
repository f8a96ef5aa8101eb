"""Exports: whatever the format, another library reads back what was stored, over table and long past alike."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.app.settings import EngineSettings, Settings
from broadstreet.cli.export import take
from broadstreet.exports import Format, Wish, exports, parse_wish
from broadstreet.history import Method, Period, aggregate, exporting, moving
from broadstreet.model.clock import MAX_US, MIN_US, format_rfc3339, parse_rfc3339
from broadstreet.model.errors import BadRequest, NotAllowed, TooMany, Unavailable
from tests.contract.bazaar import DAY_US, FORMULAS, FROM_US, LONE, MOVED_US, ODD, Bazaar, open_bazaar
from tests.contract.conftest import BEGIN_US, Clock

ALL = {"begin": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"}
B = "urn:ngsi-ld:Bench:"


@pytest.fixture
async def bazaar(
    services: Services, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bazaar]:
    monkeypatch.setattr(exporting, "PIECE_ROWS", 700)
    monkeypatch.setattr(exports, "ENTITIES_AT_ONCE", 2)
    async with open_bazaar(services, clock, tmp_path) as opened:
        yield opened


def of_table(frame: pl.DataFrame) -> list[tuple[str, str, int, Any]]:
    """What a table of columns says, as `Bazaar.stored` says it."""
    return [
        (
            row["entity"],
            row["attribute"],
            row["observed_at"],
            row["number"] if row["number"] is not None else None if row["value"] is None else json.loads(row["value"]),
        )
        for row in frame.with_columns(pl.col("observed_at").cast(pl.Int64)).iter_rows(named=True)
    ]


def of_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def cell(value: Any) -> Any:
    """A value as a cell of CSV says it; a number stays one."""
    if value is None or isinstance(value, str | float):
        return value or (value if isinstance(value, float) else "")
    return msgspec.json.encode(value).decode()


async def test_each_format_reads_back_as_what_was_stored(bazaar: Bazaar) -> None:
    stored = await bazaar.stored(MIN_US, MAX_US)
    assert len(stored) > 4 * 9 * 144 + 2 * len(ODD)
    parquet = pl.read_parquet(io.BytesIO(await bazaar.take(format="parquet", **ALL)))
    arrow = pl.read_ipc_stream(io.BytesIO(await bazaar.take(format="arrow", **ALL)))
    observed = {"load", "said"}
    wanted = [row for row in stored if row[1] in observed]
    for frame in (parquet, arrow):
        assert [row for row in of_table(frame) if row[1] in observed] == wanted
        assert frame.schema["observed_at"] == pl.Datetime("us", "UTC")
    lines = [json.loads(line) for line in (await bazaar.take(format="ndjson", **ALL)).splitlines()]
    told = [(r["entity"], r["attribute"], parse_rfc3339(r["observed_at"]), r["value"]) for r in lines]
    assert [row for row in told if row[1] in observed] == wanted
    rows = of_csv(await bazaar.take(format="csv", verbatim=True, attrs=("load", "said"), **ALL))
    assert [(r["entity"], r["attribute"], parse_rfc3339(r["observed_at"])) for r in rows] == [r[:3] for r in wanted]
    for row, (*_, value) in zip(rows, wanted, strict=True):
        assert float(row["value"]) == value if isinstance(value, float) else row["value"] == cell(value)
    assert len({len(parquet), len(arrow), len(lines)}) == 1


async def test_rows_say_of_what_they_are_and_where_they_come_from(bazaar: Bazaar) -> None:
    rows = of_csv(await bazaar.take(id=(f"{B}1", f"{B}0"), attrs=("load",), **ALL))
    first = next(row for row in rows if row["entity"] == f"{B}1" and row["origin"] == "simulated")
    assert {name: first[name] for name in ("title", "type", "street", "unit", "unit_code", "simulated")} == {
        "title": "Bench 1",
        "type": "Bench",
        "street": "Street 1",
        "unit": "kg",
        "unit_code": "KGM",
        "simulated": "true",
    }
    assert parse_rfc3339(first["recorded_at"]) == BEGIN_US
    corrected = [row for row in rows if row["corrected_at"]]
    assert [float(row["value"]) for row in corrected] == [500.5, -0.25]
    assert {row["origin"] for row in rows} == {"simulated", "import", "api"}


async def test_what_a_spreadsheet_would_take_for_a_formula_is_told_apart(bazaar: Bazaar) -> None:
    wish: dict[str, Any] = {"attrs": ("said",), "begin": format_rfc3339(FROM_US), "end": format_rfc3339(MOVED_US)}
    guarded = [row["value"] for row in of_csv(await bazaar.take(**wish))]
    assert guarded == [*("'" + text for text in FORMULAS), *(cell(value) for value in ODD[len(FORMULAS) :])]
    header = (await bazaar.take(**wish)).decode().splitlines(keepends=True)[0]
    assert header.endswith("value,sub_attributes,origin,recorded_at,corrected_at,simulated\r\n")
    numbers = of_csv(await bazaar.take(attrs=("load",), id=(f"{B}0",), **ALL))
    assert "-0.25" in {row["value"] for row in numbers}


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "arrow", "geojson"])
async def test_an_empty_answer_is_a_whole_file(bazaar: Bazaar, form: Format) -> None:
    what = "entities" if form == "geojson" else "history"
    for nothing in ({"type": "Tree"}, {"attrs": ("height",)}, {"id": (f"{B}none",)}):
        data = await bazaar.take(what=what, format=form, **nothing)
        match form:
            case "csv":
                assert of_csv(data) == [] and data.startswith(b"entity,title,") and data.endswith(b"\r\n")
            case "ndjson":
                assert data == b""
            case "parquet":
                assert pl.read_parquet(io.BytesIO(data)).shape == (0, 17)
            case "arrow":
                assert pl.read_ipc_stream(io.BytesIO(data)).shape == (0, 17)
            case "geojson":
                assert json.loads(data) == {"type": "FeatureCollection", "features": []}


async def test_summed_up_it_says_what_aggregates_say(bazaar: Bazaar) -> None:
    methods = (Method.AVG, Method.TOTAL_COUNT, Method.MIN, Method.MAX, Method.STDDEV)
    begin_us, end_us = BEGIN_US - 8 * DAY_US, BEGIN_US - DAY_US // 3
    span: dict[str, Any] = {"begin": format_rfc3339(begin_us), "end": format_rfc3339(end_us), "every": "PT6H"}
    frame = pl.read_parquet(
        io.BytesIO(await bazaar.take(format="parquet", methods=methods, attrs=("load",), type="Bench", **span))
    )
    keys = [await bazaar.series(f"{B}{number}", "load") for number in range(4)]
    known = await aggregate(bazaar.database, keys, begin_us, end_us, Period.parse("PT6H"), methods)
    rows = frame.with_columns(pl.col("from", "to").cast(pl.Int64)).select("from", "to", *methods).rows()
    told = [(one.from_us, min(one.to_us, end_us), *(one.values[method] for method in methods)) for one in known]
    assert rows == [pytest.approx(row) for row in told]  # numbers are added up in another order
    assert set(frame["unit_code"]) == {"KGM"}
    zoned = of_csv(await bazaar.take(last="P2D", every="P1D", zone="Europe/Helsinki", id=(f"{B}0",), attrs=("load",)))
    assert [row["from"] for row in zoned] == ["2026-02-27T12:00:00Z", "2026-02-28T12:00:00Z"]


async def test_entities_are_told_as_they_are_now(bazaar: Bazaar) -> None:
    found = json.loads(await bazaar.take(what="entities", format="geojson", type="Bench"))
    features = {feature["id"]: feature for feature in found["features"]}
    assert list(features) == [*(f"{B}{number}" for number in range(4)), LONE]
    one = features[f"{B}1"]
    assert one["geometry"] == {"type": "Point", "coordinates": [24.91, 60.17]}
    assert one["properties"]["title"] == "Bench 1"
    assert one["properties"]["load_unit_code"] == "KGM"
    assert one["properties"]["said"] == ODD[-1]
    assert features[LONE]["geometry"] is None
    rows = {(row["entity"], row["attribute"]): row for row in of_csv(await bazaar.take(what="entities"))}
    assert float(rows[f"{B}1", "load"]["value"]) == one["properties"]["load"]
    assert rows[f"{B}1", "load"]["kind"] == "Property"
    assert json.loads(rows[f"{B}1", "location"]["geometry"])["type"] == "Point"
    frame = pl.read_ipc_stream(io.BytesIO(await bazaar.take(what="entities", format="arrow", attrs=("load",))))
    assert frame["entity"].to_list() == [*(f"{B}{number}" for number in range(4)), LONE]
    assert frame.filter(pl.col("entity") == f"{B}1")["simulated"].to_list() == [True]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "0123"),
        ({"id": (f"{B}2", f"{B}3")}, "23"),
        ({"type": "Bench", "q": 'name=="Bench 2"'}, "2"),
        ({"q": 'name=="Bench 2"|name=="Bench 1"', "street": "Street 0"}, "2"),
        ({"street": "Street 1"}, "13"),
        ({"near": (24.9, 60.17, 700.0)}, "01"),
        ({"box": (24.905, 60.1, 24.925, 60.2)}, "12"),
        ({"dataset": "urn:benches"}, "3"),
        ({"type": "Tree"}, ""),
    ],
)
async def test_what_is_meant_is_taken(bazaar: Bazaar, asked: dict[str, Any], found: str) -> None:
    rows = of_csv(await bazaar.take(what="entities", **asked))
    assert {row["entity"] for row in rows} - {LONE} == {f"{B}{number}" for number in found}
    wish = Wish(what="entities", **asked)
    assert parse_wish(pairs_of(wish.query)) == wish


def half_written(folder: Path) -> list[Path]:
    return list(folder.glob("*.part"))


async def test_the_command_line_takes_the_same(
    bazaar: Bazaar, services_dsn: str, nats_url: str, tmp_path: Path
) -> None:
    engines = EngineSettings(postgres_url=services_dsn, nats_url=nats_url)
    settings = Settings(data_dir=str(tmp_path), engines=engines)
    wish, file = Wish(begin=ALL["begin"], end=ALL["end"], format="ndjson"), tmp_path / "all.ndjson"
    rows, size = await take(settings, "city", wish, file)
    assert file.read_bytes() == await bazaar.take(format="ndjson", **ALL)
    assert (rows, size) == (len(file.read_bytes().splitlines()), file.stat().st_size)
    with pytest.raises(TooMany):
        await take(settings, "city", Wish(begin=ALL["begin"], every="PT1S"), file)
    assert half_written(tmp_path) == []


def pairs_of(query: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(query, keep_blank_values=True)


async def test_an_export_is_of_one_moment(bazaar: Bazaar) -> None:
    wish = Wish(attrs=("load",), begin=ALL["begin"], end=ALL["end"], format="ndjson")
    made = bazaar.exports.stream(bazaar.database, bazaar.analyst, wish, bazaar.clock())
    pieces = [await anext(made)]
    await bazaar.database.execute("UPDATE observation SET number = -7")
    await bazaar.database.execute("DELETE FROM observation WHERE series_key % 2 = 0")
    pieces += [piece async for piece in made]
    lines = [json.loads(line) for line in b"".join(piece.data for piece in pieces).splitlines()]
    assert len(lines) == sum(1 for _ in lines) == pieces[-1].rows > 4 * 9 * 144
    assert -7 not in {line["value"] for line in lines}
    assert [piece.share for piece in pieces] == sorted(piece.share for piece in pieces)
    assert pieces[-1].share == 1.0


@pytest.mark.parametrize(
    "query",
    [
        "format=xml",
        "format=geojson",
        "what=everything",
        "wht=history",
        "from=yesterday",
        "from=2026-03-01T00:00:00Z&to=2026-02-01T00:00:00Z",
        "last=P7D&from=2026-03-01T00:00:00Z",
        "last=week",
        "every=hour",
        "methods=mode",
        "methods=avg,avg",
        "zone=Atlantis",
        "near=24.9,60.2",
        "near=24.9,60.2,-1",
        "near=24.9,60.2,10&box=1,2,3,4",
        "q=((",
        "what=entities&last=P1D",
        "type=a&type=b",
        "verbatim=perhaps",
        "id=" + "&id=".join(map(str, range(300))),
    ],
)
def test_what_cannot_be_meant_is_refused(query: str) -> None:
    with pytest.raises(BadRequest):
        parse_wish(pairs_of(query))


async def test_only_who_may_takes_away_and_not_too_many_at_once(
    bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = Principal.account("vic", "Vic", "city", ["viewer"])
    with pytest.raises(NotAllowed):
        await anext(bazaar.exports.stream(bazaar.database, viewer, Wish(), bazaar.clock()))
    with pytest.raises(NotAllowed):
        await bazaar.exports.begin(bazaar.database, viewer, Wish(), bazaar.clock())
    monkeypatch.setattr(exports, "MAX_STREAMS", 1)
    open_one = bazaar.exports.stream(bazaar.database, bazaar.analyst, Wish(), bazaar.clock())
    await anext(open_one)
    with pytest.raises(TooMany):
        await bazaar.take()
    await open_one.aclose()
    assert await bazaar.take()
    lines = await bazaar.services.access.audit.read("city")
    assert [line.action for line in lines if line.principal == "ann"] == ["export.stream"] * 2


async def test_whoever_falls_asleep_over_a_stream_holds_nothing(
    bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "STALL_S", 0.05)
    made = bazaar.exports.stream(bazaar.database, bazaar.analyst, Wish(begin=ALL["begin"]), bazaar.clock())
    await anext(made)
    async with asyncio.timeout(20), moving(bazaar.database, lambda: "x", bazaar.clock) as mover:
        folder = bazaar.database.files
        assert folder is not None
        (folder / "stray.parquet").touch()
        while (folder / "stray.parquet").exists():  # it goes when nobody reads any more
            await mover.sweep()
    with pytest.raises(Unavailable, match="was taken"):
        _ = [piece async for piece in made]
