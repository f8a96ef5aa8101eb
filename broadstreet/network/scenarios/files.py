"""Where a project's files are: a folder a tenant, in it one a project, which goes when the project does.

    sources/<SHA-256>      what was given, by its content
    grounds/<key>/         the ground as it was looked at, with its layers; one a project, of its newest inputs
    designs/<job>/         what came of a scenario: ground, statement, sheets, layers; whole, or not there at all
    sitings/<job>/         where sensors go: statement.json, sites.csv, layers; likewise

Work under way is in `run/plans` of the data folder, which no backup takes.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Final

from broadstreet.engines import check_disk
from broadstreet.model.errors import NotFound, TooLarge
from broadstreet.network.ground.glancing import GLANCED_BYTES
from broadstreet.network.scenarios.source import BEGINNING_BYTES, Expected

SOURCES: Final = "sources"
GROUNDS: Final = "grounds"
DESIGNS: Final = "designs"
SITINGS: Final = "sitings"
UNFINISHED: Final = ".part"
CLOSED: Final = 0o700


class PlanFiles:
    """All tenants' files. folder: where they stay; work: where they are made; max_bytes: of all of them together;
    watermark_bytes: less than this left on the disk is too little."""

    def __init__(self, folder: Path, work: Path, max_bytes: int, watermark_bytes: int = 0) -> None:
        self.folder = folder
        self.work = work
        self._max_bytes = max_bytes
        self._watermark_bytes = watermark_bytes

    def project(self, tenant: str, project: str) -> Path:
        """A project's folder."""
        return self.folder / tenant / project

    def source(self, tenant: str, project: str, sha256: str) -> Path:
        """Where a source of this content is."""
        return self.project(tenant, project) / SOURCES / sha256

    def ground(self, tenant: str, project: str, key: str) -> Path:
        """Where a ground that was looked at is."""
        return self.project(tenant, project) / GROUNDS / key

    def design(self, tenant: str, project: str, job: str) -> Path:
        """Where what a job made is."""
        return self.project(tenant, project) / DESIGNS / job

    def siting(self, tenant: str, project: str, job: str) -> Path:
        """Where what a job chose is."""
        return self.project(tenant, project) / SITINGS / job

    def read(self, folder: Path, name: str) -> bytes:
        """An artefact. Raises NotFound where it is on another machine, or was made by a house that is gone."""
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:
            raise NotFound("the plan's files are not on this machine", remedy="Plan it again.") from None

    async def take_in(
        self, tenant: str, project: str, wanted: Expected, told: int, pieces: AsyncIterator[bytes]
    ) -> tuple[str, int]:
        """A source as it comes, piece by piece; answers its SHA-256 and its bytes. told: how many it will have, 0 where
        nobody says. Of one that is too long no more is read than shows where it begins. Raises InvalidInput, TooLarge,
        DiskFull."""
        folder = self.project(tenant, project) / SOURCES
        await asyncio.to_thread(self._make_room, folder, 0)
        room = self._max_bytes - await asyncio.to_thread(self.used_bytes)
        descriptor, name = await asyncio.to_thread(tempfile.mkstemp, UNFINISHED, "source-", folder)
        path, sha256, size, beginning = Path(name), hashlib.sha256(), 0, b""
        try:
            with os.fdopen(descriptor, "wb") as file:
                async for piece in pieces:
                    size += len(piece)
                    is_known = len(beginning) >= BEGINNING_BYTES
                    if len(beginning) < GLANCED_BYTES:
                        beginning = (beginning + piece)[:GLANCED_BYTES]
                    if not is_known and len(beginning) >= BEGINNING_BYTES:
                        wanted.check_beginning(beginning[:BEGINNING_BYTES])
                    if len(beginning) == GLANCED_BYTES:
                        wanted.check_size(max(size, told), beginning)
                    self._check_room(size, room)
                    sha256.update(piece)
                    await asyncio.to_thread(file.write, piece)
                if size < BEGINNING_BYTES:
                    wanted.check_beginning(beginning)
                wanted.check_size(max(size, told), beginning)
                wanted.check_whole(beginning[:BEGINNING_BYTES], size)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            await asyncio.to_thread(path.replace, folder / sha256.hexdigest())
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        return sha256.hexdigest(), size

    def lay_out(self, work: Path, sources: Mapping[str, Path]) -> Path:
        """A folder to work in, with the sources under the names that inputs call them by."""
        shutil.rmtree(work, ignore_errors=True)
        files = work / "files"
        files.mkdir(mode=CLOSED, parents=True)
        for name, path in sources.items():
            if not path.is_file():
                raise NotFound(f"the source {name!r} is not on this machine", where="sources", remedy="Give it again.")
            try:
                os.link(path, files / name)
            except OSError:  # on another file system, as what comes with the house may be
                shutil.copyfile(path, files / name)
        return work

    def keep(self, made: Path, kept: Path) -> None:
        """What was made stays, whole. Raises TooLarge, DiskFull."""
        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
        self._make_room(kept.parent, size)
        for path in made.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(made, kept)

    def keep_only(self, tenant: str, project: str, kind: str, names: Iterable[str]) -> None:
        """Of a project's sources, grounds or designs all go but these, and what is still being written."""
        kept, folder = set(names), self.project(tenant, project) / kind
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name not in kept and not path.name.endswith(UNFINISHED):
                _remove(path)

    def forget(self, tenant: str, project: str) -> None:
        """A project's folder goes."""
        _remove(self.project(tenant, project))

    def sweep(self, tenant: str, projects: set[str], jobs: set[str]) -> None:
        """Folders of projects and of work that are no more go."""
        for folder, known in ((self.folder / tenant, projects), (self.work / tenant, jobs)):
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.name not in known and not path.name.endswith(UNFINISHED):
                    _remove(path)

    def used_bytes(self) -> int:
        """How much all files take."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def _make_room(self, folder: Path, size: int) -> None:
        folder.mkdir(mode=CLOSED, parents=True, exist_ok=True)
        check_disk(folder, self._watermark_bytes + size)
        self._check_room(size, self._max_bytes - self.used_bytes())

    def _check_room(self, size: int, room: int) -> None:
        if size > room:
            raise TooLarge(
                f"all plans together may take {self._max_bytes:,} bytes, and this would be too much",
                where="planning.max_bytes",
                remedy="Remove projects, sources or scenarios that are no longer needed.",
            )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
