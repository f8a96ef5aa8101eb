"""The log: NATS JetStream, where everything that comes in is kept before it is acknowledged.

A gateway gathers messages into a `Pack` and calls `append_raw`; when that returns, the pack is on disk. A recorder
reads each (tenant, partition) with `read_raw` from behind its own cursor and trims below what it has committed.
`publish_changes` and `publish_dead` are fed by the outbox. `listen` and `announce` are for what need not be kept,
such as metrics.

What must always hold: nothing acknowledged is dropped (RAW refuses instead: `LogFull`); a pack's checksum is checked
on reading; a publish that failed with `EngineFailed` may have happened and is repeated with the same id.
"""

from broadstreet.log.dead import DeadLetter, DeadReason, decode_dead_list, encode_dead_list
from broadstreet.log.letters import DeadStream, StoredLetter
from broadstreet.log.log import Log, Position
from broadstreet.log.pack import (
    MAX_PACK_BYTES,
    MAX_PACK_MESSAGES,
    RELEASED,
    REPLAYED_BY,
    SESSION_BYTES,
    Once,
    Pack,
    decode_pack,
    encode_pack,
    pack_uuid,
)
from broadstreet.log.reader import RawMessage, RawReader
from broadstreet.log.streams import REFUSING, STREAMS, StreamLimits

__all__ = [
    "MAX_PACK_BYTES",
    "MAX_PACK_MESSAGES",
    "REFUSING",
    "RELEASED",
    "REPLAYED_BY",
    "SESSION_BYTES",
    "STREAMS",
    "DeadLetter",
    "DeadReason",
    "DeadStream",
    "Log",
    "Once",
    "Pack",
    "Position",
    "RawMessage",
    "RawReader",
    "StoredLetter",
    "StreamLimits",
    "decode_dead_list",
    "decode_pack",
    "encode_dead_list",
    "encode_pack",
    "pack_uuid",
]
