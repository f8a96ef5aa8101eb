"""What a job makes: a file that grows within the house's bounds, and how far the work has come."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from broadstreet.engines import check_disk
from broadstreet.jobs.job import HALF_WRITTEN
from broadstreet.model.errors import TooLarge

if TYPE_CHECKING:
    from broadstreet.jobs.job import Job, Jobs

LOOK_EVERY_BYTES: Final = 16 * 1024 * 1024
"""After so many bytes it is looked again how much room there is."""


class Product:
    """A job's file while it is made. Work writes it from one thread, and says in `share` and `rows` how far it is."""

    def __init__(self, jobs: Jobs, job: Job) -> None:
        self.share = 0.0
        self.rows = 0
        self.bytes = 0
        self._jobs = jobs
        self._path = jobs.file(job)
        self._part = self._path.with_suffix(HALF_WRITTEN)
        self._room = 0

    def __enter__(self) -> Self:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self._part.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """More of the file. Raises TooLarge, DiskFull."""
        if len(data) > self._room:
            self._look(len(data))
        self._file.write(data)
        self._room -= len(data)
        self.bytes += len(data)

    def settle(self) -> None:
        """The file is whole: it is on disk, and there under its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self._path)

    def discard(self) -> None:
        """The file is not wanted any more."""
        self._path.unlink(missing_ok=True)

    @property
    def path(self) -> Path:
        """Where the file will be."""
        return self._path

    def _look(self, needed: int) -> None:
        limits, self._room = self._jobs.limits, max(LOOK_EVERY_BYTES, needed)
        check_disk(self._path.parent, limits.watermark_bytes)
        self._file.flush()
        if self._jobs.used_bytes() + self._room > limits.max_bytes:
            raise TooLarge(
                f"all files together may take {limits.max_bytes:,} bytes, and this one would be too much",
                remedy="Remove files that are no longer needed, or ask for less.",
            )
