"""Instances of attributes within a stretch of time, and how much of them one answer holds (6.3.10 of the standard).

An answer has at most so many instances of an attribute. Where one has more, the whole answer ends at one moment, the
same for all attributes and entities, so that nothing is missing between its two ends and whoever asks on from there
misses nothing. It begins with the oldest; with `lastN` it begins with the newest and ends further back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from broadstreet.context.bounds import DEFAULT_INSTANCES
from broadstreet.context.meta import Metas
from broadstreet.context.representation import AttributeRow
from broadstreet.history import By, Observation, Stretch, is_filed, read
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.entity import Kind
from broadstreet.store import Database, load_queries

_SQL = load_queries("evolution")
_encode: Final = msgspec.json.Encoder().encode


class TimeProperty(StrEnum):
    """Which time of an instance counts."""

    OBSERVED = "observedAt"
    CREATED = "createdAt"
    MODIFIED = "modifiedAt"
    DELETED = "deletedAt"

    @property
    def by(self) -> By:
        """The same of an observation, which is never deleted."""
        return By.OBSERVED if self is TimeProperty.DELETED else By(self.removesuffix("At"))

    def of(self, row: AttributeRow) -> int:
        """That time of an instance."""
        if self is TimeProperty.CREATED:
            return row.created_at_us
        if self is TimeProperty.MODIFIED:
            return row.modified_at_us
        first, second = row.observed_at_us, row.deleted_at_us
        at_us = second if first is None or (self is TimeProperty.DELETED and second is not None) else first
        assert at_us is not None
        return at_us


@dataclass(frozen=True)
class TemporalQuery:
    """A stretch of time, [from_us, to_us), and how much of it. None: without that end."""

    from_us: int | None = None
    to_us: int | None = None
    time: TimeProperty = TimeProperty.OBSERVED
    last_n: int | None = None
    """How many of the newest instances of each attribute; None: all, beginning with the oldest."""
    with_times: bool = False
    """Whether each instance's createdAt and modifiedAt are wanted."""
    most: int = DEFAULT_INSTANCES
    """How many instances of an attribute one answer holds."""

    @property
    def stretch(self) -> Stretch:
        """When."""
        return Stretch(
            MIN_US if self.from_us is None else self.from_us,
            MAX_US if self.to_us is None else self.to_us,
            self.time.by,
        )

    @property
    def goes_back(self) -> bool:
        """Whether an answer begins with the newest."""
        return self.last_n is not None

    @property
    def wanted(self) -> int:
        """How many instances of an attribute an answer holds, where there are as many."""
        return self.most if self.last_n is None else min(self.last_n, self.most)


Instances = dict[int, list[tuple[int, AttributeRow]]]
"""By series, oldest first: which of the observations of its moment each is, and the instance."""


def end_of(instances: Mapping[int, Sequence[tuple[int, AttributeRow]]], query: TemporalQuery) -> int | None:
    """The moment at which an answer ends, which is in it; None where it holds all that is asked for."""
    count, time = query.wanted, query.time.of
    if query.goes_back:
        if query.last_n == count:
            return None
        return max((time(rows[-count][1]) for rows in instances.values() if len(rows) > count), default=None)
    return min((time(rows[count - 1][1]) for rows in instances.values() if len(rows) > count), default=None)


def shown(
    rows: Sequence[tuple[int, AttributeRow]], query: TemporalQuery, end_us: int | None
) -> Sequence[tuple[int, AttributeRow]]:
    """The instances of a series that an answer holds."""
    if end_us is None:
        return rows if query.last_n is None else rows[-query.last_n :]
    time = query.time.of
    return [one for one in rows if (time(one[1]) >= end_us if query.goes_back else time(one[1]) <= end_us)]


