"""Files, rows, cells and local times, before anything is stored: each oddity in its place, with its line."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from broadstreet.importer.cells import EMPTY, GOOD, WRONG, CellReader
from broadstreet.importer.mapping import Attribute, File, Form, Mapping
from broadstreet.importer.readings import Reject, RowReader
from broadstreet.importer.rejects import RejectFile
from broadstreet.importer.source import Format, inspect, read_text
from broadstreet.importer.table import Table, open_table, to_csv
from broadstreet.importer.times import Decided, Moment, NoMoment, TimeReader
from broadstreet.model.errors import InvalidInput, NotFound, TooLarge

MAPPING = """
[file]
form = "long"
[time]
column = "at"
time_zone = "Europe/Berlin"
ambiguous = "{ambiguous}"
nonexistent = "{nonexistent}"
format = "{format}"
[sensor]
column = "id"
type = "T"
entity = "urn:t:{{sensor}}"
[attributes.a]
column = "a"
[attributes.b]
column = "b"
type = "text"
[dataset]
id = "urn:d"
title = "D"
"""

WIDE = """
[file]
form = "wide"
[time]
start = "2026-01-01T00:00"
step = "PT1M"
time_zone = "UTC"
[sensor]
type = "T"
entity = "urn:t:{sensor}"
[attributes.a]
[dataset]
id = "urn:d"
title = "D"
"""


def mapping(ambiguous: str = "reject", nonexistent: str = "reject", form: str = "iso") -> Mapping:
    return Mapping.parse(MAPPING.format(ambiguous=ambiguous, nonexistent=nonexistent, format=form))


def table(path: Path, content: str | bytes, encoding: str = "utf-8", **options: Any) -> Table:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return open_table(inspect(path, encoding), encoding, options.pop("delimiter", ","), **options)


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


# Files.


@pytest.mark.parametrize(
    ("content", "words", "where"),
    [
        (b"", "is empty", ""),
        (b"PK\x03\x04rest", "ZIP", ""),
        (b"a,b\n1,\xff\n", "not utf-8", "line 2"),
        (b"a,b\n1,\x00\n", "bytes of zero", "line 2"),
        (gzip.compress(b"a,b\n" * 10_000, mtime=0)[:-20], "damaged or cut short", ""),
        (b"PAR1 and no more", "Parquet file is damaged", ""),
        (b'"a\n1\n', "no header", "line 1"),
        (b"\n1\n", "no header", "line 1"),
        (b"a," * 150_000, "columns", ""),
    ],
)
def test_a_broken_file_is_refused_whole(tmp_path: Path, content: bytes, words: str, where: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        table(tmp_path / "t", content)
    assert where in (refused.value.where or "")
    assert refused.value.remedy


def test_files_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        inspect(tmp_path / "none", "utf-8")
    with pytest.raises(InvalidInput):
        inspect(tmp_path, "utf-8")
    with pytest.raises(NotFound):
        read_text(tmp_path / "none")
    (tmp_path / "latin").write_bytes(b"\xe4")
    for path in (tmp_path / "latin", tmp_path):
        with pytest.raises(InvalidInput):
            read_text(path)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadstreet.importer.source.MAX_LINE_CHARACTERS", 100)
    with pytest.raises(TooLarge) as refused:
        table(tmp_path / "t", "a\n" + "x" * 101)
    assert "line 2" in (refused.value.where or "")


@pytest.mark.parametrize("content", ["a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4", "\ufeffa,b\n1,2\n3,4\n"])
def test_lines_end_as_they_like(tmp_path: Path, content: str) -> None:
    read = table(tmp_path / "t", content)
    assert (read.columns, read.rows) == (["a", "b"], 2)
    assert [(r.line, r.text, r.cells) for r in read.records()] == [(2, "1,2", ["1", "2"]), (3, "3,4", ["3", "4"])]
    assert [r.line for r in read.records(1)] == [3]


def test_the_same_table_in_every_wrapping(tmp_path: Path) -> None:
    text = "a;b\n1;ä\n"
    plain = table(tmp_path / "t", text, delimiter=";")
    packed = table(tmp_path / "t.gz", gzip.compress(text.encode()), delimiter=";")
    other = table(tmp_path / "l", text, "cp1252", delimiter=";")
    wide = table(tmp_path / "w", text, "utf-16", delimiter=";")
    bare = table(tmp_path / "b", "1;ä\n", delimiter=";", columns=["a", "b"])
    for read in (plain, packed, other, wide, bare):
        assert read.columns == ["a", "b"]
        assert [record.cells for record in read.records()] == [["1", "ä"]]
    assert [record.line for record in bare.records()] == [1]


def test_a_stray_quote_spoils_its_own_line(tmp_path: Path) -> None:
    read = table(tmp_path / "t", 'a,b\n"x, y","say ""hi"""\n1,"open\n1,2,3\n\n4,5\n"a"b,1\n')
    found = [(r.line, r.cells, r.fault is None) for r in read.records()]
    assert [line for line, _, is_good in found if not is_good] == [3, 4, 5, 7]
    assert found[0][1] == ["x, y", 'say "hi"']
    assert found[4] == (6, ["4", "5"], True)


