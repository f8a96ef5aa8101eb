"""MQTT sessions as the log keeps them, each under a key of its own in a tenant.

    SESSIONS  session.<tenant>.<key>.record   what a session is, and whose: the newest
              session.<tenant>.<key>.place    how far its queue has been delivered: the newest
              session.<tenant>.<key>.will     what is published if its client goes without a word: the newest
    QUEUE     queue.<tenant>.<key>            what waits for it

Who writes one of these names the sequence of the one before: of two that write, one wins, and the other gets
`Conflict`. What the bytes mean is the gateway's affair.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

import nats.errors
import nats.js.errors

from broadstreet.log.log import PUBLISH_TIMEOUT_S, Log
from broadstreet.log.reader import RawReader, reading
from broadstreet.log.streams import QUEUE, SESSIONS
from broadstreet.model.errors import Conflict, EngineFailed, LogFull

Kind = Literal["record", "place", "will"]
_WRONG_LAST: Final = 10071
"""JetStream's error code for: the last sequence of the subject is another."""
_FULL: Final = frozenset({10047, 10077, 10122})
_ERRORS: Final = (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError)


class SessionLog:
    """One connection's view of SESSIONS and QUEUE. What does not answer raises EngineFailed."""

    def __init__(self, log: Log) -> None:
        self._client = log.client
        self.log = log
        self._stream = log.client.jetstream(timeout=PUBLISH_TIMEOUT_S)

    async def write(self, kind: Kind, tenant: str, key: str, data: bytes, after: int) -> int:
        """
        Write a session's record, place or will; answers its sequence.

        after: the sequence of the one before, 0 for none. Raises Conflict if that is another, LogFull.
        """
        headers = {"Nats-Expected-Last-Subject-Sequence": str(after)}
        return await self._publish(f"session.{tenant}.{key}.{kind}", data, headers)

    async def place(self, tenant: str, key: str) -> tuple[int, bytes]:
        """A session's place and its sequence; 0 and nothing if it has none."""
        return await self.newest("place", tenant, key)

    async def newest(self, kind: Kind, tenant: str, key: str) -> tuple[int, bytes]:
        """A session's record, place or will, and its sequence; 0 and nothing if it has none."""
        try:
            message = await self._stream.get_last_msg(SESSIONS, f"session.{tenant}.{key}.{kind}")
        except nats.js.errors.NotFoundError:
            return 0, b""
        except _ERRORS as error:
            raise _failed(error) from error
        return message.seq or 0, message.data or b""

    async def append(self, tenant: str, key: str, data: bytes, message_id: str) -> int:
        """Put a message at the end of a session's queue. Raises LogFull if there is no room for it."""
        return await self._publish(f"queue.{tenant}.{key}", data, {"Nats-Msg-Id": message_id})

    async def trim(self, tenant: str, key: str, below: int) -> None:
        """Drop what a session's queue holds before a sequence."""
        await self._purge(QUEUE, f"queue.{tenant}.{key}", below)

    async def clear(self, tenant: str, key: str) -> None:
        """Drop a session's queue and its place."""
        await self._purge(QUEUE, f"queue.{tenant}.{key}")
        await self._purge(SESSIONS, f"session.{tenant}.{key}.place")

    async def forget(self, kind: Kind, tenant: str, key: str, below: int) -> None:
        """Drop what is written of a session before a sequence."""
        await self._purge(SESSIONS, f"session.{tenant}.{key}.{kind}", below)

    @asynccontextmanager
    async def records(self) -> AsyncIterator[RawReader]:
        """Every session's record, and then each new one."""
        async with reading(self._client, self._stream, SESSIONS, "session.*.*.record", None) as reader:
            yield reader

    @asynccontextmanager
    async def wills(self) -> AsyncIterator[RawReader]:
        """Every will, and then each new one."""
        async with reading(self._client, self._stream, SESSIONS, "session.*.*.will", None) as reader:
            yield reader

    @asynccontextmanager
    async def queue(self, tenant: str, key: str, after: int) -> AsyncIterator[RawReader]:
        """A session's queue from behind a sequence."""
        async with reading(self._client, self._stream, QUEUE, f"queue.{tenant}.{key}", after) as reader:
            yield reader

    async def _publish(self, subject: str, body: bytes, headers: dict[str, str]) -> int:
        try:
            return (await self._stream.publish(subject, body, timeout=PUBLISH_TIMEOUT_S, headers=headers)).seq
        except nats.js.errors.APIError as error:
            if error.err_code in _FULL:
                raise LogFull from error
            if error.err_code == _WRONG_LAST:
                raise Conflict("someone else has written this session meanwhile") from error
            raise _failed(error) from error
        except _ERRORS as error:
            raise _failed(error) from error

    async def _purge(self, stream: str, subject: str, below: int | None = None) -> None:
        try:
            await self._stream.purge_stream(stream, seq=below, subject=subject)
        except _ERRORS as error:
            raise _failed(error) from error


def _failed(error: Exception) -> EngineFailed:
    return EngineFailed(f"the log does not answer: {error!r}")
