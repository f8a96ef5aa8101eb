"""The room's one object: a wish becomes a file, as a stream or as a job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from broadstreet.access import Access, Principal
from broadstreet.context import Broker
from broadstreet.exports.forms import MEDIA_TYPES, form_of
from broadstreet.exports.patience import unstalled
from broadstreet.exports.rows import ENTITIES, HISTORY, Labels, added_up, newest, observed, summed_columns
from broadstreet.exports.wish import PERMISSION, Wish, wish_of
from broadstreet.history import Sight, held, pieces, summed, time_zone
from broadstreet.jobs import Job, Jobs, Product
from broadstreet.model.clock import MIN_US
from broadstreet.model.errors import NotAllowed, TooMany, Unavailable
from broadstreet.model.terms import expand

if TYPE_CHECKING:
    from broadstreet.history.observations import Int64s
    from broadstreet.store import Database, Store, Terms

KIND: Final = "export"
"""Of its jobs."""
ENTITIES_AT_ONCE: Final = 500
MAX_STREAMS: Final = 4
"""Streams of one process at a time: each holds a connection, and a moment that the database must keep."""
STALL_S: Final = 60.0
"""Whoever takes nothing of a stream for so long has gone away."""


class Exported(msgspec.Struct, frozen=True):
    """A piece of a file. share: how much of the work is done, 0 to 1; rows: how many the file has with it."""

    data: bytes
    rows: int
    share: float


class Exports:
    """Make one a process. jobs: where big ones are done; without them there are streams alone."""

    def __init__(self, store: Store, access: Access, jobs: Jobs | None = None) -> None:
        self._store = store
        self._access = access
        self._broker = Broker(store)
        self._jobs = jobs
        self._streams = 0

    @property
    def jobs(self) -> Jobs:
        """The jobs that exports are done as."""
        if self._jobs is None:
            raise Unavailable("this process does no long work", remedy="Ask for a stream.")
        return self._jobs

    async def stream(
        self, database: Database, principal: Principal, wish: Wish, at_us: int
    ) -> AsyncGenerator[Exported, None]:
        """The file, made as it is read. Raises NotAllowed, TooMany, and what the wish makes of itself."""
        principal.require(PERMISSION)
        if self._streams >= MAX_STREAMS:
            raise TooMany(f"{MAX_STREAMS} exports are streamed now", remedy="Try again later, or make a job of it.")
        self._streams += 1
        try:
            await self._note(principal, "export.stream", wish, at_us)
            async with aclosing(unstalled(self._made(database, principal, wish, at_us), STALL_S)) as made:
                async for piece in made:
                    yield piece
        finally:
            self._streams -= 1

    async def begin(self, database: Database, principal: Principal, wish: Wish, at_us: int) -> Job:
        """Make a job of it. Raises NotAllowed, TooMany."""
        principal.require(PERMISSION)
        # Of when it is asked for, however long it waits: a range until now ends now.
        from_us, to_us = wish.range_us(at_us)
        job = await self.jobs.begin(
            database,
            principal.name,
            KIND,
            {"wish": msgspec.to_builtins(wish), "from_us": from_us, "to_us": to_us},
            title=wish.file_name,
            media_type=MEDIA_TYPES[wish.format],
        )
        await self._note(principal, "export.begin", wish, at_us, job.id)
        return job

    async def note_fetched(self, principal: Principal, job: Job, at_us: int) -> None:
        """Somebody fetches a job's file."""
        await self._note(principal, "export.fetch", wish_of(job.wish["wish"]), at_us, job.id)

    async def work(self, database: Database, job: Job, product: Product) -> None:
        """Do a job, by the right that whoever asked for it has now. Raises NotAllowed."""
        principal = await self._principal(job)
        wish = wish_of(job.wish["wish"])
        span = job.wish["from_us"], job.wish["to_us"]
        async with aclosing(self._made(database, principal, wish, job.created_us, span)) as made:
            async for piece in made:
                await asyncio.to_thread(product.write, piece.data)
                product.rows, product.share = piece.rows, piece.share

    async def _principal(self, job: Job) -> Principal:
        for account in await self._access.accounts.list(job.tenant):
            if account.name == job.principal and account.disabled_at_us is None:
                roles = [role for _, role in account.roles]
                principal = Principal.account(account.name, account.title, job.tenant, roles)
                principal.require(PERMISSION)
                return principal
        raise NotAllowed(f"{job.principal} has no role in the tenant {job.tenant} any more")

    async def _note(self, principal: Principal, action: str, wish: Wish, at_us: int, subject: str = "") -> None:
        await self._access.audit.record(
            at_us,
            principal.name,
            action,
            subject or wish.what,
            tenant=principal.tenant,
            detail={"query": wish.query} | ({} if principal.via is None else {"token": principal.via}),
        )

    async def _made(
        self, database: Database, principal: Principal, wish: Wish, at_us: int, span: tuple[int, int] | None = None
    ) -> AsyncGenerator[Exported, None]:
        """The file in pieces, all of one moment."""
        from_us, to_us = span or wish.range_us(at_us)
        period = wish.period()
        columns: dict[str, Any] = ENTITIES if wish.what == "entities" else HISTORY
        edges = None
        if period is not None:
            edges, columns = (
                period.edges(from_us, to_us, time_zone(wish.zone)).clip(max=to_us),
                summed_columns(wish.methods),
            )
        form = form_of(wish, columns)
        rows = 0
        try:
            bounds = (MIN_US, MIN_US) if wish.what == "entities" else (from_us, to_us)
            async with held(database, *bounds) as sight:
                reading = _Reading(sight, self._store.terms(database), wish, (from_us, to_us), edges)
                keys = await self._broker.choose(principal, wish.selection(), sight.connection)
                yield Exported(await asyncio.to_thread(form.begin), 0, 0.0)
                for start in range(0, len(keys), ENTITIES_AT_ONCE):
                    part = keys[start : start + ENTITIES_AT_ONCE]
                    async for frame, share in reading.of(part):
                        rows += frame.height
                        done = (start + share * len(part)) / len(keys)
                        yield Exported(await asyncio.to_thread(form.rows, frame), rows, done)
            yield Exported(await asyncio.to_thread(form.end), rows, 1.0)
        finally:
            await asyncio.to_thread(form.close)


class _Reading:
    """Reads the rows of one export through one sight."""

    def __init__(self, sight: Sight, terms: Terms, wish: Wish, span: tuple[int, int], edges: Int64s | None) -> None:
        self._sight = sight
        self._terms = terms
        self._wish = wish
        self._span = span
        self._edges = edges

    async def of(self, entity_keys: Sequence[int]) -> AsyncIterator[tuple[pl.DataFrame, float]]:
        """Rows of some entities, and how much of them is done."""
        connection, wish = self._sight.connection, self._wish
        chosen = None
        if wish.attrs:
            chosen = list((await self._terms.find(map(expand, wish.attrs))).values())
        labels = await Labels.read(connection, self._terms, entity_keys, chosen, wish.dataset)
        if wish.what == "entities":
            yield await newest(connection, self._terms, labels, entity_keys), 1.0
            return
        done = {key: place / len(labels.series_keys) for place, key in enumerate(labels.series_keys)}
        if self._edges is not None:
            if len(self._edges) < 2:
                return
            async for frame in summed(self._sight, labels.series_keys, self._edges, wish.methods):
                yield added_up(labels, frame, wish.methods), done[frame["series_key"][-1]]
            return
        async for frame in pieces(self._sight, labels.series_keys, *self._span):
            yield await observed(connection, labels, frame), done[frame["series_key"][-1]]
