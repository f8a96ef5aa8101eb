"""What is kept as files, such as layers of a map, as answers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from litestar.response import Stream

from broadstreet.jobs import part_of

GEOJSON: Final = "application/geo+json"


def file_answer(path: Path, media_type: str = GEOJSON, name: str | None = None) -> Stream:
    """A file, piece by piece. name: what a browser saves it as; without one it is shown."""
    part = part_of(path, None, None)
    headers = {"Content-Length": str(part.size), "ETag": part.etag}
    if name is not None:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Stream(part.read(), media_type=media_type, headers=headers)
