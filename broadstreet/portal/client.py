"""The built client: its files, each in the encoding that a browser accepts.

They are read when first asked for, and again when the build has changed. What is not a file of the client's is one of
its views and gets `index.html`; what looks like a file, or like an API, does not.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broadstreet.model.errors import NotFound, Unavailable

INDEX: Final = "index.html"
FOR_EVER: Final = "public, max-age=31536000, immutable"
CHECK_FIRST: Final = "no-cache"
HASHED: Final = "assets/"
ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
MAX_CLIENT_BYTES: Final = 64 * 1024 * 1024
NOT_VIEWS: Final = ("ngsi-ld/", "v1/", "portal/", "docs/", "assets/")


@dataclass(frozen=True, slots=True)
class ClientFile:
    """One file of the client, in each encoding it was built in; '' is the plain one."""

    media_type: str
    etag: str
    cache_control: str
    bodies: dict[str, bytes]

    def best(self, accepted: str) -> tuple[str, bytes]:
        """(encoding, body) of the smallest form that a request's Accept-Encoding takes."""
        offers = {part.split(";")[0].strip() for part in accepted.split(",") if not _is_refused(part)}
        best = next((name for name, _ in ENCODINGS if name in offers and name in self.bodies), "")
        return best, self.bodies[best]


def _is_refused(part: str) -> bool:
    return re.search(r";\s*q=0(\.0+)?\s*$", part) is not None


class ClientFiles:
    """The built client, in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, ClientFile] = {}
        self._built_ns = -1

    async def find(self, path: str) -> ClientFile:
        """The file of a path, or the page for a view. Raises NotFound, Unavailable where nothing was built."""
        await self._look()
        name = path.strip("/")
        found = self._files.get(name or INDEX)
        if found is not None:
            return found
        last = name.rsplit("/", 1)[-1]
        if f"{name}/".startswith(NOT_VIEWS) or "." in last:
            raise NotFound(f"there is nothing at /{name[:200]}")
        return self._files[INDEX]

    async def _look(self) -> None:
        try:
            built_ns = (self._folder / INDEX).stat().st_mtime_ns
        except OSError:
            raise Unavailable("the portal's client is not built", remedy="Build it: make portal.") from None
        if built_ns != self._built_ns:
            self._files = await asyncio.to_thread(_read_client, self._folder)
            self._built_ns = built_ns


def _read_client(folder: Path) -> dict[str, ClientFile]:
    files: dict[str, ClientFile] = {}
    total = 0
    suffixes = {suffix for _, suffix in ENCODINGS}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or (path.suffix in suffixes and path.with_suffix("").is_file()):
            continue
        if not (bodies := _read_forms(path)):
            continue
        name = path.relative_to(folder).as_posix()
        total += sum(map(len, bodies.values()))
        if total > MAX_CLIENT_BYTES:
            raise Unavailable(f"the portal's client is larger than {MAX_CLIENT_BYTES:,} bytes", where=str(folder))
        files[name] = ClientFile(
            _media_type(name),
            f'"{hashlib.sha256(bodies[""]).hexdigest()[:24]}"',
            FOR_EVER if name.startswith(HASHED) else CHECK_FIRST,
            bodies,
        )
    return files


def _read_forms(path: Path) -> dict[str, bytes]:
    """A file in each encoding; in none if it is gone meanwhile, as the files of an older build go."""
    try:
        forms = {"": path.read_bytes()}
        for encoding, suffix in ENCODINGS:
            packed = path.with_name(path.name + suffix)
            if packed.is_file():
                forms[encoding] = packed.read_bytes()
    except FileNotFoundError:
        return {}
    return forms


def _media_type(name: str) -> str:
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    is_text = guessed.startswith("text/") or guessed in ("application/javascript", "application/json", "image/svg+xml")
    return f"{guessed}; charset=utf-8" if is_text else guessed
