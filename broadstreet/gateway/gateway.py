"""One gateway: the parts it is made of, and what runs beside its connections.

Beside them run: the reports of its counters, the watch over the disk (below the watermark every pack is refused) and
over who may stay, what is written down of connections, retained messages on their way to the log, and what the house
says to devices.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from broadstreet.access.audit import Audit
from broadstreet.access.token import Tokens
from broadstreet.devices import Certificates, Provisioning, Registry
from broadstreet.engines import check_disk
from broadstreet.gateway.bounds import (
    DISK_EVERY_S,
    MAX_SHUT_OUT_ASKED,
    OUT_FOR_S,
    REPORT_EVERY_S,
    SHUT_OUT_EVERY_S,
    SHUT_OUT_FIRST_S,
    STOP_WITHIN_S,
)
from broadstreet.gateway.broker import Broker
from broadstreet.gateway.connection import Connection
from broadstreet.gateway.counters import Counters, announce
from broadstreet.gateway.crowd import Crowd
from broadstreet.gateway.door import Door, Entrance, OpenDoor
from broadstreet.gateway.limits import DEFAULT_LIMITS, Limits
from broadstreet.gateway.listener import Listener
from broadstreet.gateway.message import Message
from broadstreet.gateway.packer import Packer
from broadstreet.gateway.retained import Retained
from broadstreet.gateway.sightings import STORE_ERRORS, Sightings
from broadstreet.log import Log
from broadstreet.log.ending import end
from broadstreet.log.sessions import SessionLog
from broadstreet.model.addresses import is_loopback
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import DiskFull, EngineFailed, InvalidInput
from broadstreet.mqtt import Reason
from broadstreet.store import Store

SHUT_OUT = "the device was disabled, or what it signed in by holds no longer"
logger = logging.getLogger(__name__)


class Gateway:
    """
    A gateway of its own, from `start` to `stop`, or within `async with`.

    certificates: of devices, for those who show one over TLS; None: none is taken.
    limits:       what a client, an address or a device may take.
    name:         tells it apart from other gateways; the same at each start.
    partitions:   of the log, for each tenant.
    data_path, watermark_bytes: with less left on that folder's disk, messages are refused.
    clock:        now, in microseconds since 1970.
    random_bytes: fit for ids and keys, such as `os.urandom`.
    """

    def __init__(
        self,
        log: Log,
        store: Store,
        registry: Registry,
        tokens: Tokens,
        certificates: Certificates | None = None,
        limits: Limits = DEFAULT_LIMITS,
        *,
        name: str,
        partitions: int,
        data_path: Path,
        watermark_bytes: int,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.name = name
        self.counters = Counters()
        self._log = log
        self._clock = clock
        self._data_path = data_path
        self._watermark_bytes = watermark_bytes
        self._retained = Retained(log, clock)
        self._sightings = Sightings(store, name, clock)
        self.crowd = Crowd(limits, self.counters, asyncio.get_running_loop().time)
        self.listener = Listener("mqtt.port", self.counters, self.crowd)
        self.secure_listener = Listener("mqtt.tls_port", self.counters, self.crowd)
        self.open_listener = Listener("mqtt.open_port", self.counters, self.crowd)
        self._listeners: list[Listener] = []
        self._packer = Packer(
            log,
            gateway=name,
            partitions=partitions,
            counters=self.counters,
            clock=clock,
            random_bytes=random_bytes,
            on_pressure=self._press,
        )
        provisioning = Provisioning(store, registry, Audit(store.control))
        self._door = Door(registry, tokens, certificates, clock, provisioning)
        self._credential_changed = asyncio.Event()
        self.broker = Broker(
            self._packer,
            self._retained,
            self._sightings,
            SessionLog(log),
            self.counters,
            name=name,
            clock=clock,
            random_bytes=random_bytes,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, host: str, port: int) -> None:
        """Begin to take connections. Raises RoleFailed where the port cannot be had."""
        await self._sightings.begin()
        work = (
            self._retained.run(),
            self._sightings.run(),
            self._report(),
            self._watch_disk(),
            self._watch_logins(),
            self._hear_logins(),
            self._hand_out(),
            self.broker.exchange.run(),
            self.broker.wills.run(),
            self.broker.wills.sweep(),
            self.broker.directory.sweep(),
        )
        self._tasks = [asyncio.create_task(one) for one in work]
        await self._listen(self.listener, self._door, host, port)

    async def listen_securely(self, host: str, port: int, context: Callable[[], ssl.SSLContext]) -> None:
        """Take connections over TLS as well. context: answers how to speak it now. Raises RoleFailed."""
        await self._listen(self.secure_listener, self._door, host, port, context)

    async def open_to_anyone(self, host: str, port: int) -> None:
        """
        Let anyone on this machine use any topic, for test suites: neither the topics nor the readings of a tenant.

        Raises InvalidInput for a host that is not this machine alone, RoleFailed where the port cannot be had.
        """
        if not is_loopback(host):
            raise InvalidInput(
                f"a listener that lets anyone in may not be reached from elsewhere, as {host} may",
                where="mqtt.open_port",
                remedy="Give it an address of the loopback, such as 127.0.0.1.",
            )
        await self._listen(self.open_listener, OpenDoor(), host, port)
        logger.warning("MQTT port %d lets anyone on this machine use any topic of a tenant of its own", port)

    async def _listen(
        self,
        listener: Listener,
        door: Entrance,
        host: str,
        port: int,
        context: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        await listener.start(host, port, lambda: Connection(listener, self.broker, door), context)
        self._listeners.append(listener)

    def _press(self, is_high: bool) -> None:
        for listener in self._listeners:
            listener.press(is_high)

    async def run(self) -> None:
        """Return only if a part of the gateway fails, with what failed."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task

    async def stop(self) -> None:
        """Take no more, bring what was taken to the log, say goodbye; wills are spoken last."""
        for listener in self._listeners:
            await listener.deafen()
        await self._packer.flush(STOP_WITHIN_S)
        await asyncio.gather(*(listener.stop() for listener in self._listeners))
        await self._packer.flush(STOP_WITHIN_S)
        await self._retained.flush(STOP_WITHIN_S)
        await self.broker.finish()
        await end(self._tasks)
        await self._sightings.write()

    async def _report(self) -> None:
        while True:
            await announce(self._log, self.name, self.counters, self._clock)
            await asyncio.sleep(REPORT_EVERY_S)

    async def _watch_disk(self) -> None:
        while True:
            try:
                check_disk(self._data_path, self._watermark_bytes)
            except DiskFull as error:
                self._packer.refuse(error)
            else:
                self._packer.refuse(None)
            await asyncio.sleep(DISK_EVERY_S)

    async def _watch_logins(self) -> None:
        """End the connections of those who would not come in again: at once where we are told, else in their turn."""
        first = 0
        while True:
            peers = list({session.peer: None for session in self.broker.sessions() if session.peer.proof})
            asked = peers[first : first + MAX_SHUT_OUT_ASKED]
            first = first + MAX_SHUT_OUT_ASKED if len(peers) > first + MAX_SHUT_OUT_ASKED else 0
            try:
                ended = await self._door.ended(asked)
            except STORE_ERRORS as error:
                logger.warning("who was shut out cannot be asked: %s", error)
                ended = set()
            for session in self.broker.sessions() if ended else ():
                if session.peer in ended and session.conversation is not None:
                    session.conversation.link.close(Reason.NOT_AUTHORIZED, SHUT_OUT)
            await asyncio.sleep(SHUT_OUT_FIRST_S)
            if not first:
                with suppress(TimeoutError):
                    async with asyncio.timeout(SHUT_OUT_EVERY_S):
                        await self._credential_changed.wait()
                self._credential_changed.clear()

    async def _hear_logins(self) -> None:
        """Hear of changed credentials. Whatever is missed is found a little later."""
        while True:
            try:
                await self._door.follow(self._credential_changed.set)
            except STORE_ERRORS as error:
                logger.warning("changed credentials are not heard of: %s", error)
            await asyncio.sleep(SHUT_OUT_EVERY_S)

    async def _hand_out(self) -> None:
        """
        Messages of the house to devices, to whoever subscribes to their topics, at whichever gateway.

        Each is taken by one gateway; one that is killed with it leaves it to another. What has waited longer than
        `OUT_FOR_S` because there was no gateway is left out: who sent it offers it again, if it still counts.
        """
        await self.broker.directory.loaded()
        while True:
            try:
                async with self._log.messages_out() as messages:
                    async for out in messages:
                        if self._clock() < out.sent_us + OUT_FOR_S * US_PER_S:
                            message = Message(out.topic, out.payload, self._clock(), qos=1, id=f"out.{out.sequence}")
                            for settlement in self.broker.publish(out.tenant, message):
                                await settlement.settled()
                        await out.done()
            except EngineFailed as error:
                logger.warning("messages to devices wait: %s", error)
            await asyncio.sleep(REPORT_EVERY_S)
