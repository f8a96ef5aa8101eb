"""Where backups are kept: a folder, or a bucket that speaks S3.

A file is there whole or not at all: in a folder it is written beside, synced and renamed, and only its owner may read
it; in a bucket an upload is completed at its end. Credentials of a bucket come by the usual `AWS_…` variables.
"""

from __future__ import annotations

import contextlib
import io
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast
from urllib.parse import urlsplit

from broadstreet.model.errors import DiskFull, InvalidInput, NotFound, Unavailable

if TYPE_CHECKING:
    from obstore.store import S3Store

CLOSED: Final = 0o700
UPLOAD_BYTES: Final = 16 * 1024 * 1024
"""An upload's piece. A bucket takes 10,000 of them, so one part of a backup may have 160 GB as stored."""
UPLOADS_AT_ONCE: Final = 4
NO_SPACE: Final = 28


class Writer(Protocol):
    """What takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Take them all."""


class Vault(ABC):
    """Files by name in one place."""

    place: str
    """As a person names it."""

    @abstractmethod
    def writer(self, name: str) -> contextlib.AbstractContextManager[Writer]:
        """A new file; it is there once the block is left in order."""

    @abstractmethod
    def reader(self, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """A file to read once through. Raises NotFound."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether a file is there."""

    @abstractmethod
    def folders(self) -> list[str]:
        """The names of the places within."""

    @abstractmethod
    def within(self, name: str) -> Vault:
        """A place within."""

    @abstractmethod
    def remove(self) -> None:
        """Remove the place with all that is in it."""


def open_vault(place: str) -> Vault:
    """A place by its name: a folder's path, or `s3://bucket/path`. Raises InvalidInput."""
    parts = urlsplit(place)
    if parts.scheme == "s3":
        if not parts.netloc:
            raise InvalidInput("the bucket is not named", where=place, remedy="Write s3://bucket/path.")
        return Bucket(parts.netloc, parts.path.strip("/"))
    if parts.scheme not in ("", "file"):
        raise InvalidInput(f"{parts.scheme}: is no place for backups", where=place, remedy="Give a folder or s3://….")
    return Folder(Path(parts.path if parts.scheme else place).expanduser().resolve())


class Folder(Vault):
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = str(path)

    @contextmanager
    def writer(self, name: str) -> Iterator[Writer]:
        """A new file, synced and closed to others."""
        part = self.path / f"{name}.part"
        try:
            self.path.mkdir(mode=CLOSED, parents=True, exist_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path / name)
            self._sync()
        except OSError as error:
            part.unlink(missing_ok=True)
            kind = DiskFull if error.errno == NO_SPACE else Unavailable
            raise kind(f"the backup cannot be written: {error.strerror}", where=str(self.path)) from error

    def _sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def reader(self, name: str) -> Iterator[BinaryIO]:
        """A file."""
        try:
            file = (self.path / name).open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"the backup lacks {name}", where=self.place) from error
        with file:
            yield file

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.path / name).is_file()

    def folders(self) -> list[str]:
        """The names of the folders within."""
        return [entry.name for entry in self.path.iterdir() if entry.is_dir()] if self.path.is_dir() else []

    def within(self, name: str) -> Folder:
        """A folder within."""
        return Folder(self.path / name)

    def remove(self) -> None:
        """Remove the folder; it holds files alone."""
        for entry in self.path.iterdir():
            entry.unlink()
        self.path.rmdir()


class Bucket(Vault):
    """A bucket, or what of it begins with a prefix."""

    def __init__(self, bucket: str, prefix: str) -> None:
        from obstore.store import S3Store

        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        self._bucket, self._prefix = bucket, prefix
        self._store: S3Store = S3Store(
            bucket, prefix=prefix or None, client_options={"allow_http": endpoint.startswith("http:")}
        )
        self.place = f"s3://{PurePosixPath(bucket, prefix)}"

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """What the library raises, as ours."""
        from obstore.exceptions import BaseError, NotFoundError

        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"the backup lacks {name}", where=self.place) from error
        except BaseError as error:
            raise Unavailable(
                f"the bucket does not answer as it should: {str(error).splitlines()[0]}",
                where=self.place,
                remedy="Check the bucket's name, and AWS_ENDPOINT_URL, AWS_REGION and the AWS credentials.",
            ) from error

    @contextmanager
    def writer(self, name: str) -> Iterator[Writer]:
        """A new object; what is interrupted leaves none."""
        import obstore

        upload = obstore.open_writer(self._store, name, buffer_size=UPLOAD_BYTES, max_concurrency=UPLOADS_AT_ONCE)
        with self._told(name), upload:
            yield upload

    @contextmanager
    def reader(self, name: str) -> Iterator[BinaryIO]:
        """An object."""
        import obstore

        with self._told(name):
            yield cast("BinaryIO", io.BufferedReader(_Pieces(iter(obstore.get(self._store, name).stream()))))

    def has(self, name: str) -> bool:
        """Whether an object is there."""
        import obstore

        try:
            with self._told(name):
                obstore.head(self._store, name)
        except NotFound:
            return False
        return True

    def folders(self) -> list[str]:
        """What stands before the next slash, once each."""
        import obstore

        with self._told(""):
            found = obstore.list_with_delimiter(self._store)["common_prefixes"]
        return [PurePosixPath(name).name for name in found]

    def within(self, name: str) -> Bucket:
        """What begins with a longer prefix."""
        return Bucket(self._bucket, str(PurePosixPath(self._prefix, name)))

    def remove(self) -> None:
        """Remove all objects with this prefix."""
        import obstore

        with self._told(""):
            names = [entry["path"] for entry in obstore.list(self._store).collect()]
            obstore.delete(self._store, names)


class _Pieces(io.RawIOBase):
    """A stream of pieces as a file."""

    def __init__(self, pieces: Iterator[object]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a Buffer; io hands over a memoryview
        """Fill the buffer with what is at hand."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(bytes(cast("bytes", piece)))
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
