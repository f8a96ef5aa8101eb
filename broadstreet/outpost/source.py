"""Where a device's readings come from: a sensor that is asked again and again, or lines of a file or a pipe.

A reading gets its time here, unless its line has one, and is on disk, with how far the source has been read, when the
next is asked for. A sensor goes on while the memory is full, and the oldest reading gives way; lines wait.
"""

from __future__ import annotations

import asyncio
import csv
import logging
import math
import os
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import msgspec

from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.outpost.actuator import EVERY_S
from broadstreet.outpost.clock import DeviceClock
from broadstreet.outpost.memory import MAX_READING_BYTES, Memory

AT_ONCE: Final = 200
"""Lines that are kept in one transaction."""
SKIPPED: Final = "source.skipped"
_objects: Final = msgspec.json.Decoder(dict[str, Any])
_encode: Final = msgspec.json.Encoder().encode
_WORDS: Final = {"true": True, "false": False}
logger = logging.getLogger(__name__)


class Source(Protocol):
    """Fills a memory."""

    async def feed(self, memory: Memory, clock: DeviceClock) -> None:
        """Put readings into the memory, until there are no more."""


class Sensor:
    """
    sense:      what is measured at a moment, in microseconds since 1970: the payload's fields.
    every_s:    how often; a command may change it.
    time_field: where in the payload its time stands.
    count:      how many readings; None: without end.
    """

    def __init__(
        self, sense: Callable[[int], Mapping[str, Any]], every_s: float, time_field: str, count: int | None = None
    ) -> None:
        self._sense = sense
        self._every_s = every_s
        self._time_field = time_field
        self._count = count

    async def feed(self, memory: Memory, clock: DeviceClock) -> None:
        """Measure, keep, wait."""
        loop = asyncio.get_running_loop()
        made = 0
        while self._count is None or made < self._count:
            measured_s = loop.time()
            at_us = clock.stamp_us()
            payload = {self._time_field: format_rfc3339(at_us), **self._sense(at_us)}
            if dropped := memory.put([_encode(payload)], clock.facts):
                logger.warning("the memory is full: %d old readings gave way", dropped)
            made += 1
            while made != self._count and (left_s := measured_s + self._interval_s(memory) - loop.time()) > 0:
                memory.fact_set.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await memory.fact_set.wait()  # a command may have set another interval
            await asyncio.sleep(0)

    def _interval_s(self, memory: Memory) -> float:
        return float(memory.fact(EVERY_S, self._every_s))


