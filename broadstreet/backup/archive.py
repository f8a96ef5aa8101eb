"""A tar read once through: written into a folder, or only looked at; each file hashed on the way."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, NamedTuple

from broadstreet.model.errors import CorruptData

BLOCK_BYTES: Final = 1024 * 1024
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
KEPT_BYTES: Final = 64 * 1024 * 1024
"""A file that is looked into whole is at most so large: PostgreSQL's own list of a million files."""


class Unpacked(NamedTuple):
    """What a tar held: SHA-256 and size of each file by its path, and the bytes of those that were asked for."""

    files: dict[str, tuple[str, int]]
    kept: dict[str, bytes]


def unpack(source: BinaryIO, into: Path | None, keep: frozenset[str] = frozenset()) -> Unpacked:
    """
    Read a tar to its end.

    into: where its files are written, closed to others; None: nowhere. Paths lead nowhere else.
    keep: files whose bytes are answered.
    Raises CorruptData.
    """
    unpacked = Unpacked({}, {})
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            for member in tar:
                _unpack_one(tar, member, into, keep, unpacked)
    except tarfile.TarError as error:
        raise CorruptData(f"an archive of the backup cannot be read: {error}") from error
    while source.read(BLOCK_BYTES):
        pass  # what pads a tar; whoever writes it must not be stopped
    return unpacked


def _unpack_one(
    tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path | None, keep: frozenset[str], unpacked: Unpacked
) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isdir() or member.isfile()):
        raise CorruptData(f"an archive of the backup holds {member.name!r}, which has no place in one")
    name = str(path)
    if member.isdir():
        if into is not None:
            (into / name).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        return
    file = tar.extractfile(member)
    assert file is not None  # it is a file
    digest, kept = hashlib.sha256(), bytearray()
    target = None
    if into is not None:
        (into / name).parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        target = os.fdopen(os.open(into / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb")
    try:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            if target is not None:
                target.write(block)
            if name in keep and len(kept) < KEPT_BYTES:
                kept += block
    finally:
        if target is not None:
            target.close()
    unpacked.files[name] = digest.hexdigest(), member.size
    if name in keep:
        unpacked.kept[name] = bytes(kept)