class InstanceReader:
    """Reads instances of one tenant's series."""

    def __init__(self, database: Database, metas: Metas) -> None:
        self._database = database
        self._metas = metas

    async def read(self, keys: Sequence[int], query: TemporalQuery) -> Instances:
        """As many instances of each as an answer may hold, and one more where there is one."""
        stretch, limit = query.stretch, query.wanted + 1
        if query.time is TimeProperty.DELETED:
            return {}
        if stretch.by is not By.OBSERVED:
            return await self._written_within(keys, query, limit)
        found = await read(
            self._database, keys, stretch.from_us, stretch.to_us, limit=limit, newest_first=query.goes_back
        )
        if query.goes_back:
            found.reverse()
        await self._metas.learn(self._database, {one.meta_key for one in found})
        written = await self._written(found) if query.with_times else {}
        instances: Instances = {}
        for one in found:
            created_at_us = written.get(one.origin_key, one.observed_at_us)
            row = self._row(one.value, one.meta_key, one.observed_at_us, created_at_us, one.modified_at_us)
            instances.setdefault(one.series_key, []).append((one.n, row))
        return instances

    async def _written_within(self, keys: Sequence[int], query: TemporalQuery, limit: int) -> Instances:
        """Those that came, or were changed last, within the stretch; all of one moment where the last one is of it."""
        if await is_filed(self._database, MIN_US, MAX_US):
            return await self._written_and_filed(keys, query, limit)
        stretch = query.stretch
        by_creation = stretch.by is By.CREATED
        bounds = stretch.from_us, stretch.to_us, limit, by_creation, query.goes_back
        rows = await self._database.fetch(_SQL["recorded"], list(keys), *bounds)
        await self._metas.learn(self._database, {row["meta_key"] for row in rows})
        instances: Instances = {}
        for row in rows:
            value = row["value"] if row["number"] is None else row["number"]
            instance = self._row(value, row["meta_key"], row["observed_at"], row["recorded_at"], row["modified_at"])
            instances.setdefault(row["series_key"], []).append((row["n"], instance))
        return instances

    async def _written_and_filed(self, keys: Sequence[int], query: TemporalQuery, limit: int) -> Instances:
        """The same where some of the past has moved to files, which are not ordered by when they were written."""
        instances: Instances = {}
        stretch, time = query.stretch, query.time.of
        for key in keys:
            found = await read(self._database, [key], MIN_US, MAX_US)
            written = await self._written(found)
            await self._metas.learn(self._database, {one.meta_key for one in found})
            rows = [
                (one.n, self._row(one.value, one.meta_key, one.observed_at_us, at_us, one.modified_at_us))
                for one in found
                if (at_us := written.get(one.origin_key)) is not None
            ]
            chosen = sorted(
                (row for row in rows if stretch.from_us <= time(row[1]) < stretch.to_us), key=lambda row: time(row[1])
            )
            if len(chosen) > limit:
                last_us = time(chosen[-limit if query.goes_back else limit - 1][1])
                chosen = [
                    row for row in chosen if (time(row[1]) >= last_us if query.goes_back else time(row[1]) <= last_us)
                ]
            if chosen:
                instances[key] = chosen
        return instances

    async def _written(self, found: Iterable[Observation]) -> dict[int, int]:
        rows = await self._database.fetch(_SQL["origins"], list({one.origin_key for one in found}))
        return {row["key"]: row["at"] for row in rows}

    def _row(
        self, value: Any, meta_key: int | None, observed_at_us: int, created_at_us: int, modified_at_us: int | None
    ) -> AttributeRow:
        """An instance; its series says the rest."""
        return AttributeRow(
            name="",
            dataset_id="",
            kind=Kind.PROPERTY,
            number=value if isinstance(value, float) else None,
            value=None if value is None or isinstance(value, float) else _encode(value).decode(),
            meta=self._metas.body(meta_key) or {},
            observed_at_us=observed_at_us,
            created_at_us=created_at_us,
            modified_at_us=created_at_us if modified_at_us is None else modified_at_us,
        )
