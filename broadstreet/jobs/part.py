"""A file over HTTP, or the part of it that a Range header asks for (RFC 9110, 14)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PIECE_BYTES: Final = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a file. Bytes start..end are sent, end excluded, of size in all."""

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

    @property
    def headers(self) -> dict[str, str]:
        """What says which part this is."""
        if self.is_empty:
            return {"Content-Range": f"bytes */{self.size}"}
        said = {"Accept-Ranges": "bytes", "ETag": self.etag, "Content-Length": str(self.end - self.start)}
        if self.is_partial:
            said["Content-Range"] = f"bytes {self.start}-{self.end - 1}/{self.size}"
        return said

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


def part_of(path: Path, asked: str | None, if_range: str | None) -> FilePart:
    """The part of a file that a Range header asks for; an empty one where the range lies outside.

    A header that asks for several ranges, or in another unit, is passed over, as RFC 9110 (14.2) allows.
    """
    stat = path.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    match = _RANGE.fullmatch(asked or "")
    if match is None or match[0] == "bytes=-" or (if_range is not None and if_range != etag):
        return FilePart(path, 0, stat.st_size, stat.st_size, etag, False)
    if match[1]:
        start = int(match[1])
        end = min(int(match[2]) + 1, stat.st_size) if match[2] else stat.st_size
    else:
        start, end = max(stat.st_size - int(match[2]), 0), stat.st_size
    return FilePart(path, start, end, stat.st_size, etag, True)
