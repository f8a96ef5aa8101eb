"""Reading on in one consumer's messages, as they come.

What stands there is asked for at once; where nothing does, a request stays open at the server until it is filled or its
time is over. What comes of it is taken up whenever it comes, and another is made only when none is open: so no message
waits for others, or for an older request to end.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from broadstreet.model.errors import EngineFailed

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

LOOK_S: Final = 1.0
"""How often a reader that waits looks whether its connection is still the one it has asked over."""
INACTIVE_S: Final = 60.0
"""How long a consumer outlives a reader that was killed."""
_ERRORS: Final = (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError)
_TIME_OVER: Final = frozenset({"404", "408"})
_HEARTBEAT: Final = "100"


class RawMessage(NamedTuple):
    """A message as it stands in a stream, such as a framed pack in RAW. left: how many stood behind it then."""

    sequence: int
    data: bytes
    subject: str = ""
    left: int = 0


class RawReader:
    """Make one with `reading`. left: how many messages stand there when it begins."""

    def __init__(self, client: Client, stream: str, consumer: str, left: int) -> None:
        self.left = left
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._came = asyncio.Event()
        self._messages: list[RawMessage] = []
        self._owed = 0
        """Messages that the open request may still bring; 0: none is open."""
        self._brings_all = False
        """Whether the open request is for what stands there, and ends with it."""
        self._until_s = 0.0
        self._connection = 0
        self._next = 1
        """The place of the next message among those that the consumer hands out."""
        self._fault = ""

    async def begin(self) -> None:
        """Listen. Raises what nats-py raises."""
        self._subscription = await self._client.subscribe(self._inbox, cb=self._take)

    async def end(self) -> None:
        """Listen no more. Raises what nats-py raises."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    async def fetch(self, most: int, wait_s: float) -> list[RawMessage]:
        """The next messages in order, once there are any; empty after `wait_s` without one. Raises EngineFailed."""
        clock = asyncio.get_running_loop().time
        until_s, has_asked = clock() + wait_s, False
        while not self._messages or (self._owed and self._brings_all):
            if self._fault:
                raise EngineFailed(f"the log does not answer: {self._fault}")
            now_s = clock()
            if now_s >= until_s:
                break
            if not self._is_open(now_s):
                await self._ask(most, until_s - now_s, brings_all=not has_asked)
                has_asked = True
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(until_s, now_s + LOOK_S)):
                    await self._came.wait()
        messages, self._messages = self._messages[:most], self._messages[most:]
        return messages

    def _is_open(self, now_s: float) -> bool:
        return self._owed > 0 and now_s < self._until_s and self._connection == self._client.stats["reconnects"]

    async def _ask(self, most: int, wait_s: float, *, brings_all: bool) -> None:
        """Let the server send so many: those that stand there, or those that come within a while."""
        self._owed, self._brings_all = most, brings_all
        self._until_s = asyncio.get_running_loop().time() + wait_s + LOOK_S
        self._connection = self._client.stats["reconnects"]
        term: dict[str, object] = {"no_wait": True} if brings_all else {"expires": round(wait_s * 1e9)}
        try:
            await self._client.publish(self._subject, json.dumps({"batch": most} | term).encode(), reply=self._inbox)
        except nats.errors.Error as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error

    async def _take(self, message: Msg) -> None:
        """What comes: a message of the stream, which has a subject for replies, or a word of the server's."""
        if message.reply:
            found = message.metadata
            if found.sequence.consumer != self._next:
                # What is lost with a connection the consumer does not hand out again: it is to be read anew.
                self._fault = self._fault or "messages were lost on the way"
            if self._fault:
                self._came.set()
                return
            self._next += 1
            self._messages.append(RawMessage(found.sequence.stream, message.data, message.subject, found.num_pending))
            self._owed = max(0, self._owed - 1)
        else:
            said = message.headers or {}
            status = said.get("Status", "")
            if status == _HEARTBEAT:
                return
            self._owed = 0
            if status not in _TIME_OVER:
                self._fault = f"{status} {said.get('Description', '')}".strip()
        self._came.set()


def consumer_of(after: int | None) -> ConsumerConfig:
    """A consumer without state of its own, from behind a sequence; None: the last message of each subject."""
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=INACTIVE_S, mem_storage=True)
    if after is None:
        config.deliver_policy = DeliverPolicy.LAST_PER_SUBJECT
    else:
        config.deliver_policy, config.opt_start_seq = DeliverPolicy.BY_START_SEQUENCE, after + 1
    return config


@asynccontextmanager
async def reading(
    client: Client, jetstream: JetStreamContext, stream: str, subject: str, after: int | None
) -> AsyncIterator[RawReader]:
    """Read a subject of a stream, see `consumer_of`. Raises EngineFailed; leave and enter again after an error."""
    config = consumer_of(after)
    config.filter_subject = subject
    try:
        consumer = await jetstream.add_consumer(stream, config)
        reader = RawReader(client, stream, consumer.name, consumer.num_pending or 0)
        await reader.begin()
    except _ERRORS as error:
        raise EngineFailed(f"the log does not answer: {error!r}", where=subject) from error
    try:
        yield reader
    finally:
        with suppress(*_ERRORS):
            await reader.end()
