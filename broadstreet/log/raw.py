"""The stream RAW as its reader must know it before it goes on: whether it is still the one that was read so far.

Beside the packs, the stream's own description says of each partition how far it was trimmed: what stood below was
applied by whoever let it be dropped. So a database that has not applied it can tell that it is missing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import nats.errors
import nats.js.errors

from broadstreet.log.log import PUBLISH_TIMEOUT_S, Log
from broadstreet.log.streams import RAW
from broadstreet.model.errors import EngineFailed

_TRIMMED: Final = "broadstreet-trimmed"
_NO_MESSAGE: Final = frozenset({10037, 10043, 10057})
"""JetStream's error codes for: no message found, no such sequence, a message that is gone."""
_ERRORS: Final = (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError)


class RawState(NamedTuple):
    """RAW, and one partition of it. stream: the incarnation. last: its newest sequence, of any partition. trimmed: the
    partition's packs below this sequence were dropped on purpose."""

    stream: str
    last: int
    trimmed: int


class RawStream:
    """One connection's view of RAW. What does not answer raises EngineFailed."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._stream = log.client.jetstream(timeout=PUBLISH_TIMEOUT_S)

    async def state(self, tenant: str, partition: int) -> RawState:
        """The stream as it is now."""
        incarnation = await self._log.raw_incarnation()
        info = await self._log.stream_info(RAW)
        trimmed = (info.config.metadata or {}).get(_key(tenant, partition), "0")
        return RawState(incarnation, info.state.last_seq, int(trimmed))

    async def pack_at(self, tenant: str, partition: int, sequence: int) -> bytes | None:
        """The framed pack at a place; None where none of this partition stands there, or none any more."""
        try:
            message = await self._stream.get_msg(RAW, seq=sequence)
        except nats.js.errors.APIError as error:
            if error.err_code in _NO_MESSAGE:
                return None
            raise EngineFailed(f"the log refuses: {error}") from error
        except _ERRORS as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error
        return message.data if message.subject == f"raw.{tenant}.{partition}" else None

    async def trim(self, tenant: str, partition: int, below: int) -> None:
        """Drop a partition's packs below a sequence, all of which every recorder has committed; say so first."""
        info = await self._log.stream_info(RAW)
        config = info.config
        config.metadata = {**(config.metadata or {}), _key(tenant, partition): str(below)}
        try:
            await self._stream.update_stream(config)
        except _ERRORS as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error
        await self._log.trim_raw(tenant, partition, below)


def _key(tenant: str, partition: int) -> str:
    return f"{_TRIMMED}-{tenant}-{partition}"