def test_parquet_reads_as_csv_would(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    pl.DataFrame(
        {"at": [at, None], "n": [0.1, 2.0], "s": ['x,"y"', None], "i": [7, 8], "t": [True, None]}
    ).write_parquet(path)
    source = inspect(path, "utf-8")
    assert source.format is Format.PARQUET
    first, second = open_table(source, "utf-8", ",").records()
    assert first.cells == ["2026-01-02T03:04:00+00:00", "0.1", 'x,"y"', "7", "true"]
    assert first.text == to_csv(first.cells)
    assert (second.line, second.cells) == (2, ["", "2.0", "", "8", ""])
    with pytest.raises(InvalidInput):
        open_table(source, "utf-8", ",", ["a"])


# Cells.


def test_numbers_are_read_or_refused() -> None:
    reader = CellReader(
        Attribute(minimum=0, maximum=100, scale=2.0, offset=1.0), File(form=Form.LONG, empty=("", "NA"))
    )
    texts = ["1", " 2.5 ", "1e1", "", "NA", "nan", "inf", "1_0", "x", "50", "-1"]
    cells = reader.read(texts)
    assert cells.state.tolist() == [GOOD] * 3 + [EMPTY] * 2 + [WRONG] * 6
    assert cells.numbers[:3].tolist() == [3.0, 6.0, 21.0]
    assert {index: fault for index, (fault, _) in cells.faults.items()} == {
        **dict.fromkeys((5, 6, 7, 8), "not a number"),
        **dict.fromkeys((9, 10), "out of range"),
    }
    assert reader.read(["3"]).numbers.tolist() == [7.0]
    unscaled = CellReader(Attribute(maximum=6, scale=2.0), File(form=Form.LONG), unscaled=True).read(["3", "4"])
    assert (unscaled.numbers.tolist(), unscaled.state.tolist()) == ([3.0, 4.0], [GOOD, WRONG])


def test_a_number_may_stand_for_nothing() -> None:
    cells = CellReader(Attribute(), File(form=Form.LONG, empty=("-999", "nan"))).read(["1", "-999", "nan", ""])
    assert cells.state.tolist() == [GOOD, EMPTY, EMPTY, WRONG]


def test_a_decimal_comma() -> None:
    cells = CellReader(Attribute(), File(form=Form.LONG, decimal=",", delimiter=";")).read(["1,5", "2", "1.000,5", ""])
    assert cells.state.tolist() == [GOOD, GOOD, WRONG, EMPTY]
    assert cells.numbers[:2].tolist() == [1.5, 2.0]


def test_texts_and_truths() -> None:
    texts = CellReader(Attribute(type="text"), File(form=Form.LONG)).read(["open", "", "x" * 5_000])
    assert (texts.values, texts.state.tolist()) == (["open", None, None], [GOOD, EMPTY, WRONG])
    truths = CellReader(Attribute(type="boolean"), File(form=Form.LONG)).read(["TRUE", "0", "yes"])
    assert (truths.values, truths.state.tolist()) == ([True, False, None], [GOOD, GOOD, WRONG])


# Times. Berlin's clocks: 29 March 2026 from 2:00 to 3:00, 25 October 2026 from 3:00 to 2:00.


@pytest.mark.parametrize(
    ("ambiguous", "at"), [("earliest", "2026-10-25T02:30+02:00"), ("latest", "2026-10-25T02:30+01:00")]
)
def test_an_ambiguous_time_is_decided_as_stated(ambiguous: str, at: str) -> None:
    decided = TimeReader(mapping(ambiguous)).read("2026-10-25T02:30")
    assert decided == Moment(us(at), Decided.AMBIGUOUS | Decided.CONTESTED)
    refused = TimeReader(mapping()).read("2026-10-25T02:30")
    assert isinstance(refused, NoMoment)
    assert refused.reason == "ambiguous time"


def test_a_skipped_time_is_decided_as_stated() -> None:
    refused = TimeReader(mapping()).read("2026-03-29T02:30")
    assert isinstance(refused, NoMoment)
    assert refused.reason == "time that does not exist"
    reader = TimeReader(mapping(nonexistent="shift_forward"))
    assert reader.read("2026-03-29T02:30") == Moment(us("2026-03-29T03:30+02:00"), Decided.SHIFTED | Decided.CONTESTED)
    assert reader.read("2026-03-29T03:30") == Moment(us("2026-03-29T03:30+02:00"), Decided.CONTESTED)
    for plain in ("2026-03-29T01:59+01:00", "2026-03-29T04:00+02:00"):
        assert reader.read(plain[:16]) == Moment(us(plain), Decided.PLAINLY)


def test_a_time_with_an_offset_is_in_no_doubt() -> None:
    reader = TimeReader(mapping())
    assert reader.read("2026-10-25T02:30:00+02:00") == Moment(us("2026-10-25T00:30Z"), Decided.PLAINLY)
    assert reader.read("2026-10-25T01:30Z") == Moment(us("2026-10-25T01:30Z"), Decided.PLAINLY)


@pytest.mark.parametrize(
    ("form", "text", "at"),
    [
        ("unix_s", "1767225600.5", "2026-01-01T00:00:00.5Z"),
        ("unix_ms", "1767225600001", "2026-01-01T00:00:00.001Z"),
        ("unix_us", "1767225600000001", "2026-01-01T00:00:00.000001Z"),
        ("%d.%m.%Y %H:%M", " 01.02.2026 03:04 ", "2026-02-01T03:04+01:00"),
        ("%d %H %z %Y %m", "01 03 -0500 2026 02", "2026-02-01T08:00Z"),
    ],
)
def test_forms_of_time(form: str, text: str, at: str) -> None:
    assert TimeReader(mapping(form=form)).read(text) == Moment(us(at), Decided.PLAINLY)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "yesterday"),
        ("iso", ""),
        ("iso", "0001-01-01T00:00+12:00"),
        ("unix_s", "nan"),
        ("unix_s", "1e30"),
        ("unix_s", "x"),
        ("%d.%m.%Y", "2026-01-01"),
    ],
)
def test_what_is_no_time(form: str, text: str) -> None:
    found = TimeReader(mapping(form=form)).read(text)
    assert isinstance(found, NoMoment)
    assert found.reason == "no time"


