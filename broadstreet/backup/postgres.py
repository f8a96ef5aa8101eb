"""PostgreSQL's part: a base backup by PostgreSQL's own program, with the log that makes it whole, as one tar.

It is taken while the server runs, and recovers to the moment at which it ended. A slot keeps the log until then, and
ends with its connection. PostgreSQL's list of its files with their hashes comes along, and is compared by who reads it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
import msgspec

from broadstreet.backup.archive import unpack
from broadstreet.engines.postgres import CLEAN_ENVIRONMENT, OWNER, program
from broadstreet.model.errors import Conflict, CorruptData, EngineFailed
from broadstreet.store import load_queries

SLOT: Final = "broadstreet_backup"
LIST: Final = "backup_manifest"
LOG_FOLDER: Final = "pg_wal/"
"""The list does not hold the log's files: PostgreSQL checks each of their records itself."""
LAST_WORDS: Final = 2_000
_SQL = load_queries("backup")


class _ListedFile(msgspec.Struct, rename="pascal"):
    path: str
    size: int
    checksum: str


class _List(msgspec.Struct, rename="pascal"):
    files: list[_ListedFile]


@asynccontextmanager
async def log_kept(dsn: str) -> AsyncIterator[None]:
    """Keep PostgreSQL from removing its log for as long as the block takes. Raises Conflict, EngineFailed."""
    try:
        connection = await asyncpg.connect(dsn)
    except (OSError, asyncpg.PostgresError) as error:
        raise EngineFailed(f"PostgreSQL does not answer: {error}") from error
    try:
        try:
            await connection.execute(_SQL["keep_log"], SLOT)
        except asyncpg.DuplicateObjectError as error:
            raise Conflict("another backup of this house is being made", remedy="Wait for it to end.") from error
        yield
    finally:
        await connection.close()


async def base_backup(dsn: str, sink: BinaryIO) -> None:
    """Write the server's files as a tar. Raises EngineFailed with the program's last words."""
    parts = urlsplit(dsn)
    host = parse_qs(parts.query)["host"][0]
    process = await asyncio.create_subprocess_exec(
        *(str(program("pg_basebackup")), "-h", host, "-p", "5432", "-U", OWNER, "--no-password"),
        *("-D", "-", "-F", "tar", "-X", "fetch", "--checkpoint=fast", "--manifest-checksums=SHA256"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sink.fileno(),
        stderr=asyncio.subprocess.PIPE,
        env=CLEAN_ENVIRONMENT,
    )
    try:
        _, words = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode != 0:
        raise EngineFailed(
            f"PostgreSQL could not be copied: {words.decode('utf-8', 'replace')[-LAST_WORDS:].strip()}", where=host
        )


def read_base_backup(source: BinaryIO, into: Path | None) -> int:
    """Read such a tar, into a folder or nowhere, and compare it with its list; how many files it has."""
    unpacked = unpack(source, into, frozenset({LIST}))
    try:
        listed = {file.path: file for file in msgspec.json.decode(unpacked.kept.get(LIST, b""), type=_List).files}
    except msgspec.DecodeError as error:
        raise CorruptData(f"PostgreSQL's list of its files cannot be read: {error}") from error
    for name, file in listed.items():
        if unpacked.files.get(name) != (file.checksum, file.size):
            raise CorruptData(f"PostgreSQL's file {name} is not as it was when the backup was made")
    extra = [
        name
        for name in unpacked.files
        if name not in listed and name != LIST and not name.startswith(LOG_FOLDER) and not _is_own(name)
    ]
    if extra:
        raise CorruptData(f"the backup holds a file that PostgreSQL did not list: {extra[0]}")
    if into is not None:
        (into / LIST).unlink()
    return len(unpacked.files)


def _is_own(name: str) -> bool:
    """Whether the program itself adds a file to every archive."""
    return name in ("recovery.signal", "standby.signal", "postgresql.auto.conf")
