"""The long past: what has moved to files reads as if it had stayed; a move that ends midway loses nothing."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable

from broadstreet.history import (
    Method,
    Observations,
    Period,
    Stat,
    aggregate,
    downsample,
    existing,
    exporting,
    extents,
    firsts,
    hourly_bars,
    is_free,
    moving,
    overall,
    paces,
    parquet,
    ranking,
    read,
    read_range,
    written_by,
)
from broadstreet.history import mover as mover_module
from broadstreet.history.mover import DAY_US, Moved, Mover
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.errors import EngineFailed
from tests.contract.past import T0_US, Past, all_of, open_past

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAYS = 9
BEFORE_US = T0_US + 6 * DAY_US
END_US = T0_US + DAYS * DAY_US
HOUR, DAY = Period.parse("PT1H"), Period.parse("P1D")


NUMBERS = itertools.count()


def next_name() -> str:
    return f"file-{next(NUMBERS)}"


async def fill(past: Past) -> None:
    """Nine days: two series every ten minutes, one with gaps, one of texts and numbers, one with one value long ago."""
    a, b, gaps, texts, once = past.series_keys
    times = T0_US + 10 * MINUTE_US * np.arange(DAYS * 144)
    chance = np.random.default_rng(1854)
    await past.append(Observations.of(a, times, chance.random(len(times))))
    metas = np.full(len(times), await past.meta(), np.int32)
    numbers = chance.random(len(times)).round(1)
    await past.append(Observations(np.full(len(times), b, np.int32), times, numbers, None, metas), kind="simulated")
    some = times[chance.random(len(times)) < 0.3]
    await past.append(Observations.of(gaps, some, np.arange(len(some))))
    values: list[Any] = [["open", None, True, [1, 2], {"a": 1}, None][n % 6] for n in range(60)]
    mixed = np.where(np.arange(60) % 6 == 1, 7.0, np.nan)
    await past.append(Observations(np.full(60, texts, np.int32), T0_US + HOUR_US * 3 * np.arange(60), mixed, values))
    await past.append(Observations.of(once, [T0_US + 5], [42.0]), kind="api")
    await past.append(Observations.of(a, times[100:103], [5.0, 6.0, 7.0]), T0_US + 20 * DAY_US)


async def late(past: Past) -> None:
    """What comes when its time has moved: between what is there, other values for it, and before all."""
    a, b, gaps, *_ = past.series_keys
    await past.append(Observations.of(a, T0_US + np.array([7, HOUR_US, 26 * HOUR_US]), [0.5, 9.0, -3.0]), END_US)
    await past.append(Observations.of(b, [T0_US - DAY_US, T0_US - 3 * DAY_US], [1.0, 2.0]), END_US)
    known = await read_range(past.database, b, T0_US, T0_US + 1)
    await past.append(Observations.of(b, known.at_us, known.values), END_US)
    await past.append(Observations.of(gaps, [BEFORE_US - 1, BEFORE_US], [70.0, 71.0]), END_US)


@pytest.fixture
async def pasts(city_dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Past, Past]]:
    """Two tenants that are told the same; of the first a part may move."""
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(open_past(city_dsn, name, tmp_path)) for name in ("city", "other")]
        for past in found:
            await fill(past)
        yield found[0], found[1]


async def move(past: Past, before_us: int = BEFORE_US, name: Callable[[], str] = next_name) -> list[Moved]:
    async with moving(past.database, name, lambda: END_US) as mover:
        moved = []
        while (one := await mover.move_some(before_us)) is not None:
            moved.append(one)
        return moved


def files(past: Past) -> list[str]:
    folder = past.database.files
    assert folder is not None
    return sorted(path.name for path in folder.glob("*.p*")) if folder.exists() else []


async def told(past: Past) -> dict[str, Any]:
    """Everything that history answers, without keys that differ between tenants."""
    db, keys = past.database, past.series_keys
    ranges = [(MIN_US, MAX_US), (T0_US + HOUR_US, BEFORE_US - 7), (BEFORE_US - DAY_US, END_US), (BEFORE_US, END_US)]
    answers: dict[str, Any] = {}
    origins = {row["key"]: row["kind"] for row in await db.fetch("SELECT key, kind FROM origin")}
    for n, (from_us, to_us) in enumerate(ranges):
        for newest_first, limit in itertools.product((False, True), (1, 100, 10_000)):
            rows = await read(db, keys, from_us, to_us, limit=limit, newest_first=newest_first)
            whole = [
                (r.series_key, r.observed_at_us, r.value, r.meta_key, origins[r.origin_key], r.modified_at_us, r.n)
                for r in rows
            ]
            answers[f"read {n} {newest_first} {limit}"] = whole
        points = [await read_range(db, key, from_us, to_us, limit) for key in keys for limit in (50, 9_999)]
        answers[f"points {n}"] = [(p.at_us.tolist(), p.values.tolist()) for p in points]
        answers[f"extents {n}"] = sorted((await extents(db, keys, from_us, to_us)).items())
        rows = [row async for piece in all_of(db, keys, from_us, to_us) for row in piece]
        answers[f"export {n}"] = [msgspec.structs.replace(row, origin_key=0) for row in rows]
    for from_us, to_us in ranges[1:]:
        for period in (HOUR, DAY, Period.parse("P1M"), Period()):
            name = f"{from_us} {period}"
            answers[f"sums {name}"] = await aggregate(db, keys, from_us, to_us, period, list(Method))
            city = await overall(db, past.term_key, from_us, to_us, period)
            answers[f"city {name}"] = [(o.from_us, o.to_us, o.count, round(o.mean, 9)) for o in city]
        for stat in Stat:
            ranks = await ranking(db, past.term_key, stat, from_us, to_us)
            answers[f"rank {from_us} {stat}"] = [(r.entity_id, round(r.value, 9), r.at_us) for r in ranks]
        answers[f"bars {to_us}"] = (await hourly_bars(db, keys, to_us)).round(9).tolist()
        made = await downsample(db, keys[0], from_us, to_us, 40)
        answers[f"chart {from_us}"] = (made.at_us.tolist(), made.values.tolist(), made.gaps_us, made.count)
    answers["firsts"] = sorted((await firsts(db, keys)).items())
    answers["paces"] = sorted((key, pace.first_us, pace.step_s) for key, pace in (await paces(db, keys, 20)).items())
    answers["written"] = [(w.series_key, w.observed_at_us, w.value) for w in await written_by(db, keys, ["api"])]
    asked = np.array([keys[0], keys[0], keys[4], keys[1]], np.int32), T0_US + np.array([0, 3, 5, 8 * DAY_US])
    async with db.transaction() as connection:
        found = await existing(db, connection, *asked)
        answers["existing"] = [(place, one.value, origins[one.origin_key]) for place, one in found.items()]
        answers["free"] = await is_free(db, connection, np.array(keys[:1], np.int32), np.array([T0_US]))
    return answers


async def brief(past: Past) -> dict[str, Any]:
    """Enough to see that every observation is there once."""
    rows = await read(past.database, past.series_keys, MIN_US, MAX_US)
    answers: dict[str, Any] = {"read": [(r.series_key, r.observed_at_us, r.value, r.modified_at_us) for r in rows]}
    city = await overall(past.database, past.term_key, T0_US - 4 * DAY_US, END_US, DAY)
    return answers | {"city": [(one.from_us, one.count, round(one.mean, 9)) for one in city]}


def same(moved: dict[str, Any], stayed: dict[str, Any]) -> None:
    for name, answer in stayed.items():
        assert repr(moved[name]) == repr(answer), name


@pytest.mark.parametrize("file_rows", [400, 1_000_000])
async def test_what_moved_reads_as_if_it_had_stayed(
    pasts: tuple[Past, Past], monkeypatch: pytest.MonkeyPatch, file_rows: int
) -> None:
    monkeypatch.setattr(mover_module, "FILE_ROWS", file_rows)
    moving_one, staying = pasts
    moved = await move(moving_one)
    assert sum(one.taken for one in moved) == await moving_one.moved_rows() > 2_000
    assert len(files(moving_one)) > (5 if file_rows == 400 else 0)
    assert await moving_one.database.fetchval("SELECT min(observed_at) FROM observation") >= BEFORE_US
    same(await told(moving_one), await told(staying))
    for past in pasts:
        await late(past)
    same(await told(moving_one), await told(staying))
    assert await move(moving_one), "what came late is merged"
    assert await moving_one.database.fetchval("SELECT min(observed_at) FROM observation") >= BEFORE_US
    same(await told(moving_one), await told(staying))
    assert await move(moving_one) == []
    await move(moving_one, END_US)
    assert await moving_one.database.fetchval("SELECT count(*) FROM observation WHERE observed_at < $1", END_US) == 0
    same(await told(moving_one), await told(staying))


async def test_days_gather_in_one_file_while_they_fit(pasts: tuple[Past, Past]) -> None:
    past, _ = pasts
    for day in range(1, DAYS + 1):
        await move(past, T0_US + day * DAY_US)
    assert len(files(past)) == 1


async def test_any_tool_opens_the_folder_as_a_delta_table(pasts: tuple[Past, Past]) -> None:
    past, _ = pasts
    for before_us in (BEFORE_US - DAY_US, BEFORE_US):
        await move(past, before_us)
    table = DeltaTable(str(past.database.files))
    assert sorted(Path(name).name for name in table.file_uris()) == files(past)
    rows = (
        pl.scan_parquet(table.file_uris()).select(pl.len(), pl.col("number").is_null().sum().alias("others")).collect()
    )
    assert rows["len"].item() == await past.moved_rows()
    assert rows["others"].item() > 0


async def test_what_is_erased_is_gone_from_table_and_files(pasts: tuple[Past, Past]) -> None:
    past, staying = pasts
    await move(past)
    before = files(past)
    key = past.series_keys[0]
    async with moving(past.database, lambda: "erased", lambda: END_US) as mover:
        gone = await mover.erase([key], T0_US + DAY_US, END_US - DAY_US)
        assert gone == (DAYS - 2) * 144
        assert await mover.erase([key], T0_US + DAY_US, END_US - DAY_US) == 0
    assert not set(before) & set(files(past)), "the old file is gone"
    found = await read_range(past.database, key, T0_US, END_US)
    assert len(found) == 2 * 144
    assert not ((found.at_us >= T0_US + DAY_US) & (found.at_us < END_US - DAY_US)).any()
    others = past.series_keys[1:]
    assert repr(await read(past.database, others, MIN_US, MAX_US)) == repr(
        await read(staying.database, others, MIN_US, MAX_US)
    )


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("step", ["write_file", "settle", "rename", "_replace", "sweep", "publish", "_remove_but"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_move_that_ends_anywhere_loses_and_doubles_nothing(
    pasts: tuple[Past, Past], monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    past, staying = pasts
    await move(past, BEFORE_US - 3 * DAY_US)
    await late(past)
    await late(staying)
    with monkeypatch.context() as patch:
        kill_at(patch, step, after)
        with pytest.raises(Killed):
            await move(past, name=lambda: "killed")
    expected = await brief(staying)
    same(await brief(past), expected)
    await move(past)
    same(await brief(past), expected)
    listed = {row["name"] for row in await past.database.fetch("SELECT name FROM past_file")}
    assert set(files(past)) == listed
    assert {Path(name).name for name in DeltaTable(str(past.database.files)).file_uris()} == listed


def kill_at(patch: pytest.MonkeyPatch, step: str, after: bool) -> None:
    """End the next move before or after one of its steps, not at its beginning, where it only sweeps."""
    here = {"settle": parquet, "rename": Path, "write_file": mover_module, "publish": mover_module}
    module: Any = here.get(step, Mover)
    real = getattr(module, step)
    # The first sweep is that of `moving` itself.
    passes = itertools.count(-1 if step in ("sweep", "publish", "_remove_but") else 0)

    if step in ("_replace", "sweep"):

        async def ends_async(*arguments: Any) -> Any:
            if next(passes) < 0:
                return await real(*arguments)
            if after:
                await real(*arguments)
            raise Killed

        patch.setattr(module, step, ends_async)
        return

    def ends(*arguments: Any) -> Any:
        if next(passes) < 0:
            return real(*arguments)
        if after:
            real(*arguments)
        raise Killed

    patch.setattr(module, step, ends)


async def test_a_correction_during_the_move_is_not_lost(
    pasts: tuple[Past, Past], monkeypatch: pytest.MonkeyPatch
) -> None:
    past, staying = pasts
    key = past.series_keys[0]
    corrected = list[int]()

    async def correct(one: Past) -> None:
        await one.append(Observations.of(key, [T0_US, T0_US + 1], [99.0, 98.0]), END_US)

    original = Mover._replace

    async def replace(self: Mover, *arguments: Any) -> Moved:
        async def take(sql: str, *rest: Any, **options: Any) -> str:
            if not corrected:
                corrected.append(1)
                await correct(past)
            return str(await execute(sql, *rest, **options))

        execute = self._connection.execute
        with monkeypatch.context() as patch:
            patch.setattr(self, "_connection", Proxy(self._connection, take))
            return await original(self, *arguments)

    monkeypatch.setattr(Mover, "_replace", replace)
    await move(past)
    assert corrected
    await correct(staying)
    same(await told(past), await told(staying))


class Proxy:
    """A connection whose `execute` is another."""

    def __init__(self, connection: Any, execute: Any) -> None:
        self._connection = connection
        self.execute = execute

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def test_a_file_that_is_missing_is_said(pasts: tuple[Past, Past]) -> None:
    past, _ = pasts
    await move(past)
    folder = past.database.files
    assert folder is not None
    for path in folder.glob("*.parquet"):
        path.unlink()
    with pytest.raises(EngineFailed, match="is not there"):
        await read(past.database, past.series_keys, T0_US, END_US)
    assert await read_range(past.database, past.series_keys[0], BEFORE_US + DAY_US, END_US)


async def test_a_file_that_is_damaged_is_said(pasts: tuple[Past, Past]) -> None:
    past, _ = pasts
    await move(past)
    folder = past.database.files
    assert folder is not None
    for path in folder.glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(EngineFailed, match="cannot be read"):
        await read(past.database, past.series_keys, T0_US, END_US)
    with pytest.raises(EngineFailed, match="cannot be read"):
        await overall(past.database, past.term_key, T0_US, END_US, DAY)


async def test_a_full_disk_ends_a_move_and_nothing_else(
    pasts: tuple[Past, Past], monkeypatch: pytest.MonkeyPatch
) -> None:
    past, staying = pasts
    with monkeypatch.context() as patch:
        patch.setattr(Path, "with_suffix", lambda *_: Path("/dev/full"))
        with pytest.raises(OSError, match="No space left"):
            await move(past)
    same(await brief(past), await brief(staying))


async def test_a_process_that_knows_no_folder_says_so(pasts: tuple[Past, Past], city_dsn: str) -> None:
    await move(pasts[0])
    pasts[0].database.files = None
    with pytest.raises(EngineFailed, match="was not told where"):
        await read(pasts[0].database, pasts[0].series_keys, T0_US, END_US)


async def test_a_long_export_keeps_its_files(pasts: tuple[Past, Past], monkeypatch: pytest.MonkeyPatch) -> None:
    past, staying = pasts
    await move(past)
    monkeypatch.setattr(exporting, "SERIES_FIRST", 1)
    monkeypatch.setattr(exporting, "PIECE_ROWS", 100)
    rows = all_of(past.database, past.series_keys, MIN_US, MAX_US)
    first = await anext(rows)
    assert len(first) <= 100
    async with moving(past.database, lambda: "erased", lambda: END_US) as mover:
        await mover.erase(past.series_keys, MIN_US, MAX_US)
    rest = [row async for piece in rows for row in piece]
    stayed = [row async for piece in all_of(staying.database, staying.series_keys, MIN_US, MAX_US) for row in piece]
    assert [msgspec.structs.replace(row, origin_key=0) for row in (*first, *rest)] == [
        msgspec.structs.replace(row, origin_key=0) for row in stayed
    ]
    async with moving(past.database, lambda: "swept", lambda: END_US):
        pass
    assert files(past) == ["erased.parquet"]