def test_rows_without_times_step_on() -> None:
    text = MAPPING.format(ambiguous="reject", nonexistent="reject", format="iso")

    def reader(start: str, step: str) -> TimeReader:
        return TimeReader(Mapping.parse(text.replace('column = "at"', f'start = "{start}"\nstep = "{step}"')))

    hours = reader("2026-03-29T00:00", "PT1H")
    assert [hours.of_row(row) for row in (0, 3)] == [
        Moment(us("2026-03-29T00:00+01:00"), Decided.PLAINLY),
        Moment(us("2026-03-29T04:00+02:00"), Decided.PLAINLY),
    ]
    days = reader("2026-03-28T00:00", "P1D")
    assert days.of_row(2) == Moment(us("2026-03-30T00:00+02:00"), Decided.PLAINLY)
    assert isinstance(reader("9999-12-30T00:00", "P1D").of_row(5), NoMoment)
    for start in ("2026-03-29T02:30", "soon"):
        with pytest.raises(InvalidInput) as refused:
            reader(start, "PT1H")
        assert refused.value.where == "time.start"


# Rows to readings.


def test_every_cell_is_accounted_for(tmp_path: Path) -> None:
    rows = "at,id,a,b\n2026-01-01T00:00Z,s,1,x\n2026-03-29T02:30,s,2,y\nbroken\n\n2026-01-01T01:00Z,t,oops,\n"
    (batch,) = RowReader(mapping(), table(tmp_path / "t", rows)).batches()
    assert (batch.lines, len(batch), batch.sensors) == (5, 2, ["s", "t"])
    assert (batch.numbers[0], batch.values) == (1.0, [None, "x"])
    assert [(r.line, r.column, r.readings, r.reason) for r in sorted(batch.rejects)] == [
        (3, "", 2, "time that does not exist"),
        (4, "", 2, "not a row"),
        (6, "a", 1, "not a number"),
        (6, "b", 1, "empty"),
    ]
    assert sorted(batch.rejects)[-1].original == "2026-01-01T01:00Z,t,oops,"


