"""What a device keeps on its own disk: readings that wait, commands it knows, facts of itself.

One SQLite file, written with fsync at every commit, so that what a method has returned from outlives a kill and a power
cut. One process has it at a time. The queries stand in memory.sql beside.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from broadstreet.model.errors import Conflict, DiskFull, InvalidInput

FILE: Final = "memory.sqlite"
QUERIES: Final = "memory"
MAX_REFUSED: Final = 1_000
"""Readings that the house would not take: the newest of them are kept for a look."""
MAX_READING_BYTES: Final = 64 * 1024
_NAMED: Final = re.compile(r"^-- name: (\w+)\n(?:--.*\n)*", re.MULTILINE)
_TABLES: Final = ("create_unsent", "create_command", "create_fact", "create_refused")


class Kept(NamedTuple):
    """A reading on disk. n: its place in the order of their making."""

    n: int
    payload: bytes


class Known(NamedTuple):
    """A command on disk that is not executed yet."""

    id: str
    name: str
    body: Any
    expires_us: int


class Memory:
    """Use it within `with`. limit: readings that may wait."""

    def __init__(self, folder: Path, limit: int) -> None:
        """Raises Conflict where another device has this folder, InvalidInput where the file is none of ours."""
        self.limit = limit
        self.to_send = asyncio.Event()
        """Set when there is something new for the house; who sends clears it before looking."""
        self.to_do = asyncio.Event()
        """Set when a command has come; who executes clears it before looking."""
        self.has_room = asyncio.Event()
        self.is_told = asyncio.Event()
        """Set while the house has every reading and every answer."""
        self.fact_set = asyncio.Event()
        """Set when a fact was written; who waits for one clears it."""
        self._sql = _queries()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / FILE
        self._sqlite = sqlite3.connect(path, isolation_level=None, timeout=0)
        path.chmod(0o600)
        try:
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
                self._sqlite.execute(f"PRAGMA {pragma}")
            with self.transaction():
                for table in _TABLES:
                    self._run(table)
        except (sqlite3.OperationalError, DiskFull) as error:
            self._sqlite.close()
            raise Conflict(
                f"the memory of this device is in use: {error}",
                where=str(path),
                remedy="End the other process, or give this device a folder of its own.",
            ) from None
        except sqlite3.DatabaseError as error:
            self._sqlite.close()
            raise InvalidInput(f"this is no device's memory: {error}", where=str(path)) from None
        self._waiting = self._count("waiting")
        self._look()

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: object) -> None:
        self._sqlite.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within it is there, or nothing; on disk when it ends."""
        try:
            with self._sqlite:
                self._sqlite.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.OperationalError as error:
            raise DiskFull(f"the device cannot write to its disk: {error}", remedy="Make room on it.") from error

    # Readings.

    @property
    def waiting(self) -> int:
        """How many readings wait."""
        return self._waiting

    @property
    def refused(self) -> int:
        """How many readings were set aside."""
        return self._count("count_refused")

    def put(self, payloads: Sequence[bytes], facts: Mapping[str, Any]) -> int:
        """Keep readings, and facts with them, in one transaction; answers how many old ones gave way for them."""
        too_many = max(0, self._waiting + len(payloads) - self.limit)
        with self.transaction():
            for payload in payloads:
                self._run("put", payload)
            if too_many:
                self._run("drop_oldest", too_many)
            for name, value in facts.items():
                self.set_fact(name, value)
        self._waiting += len(payloads) - too_many
        self._look()
        self.to_send.set()
        return too_many

    def oldest(self, limit: int, behind: int = 0) -> list[Kept]:
        """The readings that wait longest."""
        return [Kept(*row) for row in self._run("oldest", behind, limit)]

    def settle(self, taken: Sequence[int], refused: Mapping[int, str]) -> None:
        """Readings are acknowledged; others will never be taken, for a reason, and are set aside."""
        with self.transaction():
            for n, reason in refused.items():
                self._run("refuse", n, reason)
            if refused:
                self._run("bound_refused", MAX_REFUSED)
            for n in (*taken, *refused):
                self._run("forget", n)
        self._waiting = self._count("waiting")
        self._look()

    def _look(self) -> None:
        (self.has_room.set if self._waiting < self.limit else self.has_room.clear)()
        (self.is_told.clear if self._waiting or self.untold(1) else self.is_told.set)()

    # Commands.

    def take_command(self, command: Known) -> None:
        """A command was offered: on disk when this returns. One that is known already is answered again."""
        with self.transaction():
            order = self._count("next_received")
            body = msgspec.json.encode(command.body).decode()
            self._run("take_command", command.id, command.name, body, command.expires_us, order)
        self._look()
        self.to_do.set()
        self.to_send.set()

    def next_command(self) -> Known | None:
        """The oldest command that is not executed yet."""
        row = self._run("next_command").fetchone()
        return None if row is None else Known(row[0], row[1], msgspec.json.decode(row[2]), row[3])

    def answer(self, command: str, answer: bytes) -> None:
        """What is said of a command. To be called in the transaction that has its effects."""
        self._run("answer_command", command, answer)
        self._look()
        self.to_send.set()

    def untold(self, limit: int) -> list[tuple[str, bytes]]:
        """Answers that the house does not have yet, by command."""
        return self._run("untold", limit).fetchall()

    def told(self, command: str, answer: bytes) -> None:
        """The house has an answer."""
        self._run("told", command, answer)
        self._look()

    def forget_commands(self, before_us: int) -> None:
        """Those whose time was over by then are offered no more."""
        self._run("forget_commands", before_us)

    # Facts.

    def fact(self, name: str, default: Any = None) -> Any:
        """What is known under a name."""
        row = self._run("get_fact", name).fetchone()
        return default if row is None else msgspec.json.decode(row[0])

    def set_fact(self, name: str, value: Any) -> None:
        """Know something from now on. Any value of JSON."""
        self._run("set_fact", name, msgspec.json.encode(value).decode())
        self.fact_set.set()

    def _run(self, query: str, *values: object) -> sqlite3.Cursor:
        return self._sqlite.execute(self._sql[query], values)

    def _count(self, query: str) -> int:
        return int(self._run(query).fetchone()[0])


def _queries() -> dict[str, str]:
    text = (files("broadstreet.outpost") / f"{QUERIES}.sql").read_text(encoding="utf-8")
    _, *parts = _NAMED.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))
