"""Taking a backup of a house that runs, in the one order that loses nothing; see the room's face."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from broadstreet.backup.changes import CHANGES
from broadstreet.backup.files import pack_files
from broadstreet.backup.manifest import FORMAT, Kind, Manifest, Part, write_manifest
from broadstreet.backup.pipe import through_pipe
from broadstreet.backup.postgres import base_backup, log_kept
from broadstreet.backup.sealing import Sealing, Stored
from broadstreet.backup.streams import snapshot, stream_names
from broadstreet.backup.vault import Folder, Vault
from broadstreet.engines import EngineAddresses, write_private
from broadstreet.history.past import READING
from broadstreet.log import Log
from broadstreet.log.ending import end
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import BroadstreetError, InvalidInput, LogFull
from broadstreet.store import Store, load_queries

RAW: Final = "RAW"
LOOK_EVERY_S: Final = 1.0
FULLEST: Final = 0.8
"""A backup that holds RAW gives up when RAW is so full: readings come first."""
REPORT_NAME: Final = "last-backup.json"
_PAST_SQL = load_queries("past")
Tell = Callable[[str, Stored], None]


class House(NamedTuple):
    """
    What is backed up.

    data_dir:      its data folder.
    addresses:     its engines.
    own_postgres:  whether PostgreSQL is the data folder's own, and not the city's.
    settings_file: its settings file, if it has one.
    """

    data_dir: Path
    addresses: EngineAddresses
    own_postgres: bool
    settings_file: Path | None


class BackupReport(msgspec.Struct, frozen=True):
    """What a data folder remembers of its last backup. began_us: since when in microseconds since 1970."""

    place: str
    began_us: int
    ended_us: int
    bytes: int
    encrypted: bool


async def take(house: House, vault: Vault, sealing: Sealing, clock: Callable[[], int], tell: Tell) -> Manifest:
    """
    Make a backup in a place that holds none.

    clock: now, in microseconds since 1970. tell: is told of each part that is stored.
    Raises Conflict where another one is being made, Unavailable, DiskFull, EngineFailed or LogFull; then there is
    no manifest, and what was stored is no backup.
    """
    if isinstance(vault, Folder) and vault.path.is_relative_to(house.data_dir):
        raise InvalidInput(
            "a backup within the data folder would go with it", where=vault.place, remedy="Choose a place elsewhere."
        )
    began_us = clock()
    async with await Log.connect(house.addresses.nats_url, name="backup") as log:
        work = _Taking(house, log, vault, sealing, tell)
        async with log.raw_held(), _while_there_is_room(log), _past_kept(house.addresses.postgres_dsn):
            changes_at = (await log.stream_info(CHANGES)).state.last_seq
            try:
                parts = await work.all()
            except BaseException:
                with suppress(BroadstreetError, OSError):
                    await asyncio.to_thread(vault.remove)
                raise
    manifest = Manifest(
        format=FORMAT,
        made_by=metadata.version("broadstreet"),
        began_us=began_us,
        ended_us=clock(),
        changes_at=changes_at,
        recipients=sealing.recipients,
        left_out=work.left_out,
        parts=parts,
    )
    await asyncio.to_thread(write_manifest, vault, manifest)
    report = BackupReport(vault.place, began_us, manifest.ended_us, manifest.bytes, bool(sealing.recipients))
    write_private(house.data_dir / REPORT_NAME, msgspec.json.encode(report))
    return manifest


def last_backup(data_dir: Path) -> BackupReport | None:
    """The last backup that was made of a data folder, if it remembers one."""
    try:
        return msgspec.json.decode((data_dir / REPORT_NAME).read_bytes(), type=BackupReport)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def name_of(at_us: int) -> str:
    """A backup's name: when it was begun, so that names sort by age."""
    return format_rfc3339(at_us)[:19].replace("-", "").replace(":", "") + "Z"


@asynccontextmanager
async def _past_kept(dsn: str) -> AsyncIterator[None]:
    """Keep every file of the long past, as a reader does: those that PostgreSQL's copy lists are copied after it."""
    async with await Store.connect(dsn, pool_size=1) as store, AsyncExitStack() as held:
        for tenant in await store.tenants():
            connection = await held.enter_async_context((await store.tenant(tenant)).acquire())
            await connection.execute(_PAST_SQL["lock_shared"], READING)
            held.push_async_callback(connection.execute, _PAST_SQL["unlock_shared"], READING)
        yield


@asynccontextmanager
async def _while_there_is_room(log: Log) -> AsyncIterator[None]:
    """End the block with LogFull if RAW fills up meanwhile."""
    task = asyncio.current_task()
    assert task is not None
    fill: list[float] = []

    async def watch() -> None:
        while True:
            info = await log.stream_info(RAW)
            limit = info.config.max_bytes or 0
            if limit > 0 and info.state.bytes > FULLEST * limit:
                fill.append(info.state.bytes / limit)
                task.cancel()
                return
            await asyncio.sleep(LOOK_EVERY_S)

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not fill:
            raise
        task.uncancel()
        raise LogFull(
            f"the log became {fill[0]:.0%} full while the backup held it, so the backup was given up",
            remedy="Raise log.raw_bytes, lower recorder.keep_bytes, or make the backup at a quieter hour.",
        ) from None
    finally:
        await end([watching])


class _Taking:
    """The parts of one backup."""

    def __init__(self, house: House, log: Log, vault: Vault, sealing: Sealing, tell: Tell) -> None:
        self._house = house
        self._log = log
        self._vault = vault
        self._sealing = sealing
        self._tell = tell
        self.left_out: list[str] = []

    async def all(self) -> list[Part]:
        """PostgreSQL, then the streams, then the files."""
        parts = []
        if self._house.own_postgres:
            async with log_kept(self._house.addresses.postgres_dsn):
                dsn = self._house.addresses.postgres_dsn
                parts.append(await self._part("postgres.tar", "postgres", partial(base_backup, dsn)))
        else:
            self.left_out.append(
                "PostgreSQL, which is the city's own: back it up with its own tools, shortly before this"
            )
        parts += [await self._stream(stream) for stream in await stream_names(self._log.client)]
        parts.append(await self._part("files.tar", "files", self._files))
        return parts

    async def _stream(self, stream: str) -> Part:
        begun: list[msgspec.Raw] = []

        async def write(sink: BinaryIO) -> None:
            said = await snapshot(self._log.client, stream, sink, consumers=stream != RAW)
            begun.append(msgspec.Raw(msgspec.json.encode(said)))

        part = await self._part(f"stream-{stream}.tar", "stream", write)
        incarnation = await self._log.raw_incarnation() if stream == RAW else ""
        return msgspec.structs.replace(part, stream=begun[0], incarnation=incarnation)

    async def _files(self, sink: BinaryIO) -> None:
        await asyncio.to_thread(pack_files, self._house.data_dir, self._house.settings_file, sink)

    async def _part(self, name: str, kind: Kind, write: Callable[[BinaryIO], Awaitable[None]]) -> Part:
        stored = await through_pipe(write, lambda source: self._sealing.seal(source, self._vault, name))
        self._tell(kind, stored)
        return Part(stored.name, kind, stored.bytes, stored.sha256, stored.source_bytes)