def test_a_blank_line_takes_its_step_where_rows_have_no_time(tmp_path: Path) -> None:
    (batch,) = RowReader(Mapping.parse(WIDE), table(tmp_path / "t", "x,y\n1,2\n\n3,\n")).batches()
    assert (batch.at_us - batch.at_us[0]).tolist() == [0, 0, 2 * 60_000_000]
    assert [(r.line, r.readings) for r in batch.rejects] == [(3, 2)]
    assert (batch.empty, batch.sensor.tolist(), batch.numbers.tolist()) == (1, [0, 1, 0], [1.0, 2.0, 3.0])


def test_batches_cut_a_table_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "at,id,a,b\n" + "".join(f"2026-01-01T00:{n:02}Z,s{n % 3},{n},{n}\n" for n in range(50))
    reader = RowReader(mapping(), table(tmp_path / "t", rows))
    (whole,) = reader.batches()
    monkeypatch.setattr("broadstreet.importer.readings.BATCH_READINGS", 14)
    parts = list(reader.batches(3, 40))
    assert [part.lines for part in parts] == [7, 7, 7, 7, 7, 2]
    taken = (whole.row >= 3) & (whole.row < 40)
    assert np.array_equal(np.concatenate([part.at_us for part in parts]), whole.at_us[taken])
    names = [part.sensors[index] for part in parts for index in part.sensor.tolist()]
    assert names == [whole.sensors[index] for index in whole.sensor[taken].tolist()]


# The reject file.


def test_a_reject_file_is_cut_to_what_stands(tmp_path: Path) -> None:
    path = tmp_path / "rejects" / "t.csv"
    first = Reject(2, "a", 1, "not a number", "'x'", 'he said "x",\n')
    begun = RejectFile(path, 0)
    begun.append([])
    assert not path.exists()
    begun.append([first])
    stands = begun.length_bytes
    begun.append([first._replace(line=3, readings=5)])
    again = RejectFile(path, stands)
    assert (path.stat().st_size, again.reasons) == (stands, {"not a number": 1})
    again.append([first._replace(line=4, reason="empty")])
    assert again.reasons == {"not a number": 1, "empty": 1}
    assert path.stat().st_size == again.length_bytes
    assert RejectFile(path, 0).reasons == {}
    assert path.stat().st_size == 0
