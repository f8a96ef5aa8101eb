"""Maps over HTTP: a PMTiles file is asked for in parts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from litestar import Request, Response
from litestar.response import Stream
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_304_NOT_MODIFIED,
    HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE,
)

from broadstreet.jobs import FilePart, part_of
from broadstreet.model.errors import NotFound

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.pmtiles")


def map_part(maps: Path, name: str, asked: str | None, if_range: str | None) -> FilePart:
    """The part of a map that a Range header asks for; an empty one where the range lies outside. Raises NotFound."""
    path = maps / name
    if _NAME.fullmatch(name) is None or not path.is_file():
        raise NotFound(f"there is no map {name[:100]!r}")
    return part_of(path, asked, if_range)


def map_answer(maps: Path, name: str, request: Request[Any, Any, Any]) -> Response[bytes] | Stream:
    """The answer to a request for a map, or for a part of it. Raises NotFound."""
    part = map_part(maps, name, request.headers.get("range"), request.headers.get("if-range"))
    if part.is_empty:
        return Response(b"", status_code=HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE, headers=part.headers)
    headers = {**part.headers, "Cache-Control": "private, no-cache"}
    if not part.is_partial and request.headers.get("if-none-match") == part.etag:
        headers.pop("Content-Length", None)
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Stream(
        part.read(),
        media_type="application/octet-stream",
        status_code=HTTP_206_PARTIAL_CONTENT if part.is_partial else HTTP_200_OK,
        headers=headers,
    )
