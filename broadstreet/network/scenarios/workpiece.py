"""Workpieces: what a job of a project works at, kept in rows of one shape: a scenario, a question where sensors go.

    waiting ──▶ running ──▶ what came of it | failed
       └───────────┴──────▶ cancelled

A row says `begun` while a job is at it, and its job says how far: a worker that is killed leaves the job to the next
one, and a job that failed without a word, or is gone, leaves it failed.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

import msgspec

from broadstreet.model.errors import Conflict, NotFound
from broadstreet.network.scenarios.trouble import Trouble

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.network.scenarios.project import Project
    from broadstreet.store import Database


class Workpiece(Protocol):
    """What all of them have. state: in a word; is_open: whether it waits or is worked at."""

    @property
    def key(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def is_open(self) -> bool: ...


W = TypeVar("W", bound=Workpiece)


class Workpieces(ABC, Generic[W]):
    """Those of one kind, of a tenant's projects. random_bytes: fit for ids.

    sql: the queries of their table. noun: what one is called; where: which part of a request names it.
    """

    sql: ClassVar[Mapping[str, str]]
    noun: ClassVar[str]
    where: ClassVar[str]

    def __init__(self, clock: Callable[[], int], random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes

    @abstractmethod
    def told(self, row: asyncpg.Record) -> W:
        """One as its row and its job tell it."""

    def unknown(self, identifier: str) -> NotFound:
        """The error for one that is not there."""
        return NotFound(f"there is no {self.noun} {identifier[:80]!r}", where=self.where)

    def taken(self, name: str) -> Conflict:
        """The error for a name that another one has."""
        return Conflict(f"the project has a {self.noun} {name!r} already", where="name", remedy="Choose another name.")

    async def list(self, database: Database, project: Project) -> list[W]:
        """A project's, the oldest first."""
        return [self.told(row) for row in await database.fetch(self.sql["list"], project.key)]

    async def find(self, database: Database, identifier: str) -> W:
        """One of them. Raises NotFound."""
        row = await database.fetchrow(self.sql["find"], identifier)
        if row is None:
            raise self.unknown(identifier)
        return self.told(row)

    async def of_job(self, database: Database, job: str) -> W | None:
        """What a job is to work at; None where that is not wanted any more."""
        row = await database.fetchrow(self.sql["of_job"], job)
        return None if row is None else self.told(row)

    async def stop(self, database: Database, piece: W) -> None:
        """It is to end with the best there is. Raises Conflict where no job is at it."""
        if not piece.is_open or await database.fetchval(self.sql["stop"], piece.key) is None:
            raise Conflict(f"the {self.noun} is {piece.state}, and nothing is to be stopped")

    async def cancel(self, database: Database, piece: W) -> None:
        """It is to end with nothing. Raises Conflict where no job is at it."""
        if not piece.is_open:
            raise Conflict(f"the {self.noun} is {piece.state}, and nothing is to be cancelled")
        await database.execute(self.sql["cancel"], piece.key, self._clock())

    async def remove(self, database: Database, piece: W) -> None:
        """It goes; its artefacts are the caller's to remove."""
        await database.execute(self.sql["remove"], piece.key)


def state_of(row: asyncpg.Record) -> str:
    """How far one is, by its row and by its job."""
    if row["state"] != "begun":
        return str(row["state"])
    return str(row["live"]) if row["live"] in ("waiting", "running", "cancelled") else "failed"


def trouble_of_row(row: asyncpg.Record, remedy: str) -> Trouble | None:
    """What was wrong, where it has failed: what was kept, else what its job said. remedy: for one without a word."""
    if row["problem"] is not None:
        return msgspec.convert(row["problem"], Trouble)
    if state_of(row) != "failed":
        return None
    return Trouble(detail=row["live_error"] or "its worker ended before it", remedy=remedy, status=500)
