"""Packed bodies, unpacked within a bound: a few kilobytes of gzip may stand for gigabytes."""

from __future__ import annotations

import zlib
from typing import Final

from broadstreet.model.errors import InvalidInput, TooLarge, UnsupportedMediaType

MAX_INFLATED_BYTES: Final = 32 * 1024 * 1024
"""As long as a body may be that comes unpacked."""
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


def inflate(body: bytes, encoding: str) -> bytes:
    """A body as it was before its Content-Encoding: gzip, or none.

    Raises UnsupportedMediaType for another, InvalidInput for what is no whole gzip, TooLarge beyond MAX_INFLATED_BYTES.
    """
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise UnsupportedMediaType(
            f"a body in {encoding[:40]!r} is not read here", where="Content-Encoding", remedy="Send gzip, or nothing."
        )
    pieces: list[bytes] = []
    room = MAX_INFLATED_BYTES
    while body:
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            piece = member.decompress(body, room + 1)
        except zlib.error as error:
            raise InvalidInput(f"the body is not gzip: {error}", where="body") from None
        room -= len(piece)
        if room < 0:
            raise TooLarge(
                f"the body is longer than {MAX_INFLATED_BYTES:,} bytes unpacked",
                where="body",
                remedy="Send it in several requests.",
            )
        if not member.eof:
            raise InvalidInput("the body's gzip ends before its end", where="body", remedy="Send it whole.")
        pieces.append(piece)
        body = member.unused_data
    return b"".join(pieces)
