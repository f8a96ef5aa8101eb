"""Maps over HTTP: a PMTiles file is asked for in parts, by byte ranges (RFC 9110, 14)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response
from litestar.response import Stream
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_304_NOT_MODIFIED,
    HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE,
)

from broadstreet.model.errors import NotFound

PIECE_BYTES: Final = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.pmtiles")


@dataclass(frozen=True, slots=True)
class MapPart:
    """A part of a map's file. Bytes start..end are sent, end excluded, of size in all."""

    path: Path
    start: int
    end: int
    size: int
    etag: str
    is_partial: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the file lies in the range."""
        return self.is_partial and self.start >= self.end

    async def read(self) -> AsyncIterator[bytes]:
        """Its bytes, in pieces."""
        descriptor = await asyncio.to_thread(os.open, self.path, os.O_RDONLY)
        try:
            at = self.start
            while at < self.end:
                piece = await asyncio.to_thread(os.pread, descriptor, min(PIECE_BYTES, self.end - at), at)
                if not piece:
                    return
                at += len(piece)
                yield piece
        finally:
            os.close(descriptor)


def map_part(maps: Path, name: str, asked: str | None, if_range: str | None) -> MapPart:
    """The part of a map that a Range header asks for; an empty one where the range lies outside. Raises NotFound.

    A header that asks for several ranges, or in another unit, is passed over, as RFC 9110 (14.2) allows.
    """
    path = maps / name
    if _NAME.fullmatch(name) is None or not path.is_file():
        raise NotFound(f"there is no map {name[:100]!r}")
    stat = path.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    match = _RANGE.fullmatch(asked or "")
    if match is None or match[0] == "bytes=-" or (if_range is not None and if_range != etag):
        return MapPart(path, 0, stat.st_size, stat.st_size, etag, False)
    if match[1]:
        start = int(match[1])
        end = min(int(match[2]) + 1, stat.st_size) if match[2] else stat.st_size
    else:
        start, end = max(stat.st_size - int(match[2]), 0), stat.st_size
    return MapPart(path, start, end, stat.st_size, etag, True)


def map_answer(maps: Path, name: str, request: Request[Any, Any, Any]) -> Response[bytes] | Stream:
    """The answer to a request for a map, or for a part of it. Raises NotFound."""
    part = map_part(maps, name, request.headers.get("range"), request.headers.get("if-range"))
    if part.is_empty:
        beyond = {"Content-Range": f"bytes */{part.size}"}
        return Response(b"", status_code=HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE, headers=beyond)
    headers = {"Accept-Ranges": "bytes", "ETag": part.etag, "Cache-Control": "private, no-cache"}
    if not part.is_partial and request.headers.get("if-none-match") == part.etag:
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    headers["Content-Length"] = str(part.end - part.start)
    if part.is_partial:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{part.size}"
    return Stream(
        part.read(),
        media_type="application/octet-stream",
        status_code=HTTP_206_PARTIAL_CONTENT if part.is_partial else HTTP_200_OK,
        headers=headers,
    )
