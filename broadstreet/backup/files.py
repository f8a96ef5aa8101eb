"""The part of the data folder's own files: maps, credentials of a fleet, certificates, the tables of the long past.

What the engines keep is not among them (they are copied through themselves), nor is what only holds while a house runs.
A table of the long past changes by new files and a new entry in its log: it is copied again until no entry came
meanwhile, so that every file its log names is there.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from broadstreet.model.errors import Unavailable

LEFT_OUT: Final = frozenset({"postgres", "postgres.new", "nats", "run", "logs", "socket"})
TABLE_LOG: Final = "_delta_log"
ATTEMPTS: Final = 20
UNFINISHED: Final = ".part"


def pack_files(folder: Path, settings_file: Path | None, sink: BinaryIO) -> None:
    """Write a data folder's own files as a tar, and beside them the settings file, if there is one."""
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.iterdir()):
            if path.name not in LEFT_OUT:
                _pack(tar, folder, path)
        if settings_file is not None:
            _add(tar, settings_file, settings_file.name)


def _pack(tar: tarfile.TarFile, folder: Path, path: Path) -> None:
    if path.is_symlink():
        return
    if path.is_file():
        _add(tar, path, str(path.relative_to(folder)))
        return
    if (path / TABLE_LOG).is_dir():
        _pack_table(tar, folder, path)
        return
    for inner in sorted(path.iterdir()) if path.is_dir() else ():
        _pack(tar, folder, inner)


def _pack_table(tar: tarfile.TarFile, folder: Path, table: Path) -> None:
    """A table with its log first; again from the beginning if the log has grown meanwhile."""
    for _ in range(ATTEMPTS):
        entries = _log_of(table)
        for path in (*entries, *_data_of(table)):
            _add(tar, path, str(path.relative_to(folder)))
        if _log_of(table) == entries:
            return
    raise Unavailable(
        "a table of the long past is being rewritten all the time",
        where=str(table),
        remedy="Try again in a few minutes.",
    )


def _log_of(table: Path) -> list[Path]:
    return sorted(path for path in (table / TABLE_LOG).iterdir() if path.is_file())


def _data_of(table: Path) -> Iterator[Path]:
    return (path for path in sorted(table.rglob("*")) if TABLE_LOG not in path.parts and path.is_file())


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """A file as it is now. One that is gone meanwhile, or is still being written, is passed over."""
    if path.name.endswith(UNFINISHED):
        return
    try:
        with path.open("rb") as file:
            entry = tar.gettarinfo(arcname=name, fileobj=file)
            if not entry.isreg():
                return
            tar.addfile(entry, _Exactly(file, entry.size))
    except FileNotFoundError:
        return


class _Exactly(io.RawIOBase):
    """So many bytes of a file that may grow or shrink while it is read; what is missing is zeros."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= wanted
        return data.ljust(wanted, b"\0")
