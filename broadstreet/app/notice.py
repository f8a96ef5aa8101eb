"""What systemd is told of a house that it started: that it is ready, that it lives, that it stops (sd_notify)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

SOCKET = "NOTIFY_SOCKET"
WATCHDOG = "WATCHDOG_USEC"
US_PER_S = 1_000_000
READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"


class Notice:
    """Tells whoever the environment names; nobody, where it names none."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """environment: as `os.environ`."""
        self._address = environment.get(SOCKET, "")
        self._watchdog_s = int(environment.get(WATCHDOG) or 0) / US_PER_S

    def say(self, words: str) -> None:
        """Tell, if somebody listens. An address that begins with @ has no file."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.connect("\0" + self._address[1:] if self._address.startswith("@") else self._address)
            out.send(words.encode())

    async def live(self) -> None:
        """Tell again and again that this process does something, twice as often as asked; until cancelled."""
        while self._watchdog_s:
            self.say(ALIVE)
            await asyncio.sleep(self._watchdog_s / 2)
