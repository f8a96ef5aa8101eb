"""Columns as columns: Apache Arrow's IPC stream, and Apache Parquet. Times are UTC, in microseconds.

Both are made by libraries of which none takes columns little by little: of Arrow, each piece is written as a stream of
its own, and what begins and ends it is taken off; Parquet's writer runs in a thread that is handed a piece at a time.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, Final

import polars as pl
from arro3.core import RecordBatch, RecordBatchReader, Table
from arro3.io import write_parquet

from broadstreet.exports.form import Form

COMPRESSION: Final = "zstd(3)"
ROW_GROUP_ROWS: Final = 131_072
_END_OF_STREAM: Final = bytes.fromhex("ffffffff00000000")
"""How an IPC stream ends: the mark of a message, and no message."""


def _messages(frame: pl.DataFrame) -> tuple[bytes, bytes]:
    """A frame as an IPC stream that every reader of Arrow knows, the older ones too: its schema, and its rows."""
    target = BytesIO()
    frame.rechunk().write_ipc_stream(target, compat_level=pl.CompatLevel.oldest())
    stream = target.getvalue().removesuffix(_END_OF_STREAM)
    # A message begins with a mark and its length, each four bytes; of a schema nothing follows.
    schema_bytes = 8 + int.from_bytes(stream[4:8], "little")
    return stream[:schema_bytes], stream[schema_bytes:]


class Arrow(Form):
    """The schema, then a batch of rows a piece."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        """The schema."""
        return _messages(pl.DataFrame(schema=dict(self._columns)))[0]

    def rows(self, frame: pl.DataFrame) -> bytes:
        """A batch."""
        return _messages(frame)[1]

    def end(self) -> bytes:
        """The end of the stream."""
        return _END_OF_STREAM


class Parquet(Form):
    """A row group for so many rows, then what the groups are."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._empty = Table.from_arrow(pl.DataFrame(schema=dict(columns)))
        self._sink = BytesIO()
        self._pieces: queue.SimpleQueue[pl.DataFrame | None] = queue.SimpleQueue()
        self._is_at_it: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parquet")

    def begin(self) -> bytes:
        """How every Parquet file begins."""
        self._writing = self._thread.submit(self._write)
        return self._taken()

    def rows(self, frame: pl.DataFrame) -> bytes:
        """What was written of these rows and of those before: a row group is gathered first."""
        self._pieces.put(frame)
        return self._taken()

    def end(self) -> bytes:
        """The rest, and what the file is made of."""
        self._pieces.put(None)
        return self._taken()

    def close(self) -> None:
        """End the thread, in the midst of a file too."""
        self._pieces.put(None)
        self._thread.shutdown()

    def _taken(self) -> bytes:
        if not self._is_at_it.get():
            self._writing.result()
        written = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return written

    def _write(self) -> None:
        try:
            write_parquet(
                RecordBatchReader.from_batches(self._empty.schema, self._batches()),
                self._sink,
                compression=COMPRESSION,
                max_row_group_size=ROW_GROUP_ROWS,
                skip_arrow_metadata=True,
            )
        finally:
            self._is_at_it.put(item=False)

    def _batches(self) -> Iterator[RecordBatch]:
        while True:
            # Asked for more, it has written down what it was given before.
            self._is_at_it.put(item=True)
            frame = self._pieces.get()
            if frame is None:
                return
            yield from Table.from_arrow(frame.rechunk()).to_batches()
