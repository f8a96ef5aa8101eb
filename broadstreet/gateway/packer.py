"""The packer: what all connections sent within a few milliseconds becomes a pack, on disk before it is acknowledged.

Messages of one (tenant, partition) gather in a batch. The batch goes to the log at once after a silence, else
`PACK_EVERY_S` after the one before, or as soon as it is large. Whoever added to it holds its `Settlement`, which
settles once: safe, when the log has it on disk, or refused, when the log or the disk has no room. While the log is
away nothing settles: the same pack, under the same id, is tried until it is safe, and above `HELD_BYTES_HIGH` the
packer asks for quiet.

Receive times are unique for each device: whole microseconds, strictly rising.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from broadstreet.gateway.bounds import (
    FULL_FOR_S,
    HELD_BYTES_HIGH,
    HELD_BYTES_LOW,
    MESSAGE_OVERHEAD_BYTES,
    PACK_EVERY_S,
    PACKS_IN_FLIGHT,
    RETRY_FIRST_S,
    RETRY_LONGEST_S,
    TARGET_PACK_BYTES,
    TARGET_PACK_MESSAGES,
)
from broadstreet.gateway.counters import Counters
from broadstreet.log import MAX_PACK_BYTES, MAX_PACK_MESSAGES, RELEASED, Once, Pack, Position
from broadstreet.model.errors import BroadstreetError, EngineFailed, LogFull, TooLarge

PACK_ID_BYTES = 16
logger = logging.getLogger(__name__)


class RawLog(Protocol):
    """What the packer needs of `broadstreet.log.Log`."""

    async def append_raw(self, pack: Pack) -> Position:
        """Append a pack; on disk when it returns. Raises LogFull or EngineFailed."""


class Settlement:
    """Whether something is kept: open, then settled once, safe or with a refusal."""

    __slots__ = ("_waiters", "is_settled", "refusal")

    def __init__(self) -> None:
        self.is_settled = False
        self.refusal: BroadstreetError | None = None
        self._waiters: list[Callable[[], None]] = []

    def settle(self, refusal: BroadstreetError | None = None) -> None:
        """Say how it went; whoever waits is called now."""
        self.is_settled = True
        self.refusal = refusal
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter()

    def then(self, waiter: Callable[[], None]) -> None:
        """Call `waiter` once it is settled; now, if it is."""
        if self.is_settled:
            waiter()
        else:
            self._waiters.append(waiter)

    async def settled(self) -> None:
        """Return once it is settled."""
        if not self.is_settled:
            settled = asyncio.get_running_loop().create_future()
            self.then(lambda: None if settled.done() else settled.set_result(None))
            await settled


SAFE: Final = Settlement()
"""What has nothing to wait for."""
SAFE.settle()


def together(settlements: list[Settlement]) -> Settlement:
    """Settled when all are, and refused where one is."""
    whole = Settlement()
    left = len(settlements)

    def settled() -> None:
        nonlocal left
        left -= 1
        if not left:
            whole.settle(next((one.refusal for one in settlements if one.refusal is not None), None))

    for one in settlements:
        one.then(settled)
    return whole


class Source:
    """A device as the packer knows it: where its messages belong, and the receive time it had last."""

    __slots__ = ("device", "lane", "last_us")

    def __init__(self, device: int, lane: _Lane) -> None:
        self.device = device
        self.lane = lane
        self.last_us = 0


class Mark(NamedTuple):
    """What a message of QoS 2 counts once by: its session, in which of its lives, and its packet identifier."""

    session: bytes
    life: int
    identifier: int


class _Batch(Settlement):
    """A pack that is being gathered."""

    __slots__ = ("began_us", "bytes", "device", "once", "payload", "received_us", "topic")

    def __init__(self, began_us: int) -> None:
        super().__init__()
        self.began_us = began_us
        self.bytes = 0
        self.device: list[int] = []
        self.received_us: list[int] = []
        self.topic: list[str] = []
        self.payload: list[bytes] = []
        self.once: dict[tuple[bytes, int], Once] = {}

    def mark(self, mark: Mark, entry: int) -> None:
        """Say of a message that it counts once, or that it is released."""
        once = self.once.get(mark[:2])
        if once is None:
            once = self.once[mark[:2]] = Once(mark.session, mark.life, [], [])
        once.identifiers.append(mark.identifier)
        once.entries.append(entry)


class _Lane:
    """One partition of one tenant: the batch that grows, those that are full, those that are on their way."""

    __slots__ = ("full", "growing", "in_flight", "last_sent_s", "partition", "tenant", "timer")

    def __init__(self, tenant: str, partition: int) -> None:
        self.tenant = tenant
        self.partition = partition
        self.growing: _Batch | None = None
        self.full: deque[_Batch] = deque()
        self.in_flight = 0
        self.last_sent_s = 0.0
        self.timer: asyncio.Handle | None = None


def _ignore_pressure(is_high: bool) -> None:
    """For whoever does not take from sockets."""


class Packer:
    """
    log:         where packs go.
    gateway:     this process's name, which packs carry.
    partitions:  of each tenant; a device's is its key modulo this.
    clock:       now, in microseconds since 1970.
    random_bytes: fit for ids, such as `os.urandom`.
    on_pressure: called with True when more is held than may be, with False when there is room again.
    """

    def __init__(
        self,
        log: RawLog,
        *,
        gateway: str,
        partitions: int,
        counters: Counters,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        on_pressure: Callable[[bool], None] = _ignore_pressure,
    ) -> None:
        self._log = log
        self._gateway = gateway
        self._partitions = partitions
        self._counters = counters
        self._clock = clock
        self._random_bytes = random_bytes
        self._on_pressure = on_pressure
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._sources: dict[tuple[str, int], Source] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusal: BroadstreetError | None = None
        self._full_until_s = 0.0
        self.is_pressed = False

    def source(self, tenant: str, device: int) -> Source:
        """A device by its key; the same object for as long as the process lives."""
        found = self._sources.get((tenant, device))
        if found is None:
            place = tenant, device % self._partitions
            lane = self._lanes.get(place)
            if lane is None:
                lane = self._lanes[place] = _Lane(*place)
            found = self._sources[tenant, device] = Source(device, lane)
        return found

    def add(
        self, source: Source, topic: str, payloads: list[bytes], payload_bytes: int, mark: Mark | None = None
    ) -> Settlement:
        """
        Take messages of one device to one topic, in their order.

        topic:         what follows `devices/<id>/`.
        payload_bytes: the sum of the payloads' lengths.
        mark:          what the message, which is one then, counts once by.
        Raises TooLarge if they are more than a pack can hold.
        """
        count = len(payloads)
        size = payload_bytes + count * (MESSAGE_OVERHEAD_BYTES + len(topic))
        if mark is not None:
            size += MESSAGE_OVERHEAD_BYTES
        if size > MAX_PACK_BYTES or count > MAX_PACK_MESSAGES:
            raise TooLarge(f"{count} messages of {size} bytes together are more than a pack holds")
        lane = source.lane
        now_us = self._clock()
        batch = lane.growing
        if batch is not None and (
            batch.bytes + size > MAX_PACK_BYTES or len(batch.payload) + count > MAX_PACK_MESSAGES
        ):
            self._close(lane, batch)
            batch = None
        if batch is None:
            batch = lane.growing = _Batch(now_us)
            self._arrange(lane)
        first_us = max(now_us, source.last_us + 1)
        source.last_us = first_us + count - 1
        batch.device.extend([source.device] * count)
        batch.received_us.extend(range(first_us, first_us + count))
        batch.topic.extend([topic] * count)
        batch.payload += payloads
        if mark is not None:
            batch.mark(mark, len(batch.payload) - 1 if count else RELEASED)
        batch.bytes += size
        counters = self._counters
        counters.messages += count
        counters.bytes += payload_bytes
        counters.held_bytes += size
        if counters.held_bytes > HELD_BYTES_HIGH and not self.is_pressed:
            self.is_pressed = True
            self._on_pressure(True)
        if batch.bytes >= TARGET_PACK_BYTES or len(batch.payload) >= TARGET_PACK_MESSAGES:
            self._close(lane, batch)
        return batch

    def release(self, source: Source, mark: Mark) -> Settlement:
        """The client of a session will not send a message again."""
        return self.add(source, "", [], 0, mark)

    def refuse(self, refusal: BroadstreetError | None) -> None:
        """Refuse every pack from now on with this error; None: take them again."""
        self._refusal = refusal

    async def flush(self, within_s: float) -> None:
        """Send what has been gathered; what the log has not taken after `within_s` is left unsettled."""
        deadline_s = self._loop.time() + within_s
        for lane in self._lanes.values():
            if lane.timer is not None:
                lane.timer.cancel()
            self._due(lane)
        while self._tasks and (left_s := deadline_s - self._loop.time()) > 0:
            await asyncio.wait(self._tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            task.cancel()

    def _close(self, lane: _Lane, batch: _Batch) -> None:
        """A batch has grown enough."""
        lane.full.append(batch)
        lane.growing = None
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        self._pump(lane)

    def _arrange(self, lane: _Lane) -> None:
        """Set the moment at which the growing batch goes out."""
        wait_s = lane.last_sent_s + PACK_EVERY_S - self._loop.time()
        if wait_s > 0:
            lane.timer = self._loop.call_later(wait_s, self._due, lane)
        else:
            lane.timer = self._loop.call_soon(self._due, lane)

    def _due(self, lane: _Lane) -> None:
        lane.timer = None
        self._pump(lane)

    def _pump(self, lane: _Lane) -> None:
        """Send what is to be sent, as far as there is room on the way."""
        while lane.in_flight < PACKS_IN_FLIGHT:
            if lane.full:
                batch = lane.full.popleft()
            elif lane.growing is not None and lane.timer is None:
                batch, lane.growing = lane.growing, None
            else:
                return
            lane.in_flight += 1
            lane.last_sent_s = self._loop.time()
            task = self._loop.create_task(self._send(lane, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, lane: _Lane, batch: _Batch) -> None:
        """Bring a batch to the log, however long that takes, and settle it."""
        pack = Pack(
            self._random_bytes(PACK_ID_BYTES),
            lane.tenant,
            lane.partition,
            self._gateway,
            batch.device,
            batch.received_us,
            batch.topic,
            batch.payload,
            list(batch.once.values()),
        )
        refusal = await self._append(pack)
        lane.in_flight -= 1
        counters, count = self._counters, len(batch.payload)
        if refusal is None:
            latency_us = self._clock() - batch.began_us
            counters.packs += 1
            counters.kept += count
            counters.pack_bytes += batch.bytes
            counters.pack_latency_us_sum += latency_us
            counters.pack_latency_us_max = max(counters.pack_latency_us_max, latency_us)
        else:
            counters.refused += count
        counters.held_bytes -= batch.bytes
        batch.settle(refusal)
        self._pump(lane)
        if self.is_pressed and counters.held_bytes < HELD_BYTES_LOW:
            self.is_pressed = False
            self._on_pressure(False)

    async def _append(self, pack: Pack) -> BroadstreetError | None:
        """
        Append a pack under one id until the log has it; answers the refusal if there is no room for it.

        Once tried, it may be in the log although no answer came: then only the log itself can refuse it.
        """
        if self._refusal is not None:
            return self._refusal
        if self._loop.time() < self._full_until_s:
            return LogFull()
        wait_s = RETRY_FIRST_S
        while True:
            try:
                await self._log.append_raw(pack)
            except LogFull as error:
                self._full_until_s = self._loop.time() + FULL_FOR_S
                return error
            except EngineFailed as error:
                logger.warning("pack %s waits: %s", pack.id.hex(), error)
                self._counters.pack_retries += 1
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, RETRY_LONGEST_S)
            else:
                return None
