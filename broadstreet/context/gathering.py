"""Writes of single entities, gathered: whatever comes while a transaction is under way goes into the next one together.

A commit waits for the disk, and a round trip to the database costs its two ends as much for one entity as for thirty.
So a write that finds nothing under way goes at once, by itself, and under load groups form by themselves; nobody waits
for others to come. Each is decided for itself: one that is refused keeps no other from its place, and where a group
cannot be written, its writes are tried one by one. What was answered is committed.

A group has one principal and no entity twice, and carries the time of its last write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from broadstreet.access import Principal
from broadstreet.context.decision import Decision
from broadstreet.context.ledger import Ledger
from broadstreet.context.stored import StoredEntity
from broadstreet.model.errors import BroadstreetError

MAX_GATHERED: Final = 64
"""Writes in one transaction."""
MAX_AT_ONCE: Final = 2
"""Transactions side by side: one waits for the disk while another is put together."""


@dataclass(eq=False)
class Write:
    """One entity's. iris: every name and type it may bring in; names: of the attributes it is about, None for all."""

    principal: Principal
    at_us: int
    entity_id: str
    iris: set[str]
    decide: Callable[[StoredEntity | None], Decision]
    names: Sequence[str] | None
    decided: asyncio.Future[Decision] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def who(self) -> tuple[str, str | None]:
        """Whom it is put down to."""
        return self.principal.name, self.principal.via


class Gathering:
    """The writes of one tenant. Make one a process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[Write] = []
        self._under_way: set[str] = set()
        self._workers: set[asyncio.Task[None]] = set()

    async def write(self, write: Write) -> Decision:
        """Carry it out; answers when it is committed. Raises what deciding raises, and what `Ledger.write` does."""
        self._waiting.append(write)
        if len(self._workers) < MAX_AT_ONCE:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return await write.decided

    async def _work(self) -> None:
        while group := self._take():
            ids = {one.entity_id for one in group}
            self._under_way |= ids
            try:
                await self._carry_out(group)
            finally:
                self._under_way -= ids
                for one in group:
                    one.decided.cancel()  # of those that were not: this worker was called off

    def _take(self) -> list[Write]:
        """The next group: the oldest write that need not wait for another of its entity, and what goes with it."""
        group: list[Write] = []
        left: list[Write] = []
        met = set(self._under_way)
        for one in self._waiting:
            goes_along = not group or one.who == group[0].who
            if one.entity_id in met or not goes_along or len(group) == MAX_GATHERED:
                left.append(one)
            else:
                group.append(one)
            met.add(one.entity_id)
        self._waiting = left
        return group

    async def _carry_out(self, group: Sequence[Write]) -> None:
        if len(group) > 1:
            done, refused = await self._together(group)
            for one in group:
                if (error := refused.get(one.entity_id)) is not None:
                    _refuse(one, error)
                elif (decision := done.get(one.entity_id)) is not None and not one.decided.done():
                    one.decided.set_result(decision)
        await asyncio.gather(*(self._alone(one) for one in group if not one.decided.done()))

    async def _together(self, group: Sequence[Write]) -> tuple[dict[str, Decision], dict[str, BroadstreetError]]:
        """What became of each, by its entity's id; of none anything where the group could not be written."""
        refused: dict[str, BroadstreetError] = {}

        def decide(stored: Mapping[str, StoredEntity]) -> list[Decision]:
            refused.clear()
            decisions = []
            for one in group:
                try:
                    decisions.append(one.decide(stored.get(one.entity_id)))
                except BroadstreetError as error:
                    refused[one.entity_id] = error
            return decisions

        every = [one.names for one in group if one.names is not None]
        names = {name for some in every for name in some} if len(every) == len(group) else None
        writing = asyncio.create_task(
            self._ledger.write(
                group[0].principal,
                max(one.at_us for one in group),
                [one.entity_id for one in group],
                set[str]().union(*(one.iris for one in group)),
                decide,
                None if names is None else sorted(names),
            )
        )
        await asyncio.wait((writing,))
        if writing.cancelled() or writing.exception() is not None:
            return {}, {}
        return {decision.id: decision for decision in writing.result()}, refused

    async def _alone(self, one: Write) -> None:
        names = None if one.names is None else list(one.names)
        writing = asyncio.create_task(
            self._ledger.write(
                one.principal,
                one.at_us,
                [one.entity_id],
                one.iris,
                lambda stored: [one.decide(stored.get(one.entity_id))],
                names,
            )
        )
        await asyncio.wait((writing,))
        if writing.cancelled() or one.decided.done():
            return
        error = writing.exception()
        if error is not None:
            _refuse(one, error)
        else:
            one.decided.set_result(writing.result()[0])


def _refuse(one: Write, error: BaseException) -> None:
    if not one.decided.done():
        one.decided.set_exception(error)
