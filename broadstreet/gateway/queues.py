"""Messages on their way to the queues of sessions in the log: in order for each session, many at a time.

A queue that is full is its session's affair: the message is dropped for it, and counted, and its sender hears nothing
of it. While the log is away the messages wait, and with them their acknowledgements.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import msgspec

from broadstreet.gateway.bounds import (
    MAX_QUEUING_BYTES,
    MESSAGE_OVERHEAD_BYTES,
    QUEUED_AT_ONCE,
    RETRY_FIRST_S,
    RETRY_LONGEST_S,
)
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.message import Message, message_of
from broadstreet.gateway.packer import SAFE, Settlement
from broadstreet.log.sessions import SessionLog
from broadstreet.model.errors import CorruptData, EngineFailed, LogFull

MESSAGE_ID_BYTES = 12
logger = logging.getLogger(__name__)
Place = tuple[str, str]
"""A session: its tenant and its key."""


class Queued(msgspec.Struct, array_like=True):
    """A message as a queue has it: as it is for this session. publish: MQTT 5's packet."""

    sent_us: int
    qos: int
    retain: bool
    identifiers: tuple[int, ...]
    publish: bytes

    def message(self) -> Message:
        """The message. Raises CorruptData."""
        return message_of(self.publish, self.sent_us)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Queued)


def decode_queued(data: bytes) -> Queued:
    """What a queue holds. Raises CorruptData."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise CorruptData(f"a queued message cannot be read: {error}") from error


class _Waiting(Settlement):
    __slots__ = ("data", "message_id")

    def __init__(self, data: bytes, message_id: str) -> None:
        super().__init__()
        self.data = data
        self.message_id = message_id


class Queues:
    """random_bytes: fit for ids."""

    def __init__(self, log: SessionLog, counters: Counters, random_bytes: Callable[[int], bytes]) -> None:
        self._log = log
        self._counters = counters
        self._random_bytes = random_bytes
        self._waiting: dict[Place, deque[_Waiting]] = {}
        self._bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def append(
        self, place: Place, message: Message, qos: int, retain: bool, identifiers: tuple[int, ...]
    ) -> Settlement:
        """Put a message at the end of a session's queue; settled when it is there, or there is no room for it."""
        if self._bytes > MAX_QUEUING_BYTES:
            self._counters.dropped += 1
            return SAFE
        data = _encoder.encode(Queued(message.sent_us, qos, retain, identifiers, message.frame()))
        message_id = f"{message.id}.{place[1]}" if message.id else self._random_bytes(MESSAGE_ID_BYTES).hex()
        waiting = _Waiting(data, message_id)
        self._bytes += len(data) + MESSAGE_OVERHEAD_BYTES
        lane = self._waiting.get(place)
        if lane is None:
            self._waiting[place] = deque([waiting])
            task = asyncio.get_running_loop().create_task(self._drain(place))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            lane.append(waiting)
        return waiting

    async def flush(self, within_s: float) -> None:
        """Wait for what is on its way; what the log has not taken after `within_s` is left unsettled."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        for task in self._tasks:
            task.cancel()

    async def _drain(self, place: Place) -> None:
        lane = self._waiting[place]
        while lane:
            some = [lane[at] for at in range(min(len(lane), QUEUED_AT_ONCE))]
            wait_s = RETRY_FIRST_S
            while some:
                some = [one for one in await asyncio.gather(*(self._put(place, one) for one in some)) if one]
                if some:
                    await asyncio.sleep(wait_s)
                    wait_s = min(2 * wait_s, RETRY_LONGEST_S)
            while lane and lane[0].is_settled:
                self._bytes -= len(lane.popleft().data) + MESSAGE_OVERHEAD_BYTES
        del self._waiting[place]

    async def _put(self, place: Place, one: _Waiting) -> _Waiting | None:
        """Append one message; answers it if it is to be tried again, under its id."""
        try:
            await self._log.append(*place, one.data, one.message_id)
        except LogFull:
            self._counters.dropped += 1
        except EngineFailed as error:
            logger.warning("a message for a session waits: %s", error)
            return one
        one.settle()
        return None
