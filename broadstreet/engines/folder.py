"""The data folder: everything a house keeps, in one place, closed to others and used by one house at a time.

postgres/  nats/      what the engines keep, each its engine's own
run/                  addresses and secrets of what runs now, and the lock
logs/  maps/  rejects/
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from pathlib import Path
from typing import IO

from broadstreet.engines.user import EngineUser
from broadstreet.model.errors import EngineFailed

CLOSED = 0o700
MAX_SOCKET_PATH = 100
"""A Unix socket's path has room for 108 bytes on Linux and 104 on macOS, with the file's name and a zero."""
SOCKET_NAME = ".s.PGSQL.5432.lock"


class DataFolder:
    """A data folder's places, its preparation and its lock."""

    def __init__(self, path: Path, user: EngineUser | None = None) -> None:
        self.path = path.expanduser().resolve()
        self.user = user
        self._lock: IO[str] | None = None
        self._far_socket_folder: Path | None = None

    @property
    def run(self) -> Path:
        """What runs now: engines.json, roles.json, the lock."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One log file for each process."""
        return self.path / "logs"

    def is_founded(self) -> bool:
        """Whether a house was ever started here."""
        return (self.run / "lock").exists()

    def prepare(self) -> None:
        """Make the folders that are missing and close them to others. Raises EngineFailed where that cannot be."""
        try:
            for folder in (self.path, self.run, self.logs, self.path / "maps", self.path / "rejects"):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(CLOSED)
            if self.user is not None:
                # The engines' user walks through the folder to its own two and sees nothing else.
                os.chown(self.path, -1, self.user.gid)
                self.path.chmod(0o710)
                self.user.let_in(self.path)
        except OSError as error:
            raise EngineFailed(
                f"the data folder cannot be used: {error.strerror}",
                where=str(error.filename or self.path),
                remedy="Choose another with --data-dir, or mend its owner and rights.",
            ) from error

    def engine_folder(self, name: str) -> Path:
        """An engine's own folder, made if it is missing, owned by whom the engine runs as."""
        folder = self.path / name
        folder.mkdir(exist_ok=True)
        folder.chmod(CLOSED)
        if self.user is not None:
            self.user.own(folder)
        return folder

    def socket_folder(self) -> Path:
        """Where PostgreSQL's socket stands: in the data folder, or, where that path is too long, in a short one."""
        folder = self.path / "socket"
        if len(os.fsencode(folder / SOCKET_NAME)) <= MAX_SOCKET_PATH:
            return self.engine_folder("socket")
        mark = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"broadstreet-{mark}"
        owner = self.user.uid if self.user else os.geteuid()
        folder.mkdir(mode=CLOSED, exist_ok=True)
        found = folder.lstat()
        if folder.is_symlink() or found.st_uid not in (owner, os.geteuid()):
            raise EngineFailed(
                f"{folder} belongs to someone else, and PostgreSQL's socket would stand there",
                where=str(folder),
                remedy="Remove it, or choose a data folder with a shorter path.",
            )
        folder.chmod(CLOSED)
        if self.user is not None:
            self.user.own(folder)
        self._far_socket_folder = folder
        return folder

    def lock(self) -> None:
        """Take the folder for this process until `unlock` or its end. Raises EngineFailed if another one has it."""
        lock = (self.run / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read(20).strip() or "unknown"
            lock.close()
            raise EngineFailed(
                f"this data folder is in use by another Broadstreet (process {holder})",
                where=str(self.path),
                remedy="Stop that one first, or choose another folder with --data-dir.",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def unlock(self) -> None:
        """Give the folder back, and leave nothing outside it."""
        if self._far_socket_folder is not None:
            with contextlib.suppress(OSError):
                self._far_socket_folder.rmdir()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def in_use(self) -> bool:
        """Whether some process holds the folder's lock now."""
        with contextlib.suppress(FileNotFoundError), (self.run / "lock").open("r", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def write_private(path: Path, data: bytes, user: EngineUser | None = None) -> None:
    """Write a file that only its owner may read, whole or not at all, even across a crash."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if user is not None:
        user.own(part)
    part.replace(path)
