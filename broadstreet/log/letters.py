"""The stream DEAD as a reader of any of its pages sees it: newest first, one by one, and without what was settled.

A letter's place is its sequence in the stream. The stream holds all tenants' letters, and is read in windows, so that
a page costs the same wherever it stands.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final, NamedTuple

import nats.errors
import nats.js.errors
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from broadstreet.log.dead import DeadLetter, decode_dead
from broadstreet.log.log import PUBLISH_TIMEOUT_S, Log
from broadstreet.log.streams import DEAD
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import EngineFailed

AT_ONCE: Final = 64
"""Letters asked for together; each may be as long as a message."""
_ERRORS: Final = (nats.errors.Error, nats.js.errors.Error, TimeoutError)
_NO_MESSAGE: Final = frozenset({10037, 10043, 10057})
"""JetStream's error codes for: no message found, no such sequence, a message that cannot be deleted for it is gone."""


class StoredLetter(NamedTuple):
    """A dead letter and its place in the stream."""

    sequence: int
    letter: DeadLetter


class DeadStream:
    """One connection's view of DEAD."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._stream = log.client.jetstream(timeout=PUBLISH_TIMEOUT_S)

    async def span(self) -> tuple[int, int]:
        """The sequences of the first letter and behind the last one, of all tenants. Raises EngineFailed."""
        state = (await self._log.stream_info(DEAD)).state
        return state.first_seq, state.last_seq + 1

    async def between(self, tenant: str, first: int, end: int) -> AsyncIterator[StoredLetter]:
        """A tenant's letters from one sequence to before another, oldest first. Raises EngineFailed."""
        config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=max(first, 1))
        async with aclosing(self._read(tenant, config)) as letters:
            async for stored in letters:
                if stored.sequence >= end:
                    return
                yield stored

    async def since(self, tenant: str, from_us: int) -> AsyncIterator[StoredLetter]:
        """A tenant's letters that came to the stream from a moment on, oldest first. Raises EngineFailed."""
        start = datetime.fromtimestamp(from_us / US_PER_S, UTC)
        config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=start)
        async with aclosing(self._read(tenant, config)) as letters:
            async for stored in letters:
                yield stored

    async def _read(self, tenant: str, config: ConsumerConfig) -> AsyncGenerator[StoredLetter, None]:
        config.ack_policy, config.mem_storage = AckPolicy.NONE, True
        try:
            subscription = await self._stream.pull_subscribe(f"dead.{tenant}", stream=DEAD, config=config)
            try:
                while (await subscription.consumer_info()).num_pending:
                    for message in await subscription.fetch(AT_ONCE, timeout=PUBLISH_TIMEOUT_S):
                        yield StoredLetter(message.metadata.sequence.stream, decode_dead(message.data))
            finally:
                await subscription.unsubscribe()
        except _ERRORS as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error

    async def get(self, tenant: str, sequence: int) -> DeadLetter | None:
        """A tenant's letter at a place; None where there is none, or none any more. Raises EngineFailed."""
        try:
            message = await self._stream.get_msg(DEAD, seq=sequence)
        except nats.js.errors.APIError as error:
            if error.err_code in _NO_MESSAGE:
                return None
            raise EngineFailed(f"the log refuses: {error}") from error
        except _ERRORS as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error
        if message.subject != f"dead.{tenant}" or message.data is None:
            return None
        return decode_dead(message.data)

    async def remove(self, sequence: int) -> bool:
        """Take a letter out; whether it was there. Raises EngineFailed."""
        try:
            return await self._stream.delete_msg(DEAD, sequence)
        except nats.js.errors.APIError as error:
            if error.err_code in _NO_MESSAGE:
                return False
            raise EngineFailed(f"the log refuses: {error}") from error
        except _ERRORS as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error
