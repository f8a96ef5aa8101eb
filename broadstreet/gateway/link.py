"""The way from one process to another: in order, each item once, for as long as both live.

Items gather in batches, which are numbered; the other side says how far it has taken them, and what it has not taken in
time is sent again from there on. So a NATS server that restarts loses nothing of it. A neighbour that takes too little
has no hold on anybody: what is too much for it is dropped, and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from broadstreet.gateway.bounds import (
    LINK_BATCH_BYTES,
    LINK_BATCH_ITEMS,
    LINK_EVERY_S,
    LINK_WINDOW,
    MAX_LINK_BYTES,
    MESSAGE_OVERHEAD_BYTES,
    RESEND_AFTER_S,
)
from broadstreet.gateway.words import Batch, Claim, Handed, Taken

Item = Handed | Claim


class Link:
    """
    sender:  who speaks.
    channel: tells this link from an earlier one between the same two; higher than that one's.
    publish: brings a batch to the other process, or not: it does not raise.
    now_s:   a clock that never goes back, in seconds.
    """

    def __init__(
        self, sender: str, channel: int, publish: Callable[[Batch], Awaitable[None]], now_s: Callable[[], float]
    ) -> None:
        self._sender = sender
        self._channel = channel
        self._publish = publish
        self._now_s = now_s
        self._gathering: deque[Item] = deque()
        self._on_way: deque[Batch] = deque()
        self._number = 0
        self._bytes = 0
        self._moved_s = now_s()
        """When something was taken last, or the first of `on_way` was sent."""
        self._is_to_resend = False
        self._arrived = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    @property
    def is_stuck(self) -> bool:
        """Whether the other side has taken nothing for a while."""
        return bool(self._on_way) and self._now_s() > self._moved_s + RESEND_AFTER_S

    async def emptied(self) -> None:
        """Return once the other side has taken everything."""
        await self._emptied.wait()

    def send(self, item: Item) -> bool:
        """Take an item; answers whether there was room. QoS 0 messages find room in half of it alone."""
        size = _size(item)
        most = MAX_LINK_BYTES if isinstance(item, Claim) or item.qos else MAX_LINK_BYTES // 2
        if self._bytes + size > most:
            return False
        self._bytes += size
        self._gathering.append(item)
        self._arrived.set()
        self._emptied.clear()
        return True

    def taken(self, word: Taken) -> None:
        """The other side says how far it has come."""
        if word.channel != self._channel:
            return
        while self._on_way and self._on_way[0].number <= word.number:
            self._bytes -= sum(map(_size, self._on_way.popleft().items))
            self._moved_s = self._now_s()
        if self._gathering:
            self._arrived.set()
        elif not self._on_way:
            self._emptied.set()

    def look(self) -> None:
        """Called now and then: what has not been taken in time is sent again."""
        if self.is_stuck:
            self._moved_s = self._now_s()
            self._is_to_resend = True
            self._arrived.set()

    def left(self) -> list[Item]:
        """What is not known to be taken, in order."""
        return [*(item for batch in self._on_way for item in batch.items), *self._gathering]

    async def run(self) -> None:
        """Send what comes until cancelled: the first at once, then in batches."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if self._is_to_resend:
                self._is_to_resend = False
                for batch in tuple(self._on_way):
                    await self._publish(batch)
            while self._gathering and len(self._on_way) < LINK_WINDOW:
                if not self._on_way:
                    self._moved_s = self._now_s()
                batch = self._next_batch()
                self._on_way.append(batch)
                await self._publish(batch)
                await asyncio.sleep(LINK_EVERY_S)

    def _next_batch(self) -> Batch:
        items: list[Item] = []
        size = 0
        while self._gathering and len(items) < LINK_BATCH_ITEMS and size < LINK_BATCH_BYTES:
            items.append(self._gathering.popleft())
            size += _size(items[-1])
        self._number += 1
        return Batch(self._sender, self._channel, self._number, items)


class Ears:
    """What has been taken from one other process: each batch once, in order."""

    __slots__ = ("channel", "number")

    def __init__(self) -> None:
        self.channel = 0
        self.number = 0

    def take(self, batch: Batch) -> bool:
        """Whether a batch is the next one. After it, `number` is what may be said to be taken of its channel."""
        if batch.channel > self.channel:
            self.channel, self.number = batch.channel, 0
        if batch.channel < self.channel or batch.number != self.number + 1:
            return False
        self.number = batch.number
        return True


def _size(item: Item) -> int:
    return MESSAGE_OVERHEAD_BYTES if isinstance(item, Claim) else len(item.payload) + 2 * MESSAGE_OVERHEAD_BYTES
