"""What systemd is told of a house that it started: that it is ready, that it lives, that it stops (sd_notify)."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from typing import Final

SOCKET = "NOTIFY_SOCKET"
WATCHDOG = "WATCHDOG_USEC"
US_PER_S = 1_000_000
READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"
ATTEMPTS: Final = 100
POLL_S: Final = 0.05
logger = logging.getLogger(__name__)


class Notice:
    """Tells whoever the environment names; nobody, where it names none."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """environment: as `os.environ`."""
        self._address = environment.get(SOCKET, "")
        self._watchdog_s = int(environment.get(WATCHDOG) or 0) / US_PER_S

    async def tell(self, words: str) -> None:
        """Tell what must be heard, as soon as there is room for it; for a while, as nobody is to be held up for it."""
        for _ in range(ATTEMPTS):
            if self._say(words):
                return
            await asyncio.sleep(POLL_S)
        logger.warning("systemd does not hear %s: it has not read what it was told before", words)

    def _say(self, words: str) -> bool:
        """Tell, if somebody listens; False where there is no room. Ten unread words fill it, and the next would wait,
        and with it the whole process. An address that begins with @ has no file."""
        if not self._address:
            return True
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as out:
            try:
                out.connect(address)
                out.send(words.encode())
            except BlockingIOError:
                return False
            except OSError as error:
                logger.warning("systemd cannot be told %s: %s", words, error)
        return True

    async def live(self) -> None:
        """Tell again and again that this process does something, twice as often as asked; until cancelled."""
        while self._watchdog_s:
            self._say(ALIVE)  # where there is no room, it has enough of them to read
            await asyncio.sleep(self._watchdog_s / 2)
