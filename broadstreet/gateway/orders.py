"""Commands over HTTP: a device, or who speaks for it, fetches its next one by a long poll, and says what came of it.

An answer goes into the log like a reading, and the reply comes once it is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from broadstreet.access import Principal
from broadstreet.devices import Fault, Offer, decode_answer, fetch_command
from broadstreet.devices.answer import answer_topic
from broadstreet.gateway.bounds import SETTLED_WITHIN_S
from broadstreet.gateway.packer import Packer
from broadstreet.gateway.teller import Teller
from broadstreet.model.errors import InvalidInput, NotFound, TooMany, Unavailable
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

LOOK_EVERY_S: Final = 1.0
MAX_WAIT_S: Final = 60.0
MAX_WAITING: Final = 500
"""Long polls at once, each a look into the database a second."""
BUSY_RETRY_S: Final = 5
_DEVICE_SQL = load_queries("device")


class Orders:
    """One for a process. clock: now, in microseconds since 1970. teller: hands answers on to whoever subscribes."""

    def __init__(self, store: Store, packer: Packer, clock: Callable[[], int], teller: Teller) -> None:
        self._store = store
        self._packer = packer
        self._clock = clock
        self._teller = teller
        self._waiting = 0

    async def next(self, principal: Principal, device: str, wait_s: float, gone: asyncio.Future[None]) -> Offer | None:
        """A device's next command, waited for; None where none came, or who asked has gone. Raises NotFound, TooMany.

        gone: ends when who asked hangs up. A command handed to nobody would be kept from the device's next poll.
        """
        database = await self._store.tenant(principal.tenant)
        await self._key(database, principal, device)
        if self._waiting >= MAX_WAITING:
            raise TooMany("too many wait for commands", retry_after_s=BUSY_RETRY_S, remedy="Ask again in a moment.")
        self._waiting += 1
        loop = asyncio.get_running_loop()
        until_s = loop.time() + min(wait_s, MAX_WAIT_S)
        try:
            while True:
                offer = await fetch_command(database, device, self._clock())
                left_s = until_s - loop.time()
                if offer is not None or left_s <= 0:
                    return offer
                if (await asyncio.wait((gone,), timeout=min(LOOK_EVERY_S, left_s)))[0]:
                    return None
        finally:
            self._waiting -= 1

    async def answer(self, principal: Principal, device: str, command: str, payload: bytes) -> None:
        """Keep what a device says of a command; on disk when it returns.

        Raises NotFound, InvalidInput, LogFull, DiskFull, Unavailable.
        """
        database = await self._store.tenant(principal.tenant)
        key = await self._key(database, principal, device)
        said = decode_answer(answer_topic(command), payload, key, 0)
        if said is None:
            raise NotFound(f"there is no command {command[:80]!r}")
        if isinstance(said, Fault):
            raise InvalidInput(said.detail, where="body", remedy='Say {"state": "acknowledged", "result": …}.')
        source = self._packer.source(database.name, key)
        settlement = self._packer.add(source, answer_topic(command), [payload], len(payload))
        try:
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await settlement.settled()
        except TimeoutError:
            raise Unavailable("the log does not answer", remedy="Say it again: the first answer counts.") from None
        if settlement.refusal is not None:
            raise settlement.refusal
        self._teller.tell(database.name, device, answer_topic(command), [payload])

    async def _key(self, database: Database, principal: Principal, device: str) -> int:
        if principal.kind == "device" and principal.name != device:
            raise NotFound("a device has its own commands alone")
        rows = await database.fetch(_DEVICE_SQL["enabled_devices"], [device])
        if not rows:
            raise NotFound(f"there is no device {device[:80]!r}, or it is disabled")
        return int(rows[0]["key"])
