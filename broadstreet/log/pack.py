"""Packs: what all connections of one tenant's partition sent within a few milliseconds, in columns.

Framing, big-endian: magic `BSPK`, version (1 byte), 3 bytes of zero, length of the body (4 bytes), CRC-32 of the body
(4 bytes; zlib's), body. The body is MessagePack of the fields in order, so that any tool can read it. Version 2 has the
field `once` at its end; a pack that needs none is written as version 1, which every Broadstreet reads.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final
from uuid import UUID

import msgspec

from broadstreet.model.errors import CorruptData

MAGIC = b"BSPK"
VERSIONS = PLAIN, WITH_ONCE = 1, 2
_HEADER = struct.Struct(">4sB3xII")
MAX_PACK_BYTES = 4 * 1024 * 1024
"""A gateway closes a pack before it is larger; NATS takes twice that."""
MAX_PACK_MESSAGES = 20_000
SESSION_BYTES: Final = 8
"""What tells a session from every other one, for ever."""
RELEASED: Final = -1
REPLAYED_BY: Final = "replay by "
"""How the name of who sent a pack begins that brings a dead letter back. No gateway's name holds a space."""
MAX_IDENTIFIER: Final = 65_535


class Once(msgspec.Struct, array_like=True):
    """
    What is to count once of one MQTT session's messages in a pack, in the order in which it came.

    session:     8 random bytes.
    life:        rises each time another gateway, or another life of one, has the session.
    identifiers: packet identifiers. entries: of each the place of its message in the pack, or RELEASED: the client will
                 not send this message again, and may give its identifier to another.
    """

    session: bytes
    life: int
    identifiers: list[int]
    entries: list[int]


class Pack(msgspec.Struct, array_like=True):
    """Messages in receive order; the columns have one length, which is 0 where a pack only releases.

    id: 16 random bytes, accepted once. device: keys in the tenant's schema. received_us: microseconds since 1970,
    unique for each device. topic: what follows `devices/<id>/`. payload: as it came. once: which of them count once.
    """

    id: bytes
    tenant: str
    partition: int
    gateway: str
    device: list[int]
    received_us: list[int]
    topic: list[str]
    payload: list[bytes]
    once: list[Once] = []

    def __len__(self) -> int:
        return len(self.device)

    @property
    def is_replay(self) -> bool:
        """Whether it brings back what came, and was counted, before."""
        return self.gateway.startswith(REPLAYED_BY)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Pack)


def encode_pack(pack: Pack) -> bytes:
    """The pack framed, with its checksum."""
    version = WITH_ONCE if pack.once else PLAIN
    fields = msgspec.structs.astuple(pack)
    body = _encoder.encode(fields if pack.once else fields[:-1])
    return _HEADER.pack(MAGIC, version, len(body), zlib.crc32(body)) + body


def decode_pack(data: bytes) -> Pack:
    """The inverse of encode_pack. Raises CorruptData, saying what does not fit."""
    if len(data) < _HEADER.size:
        raise CorruptData(f"a pack of {len(data)} bytes is shorter than its header")
    magic, version, length, checksum = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise CorruptData(f"a pack begins with {magic!r} in place of {MAGIC!r}")
    if version not in VERSIONS:
        raise CorruptData(f"a pack of version {version}; this Broadstreet reads versions {PLAIN} and {WITH_ONCE}")
    body = memoryview(data)[_HEADER.size :]
    if len(body) != length:
        raise CorruptData(f"a pack's body has {len(body)} bytes in place of {length}")
    if zlib.crc32(body) != checksum:
        raise CorruptData("a pack's checksum does not match its body")
    try:
        pack = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptData(f"a pack's body cannot be read: {error}") from error
    if len(pack.id) != 16 or not (len(pack.device) == len(pack.received_us) == len(pack.topic) == len(pack.payload)):
        raise CorruptData("a pack's columns differ in length, or its id is not 16 bytes")
    for once in pack.once:
        _check(once, len(pack))
    return pack


def _check(once: Once, messages: int) -> None:
    named = [entry for entry in once.entries if entry != RELEASED]
    if len(once.session) != SESSION_BYTES or not 0 <= once.life < 2**63:
        raise CorruptData("a pack names a session that cannot be")
    if len(once.identifiers) != len(once.entries) or not all(0 < one <= MAX_IDENTIFIER for one in once.identifiers):
        raise CorruptData("a pack's packet identifiers do not fit")
    if len(set(named)) < len(named) or not all(0 <= entry < messages for entry in named):
        raise CorruptData("a pack says of a message that it does not hold that it counts once")


def pack_uuid(pack: Pack) -> UUID:
    """The pack's id as people read it."""
    return UUID(bytes=pack.id)
