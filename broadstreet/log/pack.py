"""Packs: what all connections of one tenant's partition sent within a few milliseconds, in columns.

Framing, big-endian: magic `BSPK`, version (1 byte), 3 bytes of zero, length of the body (4 bytes), CRC-32 of the body
(4 bytes; zlib's), body. The body is MessagePack of the fields in order, so that any tool can read it.
"""

from __future__ import annotations

import struct
import zlib
from uuid import UUID

import msgspec

from broadstreet.model.errors import CorruptData

MAGIC = b"BSPK"
VERSION = 1
_HEADER = struct.Struct(">4sB3xII")
MAX_PACK_BYTES = 4 * 1024 * 1024
"""A gateway closes a pack before it is larger; NATS takes twice that."""
MAX_PACK_MESSAGES = 20_000


class Pack(msgspec.Struct, array_like=True):
    """Messages in receive order; the columns have one length.

    id: 16 random bytes, accepted once. device: keys in the tenant's schema. received_us: microseconds since 1970,
    unique for each device. topic: what follows `devices/<id>/`. payload: as it came.
    """

    id: bytes
    tenant: str
    partition: int
    gateway: str
    device: list[int]
    received_us: list[int]
    topic: list[str]
    payload: list[bytes]

    def __len__(self) -> int:
        return len(self.device)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Pack)


def encode_pack(pack: Pack) -> bytes:
    """The pack framed, with its checksum."""
    body = _encoder.encode(pack)
    return _HEADER.pack(MAGIC, VERSION, len(body), zlib.crc32(body)) + body


def decode_pack(data: bytes) -> Pack:
    """The inverse of encode_pack. Raises CorruptData, saying what does not fit."""
    if len(data) < _HEADER.size:
        raise CorruptData(f"a pack of {len(data)} bytes is shorter than its header")
    magic, version, length, checksum = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise CorruptData(f"a pack begins with {magic!r} in place of {MAGIC!r}")
    if version != VERSION:
        raise CorruptData(f"a pack of version {version}; this Broadstreet reads version {VERSION}")
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
    return pack


def pack_uuid(pack: Pack) -> UUID:
    """The pack's id as people read it."""
    return UUID(bytes=pack.id)
