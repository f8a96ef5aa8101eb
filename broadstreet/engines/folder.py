"""The data folder: everything a house keeps, in one place, closed to others and used by one house at a time.

postgres/  nats/      what the engines keep, each its engine's own
run/                  addresses and secrets of what runs now, and the lock
house.json            which form the folder has
logs/  maps/  rejects/
past/                 files of the long past, a folder a tenant
exports/  plans/      files of exports, and of plans of the network, a folder a tenant
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import IO

import msgspec

from broadstreet.engines.user import EngineUser
from broadstreet.model.errors import Conflict, EngineFailed

CLOSED = 0o700
FORM = 1
"""The form of a data folder. It counts up when something changes that an older Broadstreet would not see."""
FORM_FILE = "house.json"
TAKE_ATTEMPTS = 400
TAKE_AGAIN_S = 0.005
MAX_SOCKET_PATH = 100
"""A Unix socket's path has room for 108 bytes on Linux and 104 on macOS, with the file's name and a zero."""
SOCKET_NAME = ".s.PGSQL.5432.lock"


class Form(msgspec.Struct, frozen=True):
    """What house.json says."""

    form: int


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

    @property
    def restore_mark(self) -> Path:
        """The file that is there while the folder is being made of a backup."""
        return self.run / "restoring"

    def check_form(self) -> None:
        """Raise EngineFailed if the folder has a form that a newer Broadstreet gave it."""
        try:
            found = msgspec.json.decode((self.path / FORM_FILE).read_bytes(), type=Form).form
        except FileNotFoundError:
            return
        except (msgspec.DecodeError, OSError) as error:
            raise EngineFailed(
                f"the folder's form cannot be read: {error}", where=str(self.path / FORM_FILE)
            ) from error
        if found > FORM:
            raise EngineFailed(
                f"a newer Broadstreet has used this data folder: it has form {found}, and this one knows {FORM}",
                where=str(self.path),
                remedy="Run the newer Broadstreet, or restore a backup that was made before the upgrade.",
            )

    def begin_restore(self) -> None:
        """Mark an empty folder as being made of a backup: nothing else starts in it. Raises Conflict for another."""
        if self.path.exists() and any(self.path.iterdir()):
            raise Conflict(
                "this folder is not empty, and nothing is overwritten",
                where=str(self.path),
                remedy="Name an empty folder or a new one. What an interrupted restore left may be removed.",
            )
        self.run.mkdir(mode=CLOSED, parents=True, exist_ok=True)
        self.path.chmod(CLOSED)
        write_private(self.restore_mark, b"")

    def end_restore(self) -> None:
        """Everything is there."""
        self.restore_mark.unlink()

    def give_to_engines(self, name: str) -> None:
        """Give an engine's folder with all that is in it to whom the engine runs as."""
        if self.user is not None:
            for path in (self.path / name).rglob("*"):
                self.user.own(path)

    def is_founded(self) -> bool:
        """Whether a house was ever started here."""
        return (self.run / "lock").exists()

    def prepare(self, *, restoring: bool = False) -> None:
        """
        Make the folders that are missing and close them to others.

        restoring: whether this is the restore that makes the folder.
        Raises EngineFailed where that cannot be, where a newer Broadstreet made it, or a restore of it is not done.
        """
        self.check_form()
        if self.restore_mark.exists() and not restoring:
            raise EngineFailed(
                "this folder is being made of a backup, and that has not been finished",
                where=str(self.path),
                remedy="Wait for `broadstreet restore`. If it was interrupted, remove the folder and restore again.",
            )
        try:
            for folder in (self.path, self.run, self.logs, self.path / "maps", self.path / "rejects"):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(CLOSED)
            if self.user is not None:
                # The engines' user walks through the folder to its own two and sees nothing else.
                os.chown(self.path, -1, self.user.gid)
                self.path.chmod(0o710)
                self.user.let_in(self.path)
            if not (self.path / FORM_FILE).exists():
                write_private(self.path / FORM_FILE, msgspec.json.encode(Form(FORM)))
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
        if not _take(lock):
            lock.seek(0)
            holder = lock.read(20).strip() or "unknown"
            lock.close()
            raise EngineFailed(
                f"this data folder is in use by another Broadstreet (process {holder})",
                where=str(self.path),
                remedy="Stop that one first, or choose another folder with --data-dir.",
            )
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


def _take(lock: IO[str]) -> bool:
    """Take a lock for ourselves; False where another house has it. Whoever asks `in_use` at this very moment shares it
    while they ask: we wait for them."""
    for _ in range(TAKE_ATTEMPTS):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False  # a house does not share it
        fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(TAKE_AGAIN_S)
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
