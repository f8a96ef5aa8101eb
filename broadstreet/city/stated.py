"""The bounds that an OpenStreetMap extract states of itself, read from its first block alone.

The block is Protocol Buffers: a `BlobHeader`, a `Blob` and in it a `HeaderBlock` with a `HeaderBBox`, as
https://wiki.openstreetmap.org/wiki/PBF_Format describes them. Reading them needs no package, so that a process that
reads no maps can say where one lies.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

from broadstreet.model.geometry import Box

MAX_BLOCK_BYTES: Final = 65_536
"""Of a `BlobHeader`, as the format bounds it; a `HeaderBlock` that is longer is not read."""
_DEGREE: Final = 10**9
_TYPE, _SIZE = 1, 3
_RAW, _ZLIB = 1, 3
_BBOX: Final = 1
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5

Fields = dict[int, int | bytes]


def stated_bounds(path: Path) -> Box | None:
    """The bounds that an extract states; None where it states none, is none, or is not there."""
    try:
        with path.open("rb") as file:
            header = _fields(file.read(min(int.from_bytes(file.read(4), "big"), MAX_BLOCK_BYTES)))
            size = header.get(_SIZE, 0)
            if header.get(_TYPE) != b"OSMHeader" or not isinstance(size, int) or size > MAX_BLOCK_BYTES:
                return None
            blob = _fields(file.read(size))
        return _box(_unpacked(blob))
    except (OSError, ValueError, IndexError, zlib.error):
        return None


def _unpacked(blob: Fields) -> bytes:
    raw, packed = blob.get(_RAW, b""), blob.get(_ZLIB, b"")
    if isinstance(packed, bytes) and packed:
        return zlib.decompressobj().decompress(packed, MAX_BLOCK_BYTES)
    return raw if isinstance(raw, bytes) else b""


def _box(block: bytes) -> Box | None:
    inner = _fields(block).get(_BBOX)
    if not isinstance(inner, bytes):
        return None
    sides = [_fields(inner).get(number) for number in (1, 4, 2, 3)]  # left, bottom, right, top
    degrees = [((side >> 1) ^ -(side & 1)) / _DEGREE for side in sides if isinstance(side, int)]
    if len(degrees) < len(sides):
        return None
    box = Box(*degrees)
    fits = -180 <= box.west <= box.east <= 180 and -90 <= box.south <= box.north <= 90
    return box if fits else None


def _fields(message: bytes) -> Fields:
    """The last value of each field of a message, by its number. Raises ValueError, IndexError for what is none."""
    found: Fields = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            found[number], at = _varint(message, at)
            continue
        if wire == _LENGTH:
            length, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"no field has the wire type {wire}")
        found[number] = message[at : at + length]
        at += length
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