class Lines:
    """Readings as lines: JSON objects, or CSV below a header line; which of them, the first line tells.

    stream: opened for bytes. name: under which the memory knows how far a file was read; None: of a pipe nothing can
    be read again. every_s: a pause between lines.
    """

    def __init__(
        self, stream: BinaryIO, time_field: str, *, name: str | None = None, every_s: float | None = None
    ) -> None:
        self._stream = stream
        self._time_field = time_field
        self._fact = None if name is None else f"source:{name}"
        self._every_s = every_s
        self._columns: list[str] | None = None
        self._skipped = 0

    @classmethod
    def of_file(cls, path: Path, time_field: str, every_s: float | None = None) -> Lines:
        """A file, which is read on where it was left. Raises NotFound."""
        try:
            stream = path.open("rb")
        except OSError as error:
            raise NotFound(f"the readings cannot be read: {error.strerror}", where=str(path)) from None
        return cls(stream, time_field, name=str(path.resolve()), every_s=every_s)

    async def feed(self, memory: Memory, clock: DeviceClock) -> None:
        """Read to the end, and close. Raises InvalidInput for a file that is shorter than what was read of it."""
        with self._stream:
            await self._read(memory, clock)

    async def _read(self, memory: Memory, clock: DeviceClock) -> None:
        offset = 0 if self._fact is None else int(memory.fact(self._fact, 0))
        self._skipped = memory.fact(SKIPPED, 0)
        is_file, is_first = _is_file(self._stream), True
        payloads: list[bytes] = []
        place = 0
        async for line in _lines(self._stream):
            place += len(line)
            if is_first:
                is_first = False
                self._columns = _header(line)
                if self._columns is not None:
                    continue
            if place <= offset:
                continue
            if (payload := self._payload(line, clock)) is not None:
                payloads.append(payload)
            if len(payloads) >= self._at_once(memory) or not is_file:  # a pipe's next line may be long in coming
                await self._keep(memory, clock, payloads, place)
                payloads = []
        if place < offset:
            raise InvalidInput(
                f"the file has {place:,} bytes, and {offset:,} were read of it before",
                where=(self._fact or "").removeprefix("source:"),
                remedy="Give another file another name.",
            )
        if payloads or place > offset:
            await self._keep(memory, clock, payloads, place)

    def _at_once(self, memory: Memory) -> int:
        return 1 if self._every_s else max(1, min(AT_ONCE, memory.limit - memory.waiting))

    async def _keep(self, memory: Memory, clock: DeviceClock, payloads: list[bytes], place: int) -> None:
        await memory.has_room.wait()
        facts: dict[str, Any] = {**clock.facts, SKIPPED: self._skipped}
        if self._fact is not None:
            facts[self._fact] = place
        memory.put(payloads, facts)
        await asyncio.sleep(self._every_s or 0)

    def _payload(self, line: bytes, clock: DeviceClock) -> bytes | None:
        """A line as what is sent; None for one that is no reading."""
        if not line.strip():
            return None
        try:
            fields = _objects.decode(line) if self._columns is None else _cells(self._columns, line)
        except (msgspec.DecodeError, UnicodeDecodeError, csv.Error) as error:
            self._skip(f"it cannot be read: {error}")
            return None
        if self._time_field not in fields:
            fields[self._time_field] = format_rfc3339(clock.stamp_us())
        payload = _encode(fields)
        if len(payload) > MAX_READING_BYTES:
            self._skip(f"it has more than {MAX_READING_BYTES:,} bytes")
            return None
        return payload

    def _skip(self, why: str) -> None:
        self._skipped += 1
        logger.warning("a line is left out: %s", why)


def _header(line: bytes) -> list[str] | None:
    """The columns of a CSV; None where the first line is a reading of JSON. Raises InvalidInput."""
    if line.lstrip().startswith(b"{"):
        return None
    try:
        columns = [name.strip() for name in next(csv.reader([line.decode("utf-8-sig")]))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"the first line is neither a reading nor a CSV's header: {error}", where="line 1") from None
    for name in columns:
        if any(other.startswith(f"{name}.") for other in columns):
            raise InvalidInput(f"the column {name[:80]!r} cannot hold a value and other fields", where="line 1")
    return columns


def _cells(columns: list[str], line: bytes) -> dict[str, Any]:
    """A row as an object: a dotted column is a path into it, an empty cell is no field."""
    fields: dict[str, Any] = {}
    for name, cell in zip(columns, next(csv.reader([line.decode()])), strict=False):
        if cell.strip():
            *path, last = name.split(".")
            place = fields
            for part in path:
                place = place.setdefault(part, {})
            place[last] = _value(cell.strip())
    return fields


def _value(cell: str) -> Any:
    try:
        number = float(cell)
    except ValueError:
        return _WORDS.get(cell.lower(), cell)
    if not math.isfinite(number):
        return cell
    return int(number) if number.is_integer() and "." not in cell else number


async def _lines(stream: BinaryIO) -> AsyncIterator[bytes]:
    """Lines of a file, or of a pipe as they come."""
    if _is_file(stream):
        for line in stream:
            yield line
        return
    reader = asyncio.StreamReader(limit=2 * MAX_READING_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), stream
    )
    try:
        while line := await reader.readline():
            yield line
    finally:
        transport.close()


def _is_file(stream: BinaryIO) -> bool:
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
