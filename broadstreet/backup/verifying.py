"""Reading a backup through: every part's hash, and where it can be opened, everything within."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import BinaryIO

from broadstreet.backup.archive import unpack
from broadstreet.backup.manifest import Manifest, Part, read_manifest
from broadstreet.backup.pipe import through_pipe
from broadstreet.backup.postgres import read_base_backup
from broadstreet.backup.sealing import BLOCK_BYTES, Sealing, check_hash, hash_of
from broadstreet.backup.vault import Vault


async def verify(vault: Vault, sealing: Sealing, tell: Callable[[Part, str], None]) -> Manifest:
    """
    Check a backup. An encrypted one without its identity is checked by the hashes of its parts alone.

    tell: is told of each part that holds, and how far it was looked into.
    Raises CorruptData for one that does not, NotFound for one that is missing.
    """
    manifest = await asyncio.to_thread(read_manifest, vault)
    opens = not manifest.recipients or sealing.can_open
    for part in manifest.parts:
        if not opens:
            found = await asyncio.to_thread(hash_of, vault, part.name)
            check_hash(vault, part.name, found, part.sha256)
            tell(part, "as stored")
            continue
        tell(part, await open_part(vault, sealing, part, _look_into(part)))
    return manifest


async def open_part(vault: Vault, sealing: Sealing, part: Part, read: Callable[[BinaryIO], str]) -> str:
    """Open a part and let it be read to its end. Raises CorruptData."""

    async def write(sink: BinaryIO) -> None:
        await asyncio.to_thread(sealing.open_into, vault, part.name, sink, part.sha256)

    return await through_pipe(write, read)


def _look_into(part: Part) -> Callable[[BinaryIO], str]:
    def read(source: BinaryIO) -> str:
        if part.kind == "postgres":
            return f"{read_base_backup(source, None):,} files, each by its hash"
        if part.kind == "files":
            return f"{len(unpack(source, None).files):,} files"
        while source.read(BLOCK_BYTES):
            pass
        return "opened"

    return read
