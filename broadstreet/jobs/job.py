"""Jobs: what somebody asked for, how far it has come, and where its file is.

    waiting ──▶ running ──▶ done | failed
       └───────────┴──────▶ cancelled

A job that has ended goes with its file when its time is over, or when its owner removes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import msgspec

from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import Conflict, NotFound, TooMany
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store import Database, Store
    from broadstreet.store.database import Connection

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]

MAX_OPEN: Final = 20
"""Jobs of one principal that have not ended."""
MAX_LISTED: Final = 100
MAX_ATTEMPTS: Final = 3
"""How often a job is begun whose worker was killed each time."""
LOST_US: Final = 15 * US_PER_S
"""A worker that has not said anything for so long is taken for dead."""
HALF_WRITTEN: Final = ".part"
_ID_BYTES: Final = 16
_SQL = load_queries("job")


class JobLimits(msgspec.Struct, frozen=True, kw_only=True):
    """
    keep_us:         how long a file stays after its job has ended.
    max_bytes:       of all files of a house together.
    watermark_bytes: less than this left on the disk is too little.
    """

    keep_us: int = 48 * 3_600 * US_PER_S
    max_bytes: int = 20_000_000_000
    watermark_bytes: int = 0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands. share: 0 to 1; times in microseconds since 1970, None: not yet."""

    key: int
    id: str
    tenant: str
    kind: str
    wish: dict[str, Any]
    title: str
    media_type: str
    principal: str
    state: JobState
    created_us: int
    started_us: int | None
    ended_us: int | None
    attempts: int
    share: float
    rows: int
    bytes: int
    error: str | None


class Jobs:
    """All tenants' jobs. random_bytes: fit for ids, such as `os.urandom`."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        limits: JobLimits | None = None,
    ) -> None:
        self.store = store
        self.folder = folder
        self.clock = clock
        self.limits = limits or JobLimits()
        self.begun = asyncio.Event()
        """Set when a job came: a worker of this process need not look for it."""
        self._random_bytes = random_bytes

    async def begin(
        self,
        database: Database,
        principal: str,
        kind: str,
        wish: dict[str, Any],
        *,
        title: str,
        media_type: str,
        connection: Connection | None = None,
    ) -> Job:
        """Write a job down; a worker takes it soon. title: what a browser saves its file as. Raises TooMany.

        connection: within whose transaction it is written; whoever ends that sets `begun` then.
        """
        row = await (database if connection is None else connection).fetchrow(
            _SQL["insert"],
            self._random_bytes(_ID_BYTES).hex(),
            kind,
            wish,
            title,
            media_type,
            principal,
            self.clock(),
            MAX_OPEN,
        )
        if row is None:
            raise TooMany(f"{MAX_OPEN} jobs of {principal} have not ended", remedy="Cancel some, or wait for them.")
        self.begun.set()
        return _job(database.name, row)

    async def list(self, database: Database, principal: str, kind: str) -> list[Job]:
        """Somebody's jobs of a kind, newest first."""
        return [_job(database.name, row) for row in await database.fetch(_SQL["list"], principal, kind, MAX_LISTED)]

    async def one(self, database: Database, identifier: str, kind: str) -> Job | None:
        """A job of a kind, whosever it is, for who may see to all of them; None where it is gone."""
        row = await database.fetchrow(_SQL["one"], identifier, kind)
        return None if row is None else _job(database.name, row)

    async def find(self, database: Database, principal: str, identifier: str, kind: str) -> Job:
        """One of somebody's jobs of a kind. Raises NotFound."""
        row = await database.fetchrow(_SQL["find"], identifier, principal, kind)
        if row is None:
            raise NotFound(f"you have no job {identifier[:80]!r}", remedy="One that ended goes after a while.")
        return _job(database.name, row)

    async def end(self, database: Database, job: Job) -> None:
        """Cancel a job, or remove one that has ended, with its file."""
        if await database.fetchrow(_SQL["cancel"], job.key, self.clock()) is None:
            await database.execute(_SQL["remove"], job.key)
            await asyncio.to_thread(self.file(job).unlink, missing_ok=True)

    def file(self, job: Job) -> Path:
        """Where a job's file is, or will be."""
        return self.folder / job.tenant / job.id

    def finished_file(self, job: Job) -> Path:
        """The file of a job that is done. Raises Conflict before, NotFound where it is on another machine."""
        if job.state != "done":
            raise Conflict(f"the job is {job.state}, and has no file", remedy="Wait until it is done.")
        path = self.file(job)
        if not path.is_file():
            raise NotFound("the file is not on this machine", remedy="Begin the job again.")
        return path

    async def take(self, database: Database, worker: str, kinds: Iterable[str]) -> Job | None:
        """The next job of these kinds is this worker's; None where none waits."""
        now_us = self.clock()
        row = await database.fetchrow(_SQL["take"], worker, now_us, now_us - LOST_US, list(kinds))
        return None if row is None else _job(database.name, row)

    async def beat(self, database: Database, job: Job, worker: str, share: float, rows: int, size: int) -> bool:
        """Say how far a job has come; answers whether it is this worker's still, and not cancelled."""
        now_us = self.clock()
        return await database.fetchval(_SQL["beat"], job.key, worker, now_us, share, rows, size) is not None

    async def finish(
        self, database: Database, job: Job, worker: str, state: JobState, rows: int, size: int, error: str | None
    ) -> bool:
        """A job has ended; answers whether it was this worker's still."""
        now_us = self.clock()
        return await database.fetchval(_SQL["finish"], job.key, worker, now_us, state, rows, size, error) is not None

    async def sweep(self, database: Database) -> None:
        """What is over its time goes, and every file that no job speaks of."""
        await database.execute(_SQL["remove_old"], self.clock() - self.limits.keep_us)
        await asyncio.to_thread(_remove_but, self.folder / database.name, await self.ids(database))

    async def ids(self, database: Database) -> set[str]:
        """The ids of all jobs there are."""
        return {row["id"] for row in await database.fetch(_SQL["ids"])}

    def used_bytes(self) -> int:
        """How much all files take."""
        return sum(path.stat().st_size for path in self.folder.glob("*/*")) if self.folder.is_dir() else 0


def _remove_but(folder: Path, ids: set[str]) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.removesuffix(HALF_WRITTEN) not in ids:
            path.unlink(missing_ok=True)


def _job(tenant: str, row: asyncpg.Record) -> Job:
    return Job(
        key=row["key"],
        id=row["id"],
        tenant=tenant,
        kind=row["kind"],
        wish=row["wish"],
        title=row["title"],
        media_type=row["media_type"],
        principal=row["principal"],
        state=cast("JobState", row["state"]),
        created_us=row["created_at"],
        started_us=row["started_at"],
        ended_us=row["ended_at"],
        attempts=row["attempts"],
        share=row["share"],
        rows=row["rows"],
        bytes=row["bytes"],
        error=row["error"],
    )
