"""Making a data folder of a backup: in an empty folder, checked on the way, usable only when it is whole."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from broadstreet.backup.archive import unpack
from broadstreet.backup.changes import take_out_unknown
from broadstreet.backup.manifest import Manifest, Part, read_manifest
from broadstreet.backup.postgres import read_base_backup
from broadstreet.backup.sealing import Sealing
from broadstreet.backup.streams import Snapshot, put_stream_back, stream_names
from broadstreet.backup.vault import Vault
from broadstreet.backup.verifying import open_part
from broadstreet.engines import Engines
from broadstreet.engines.folder import DataFolder
from broadstreet.engines.user import engine_user
from broadstreet.log import Log
from broadstreet.model.errors import Conflict, InvalidInput
from broadstreet.store import Store

POSTGRES: Final = "postgres"


async def put_back(
    vault: Vault,
    sealing: Sealing,
    data_dir: Path,
    *,
    postgres_url: str | None,
    nats_url: str | None,
    tell: Callable[[Part, str], None],
) -> Manifest:
    """
    Make a data folder of a backup.

    data_dir:     an empty folder, or none yet. It refuses to be started until everything is there.
    postgres_url, nats_url: the city's own engines, if the house has such. Streams go back into a server that has none.
    Raises Conflict where something is there already, InvalidInput where the identity is missing, CorruptData.
    """
    manifest = await asyncio.to_thread(read_manifest, vault)
    if manifest.recipients and not sealing.can_open:
        raise InvalidInput(
            "the backup is encrypted", where=vault.place, remedy="Name the file with its identity by --identity."
        )
    folder = DataFolder(data_dir, None if postgres_url and nats_url else engine_user())
    folder.begin_restore()
    restoring = _Restoring(vault, sealing, folder, tell)
    for part in manifest.parts:
        if part.kind != "stream":
            await restoring.unpack(part)
    await restoring.log(manifest, postgres_url, nats_url)
    await asyncio.to_thread(os.sync)
    folder.end_restore()
    return manifest


class _Restoring:
    """The parts on their way back."""

    def __init__(self, vault: Vault, sealing: Sealing, folder: DataFolder, tell: Callable[[Part, str], None]) -> None:
        self._vault = vault
        self._sealing = sealing
        self._folder = folder
        self._tell = tell

    async def unpack(self, part: Part) -> None:
        """PostgreSQL's files, or the data folder's own."""

        def read(source: BinaryIO) -> str:
            if part.kind == "postgres":
                count = read_base_backup(source, self._folder.engine_folder(POSTGRES))
            else:
                count = len(unpack(source, self._folder.path).files)
            return f"{count:,} files"

        said = await open_part(self._vault, self._sealing, part, read)
        if part.kind == "postgres":
            await asyncio.to_thread(self._folder.give_to_engines, POSTGRES)
        self._tell(part, said)

    async def log(self, manifest: Manifest, postgres_url: str | None, nats_url: str | None) -> None:
        """The streams, into a server that holds none; then without what PostgreSQL does not know of."""
        engines = Engines(self._folder.path, postgres_url, nats_url, restoring=True)
        async with engines, await Log.connect(engines.addresses.nats_url, name="restore") as log:
            if there := await stream_names(log.client):
                raise Conflict(
                    f"the log has streams already ({', '.join(there)}), and nothing is overwritten",
                    remedy="Give the restored house a NATS, or an account of it, that is empty.",
                )
            for part in manifest.parts:
                if part.kind == "stream":
                    await self._stream(log, part)
            if postgres_url is None:
                async with await Store.connect(engines.addresses.postgres_dsn) as store:
                    await take_out_unknown(log, store, manifest.changes_at)

    async def _stream(self, log: Log, part: Part) -> None:
        """One stream. It is opened into a file first: only a part that is whole reaches the server."""
        with tempfile.TemporaryFile(dir=self._folder.path) as file:

            def read(source: BinaryIO) -> str:
                while block := source.read(1024 * 1024):
                    file.write(block)
                return "opened"

            await open_part(self._vault, self._sealing, part, read)
            file.seek(0)
            name = part.name.removeprefix("stream-").partition(".")[0]
            begun = msgspec.json.decode(part.stream, type=Snapshot)
            await put_stream_back(log.client, name, begun, part.incarnation, file)
        info = await log.stream_info(name)
        self._tell(part, f"{info.state.messages:,} messages")
