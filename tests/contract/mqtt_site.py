"""A gateway on real engines, and a client that speaks to it packet by packet, for the tests of it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from broadstreet.apis import Services
from broadstreet.devices import Certificates, DeviceSpec
from broadstreet.engines import Engines
from broadstreet.gateway import Gateway
from broadstreet.log import Pack, decode_pack
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Decoder,
    Packet,
    Properties,
    PubAck,
    PubAckRun,
    Publish,
    PublishRun,
    Version,
    Will,
    encode,
)

PROFILE = """
[profile]
name = "air"
type = "AirQualityObserved"
[attributes.NO2]
field = "no2"
"""
PARTITIONS = 2
SECRET = "a-secret-that-is-long-enough-"
ANSWER_S = 20.0
"""How long an answer may take that must come."""
POLL_S = 0.05
POLLS = round(ANSWER_S / POLL_S)
SILENCE_S = 0.5
"""How long it is watched that nothing comes."""
V3, V5 = Version.V3_1_1, Version.V5
P = TypeVar("P")


def now_us() -> int:
    """The machine's clock."""
    return time.time_ns() // 1000


class Wire:
    """A client that sends what it is told, right or wrong."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, version: Version) -> None:
        self._reader = reader
        self._writer = writer
        self.version = version
        self._decoder = Decoder(version)

    def write(self, raw: bytes) -> None:
        """Bytes as they are."""
        self._writer.write(raw)

    def send(self, *packets: Packet) -> None:
        """Packets."""
        self.write(b"".join(encode(packet, self.version) for packet in packets))

    async def receive(self, kind: type[P]) -> P:
        """The next packet, which is of this kind."""
        async with asyncio.timeout(ANSWER_S):
            while (packet := self._decoder.next()) is None:
                data = await self._reader.read(65_536)
                assert data, f"the connection ended where {kind.__name__} was awaited"
                self._decoder.feed(data)
        assert isinstance(packet, kind), packet
        return packet

    async def is_silent(self, seconds: float = SILENCE_S) -> bool:
        """Whether nothing comes for a while."""
        if self._decoder.next() is not None:
            return False
        try:
            data = await asyncio.wait_for(self._reader.read(1), seconds)
        except TimeoutError:
            return True
        self._decoder.feed(data)
        return False

    async def ended(self) -> bool:
        """Wait until the other side hangs up; what it says before is of no account."""
        async with asyncio.timeout(ANSWER_S):
            try:
                while await self._reader.read(65_536):
                    pass
            except ConnectionResetError:
                pass
        return True

    def shrink(self) -> None:
        """Take little from the network before it is read, and read nothing meanwhile."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        cast(asyncio.ReadTransport, self._writer.transport).pause_reading()

    def abort(self) -> None:
        """Hang up at once; what came and was not read is lost."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Hang up without a word."""
        self.abort()


class Site:
    """One gateway with devices `d-0`, `d-1`, … in the tenant `city`."""

    def __init__(self, services: Services, gateway: Gateway, engines: Engines) -> None:
        self.services = services
        self.gateway = gateway
        self.engines = engines
        self.keys: dict[str, int] = {}
        self.wires: list[Wire] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.gateway.listener.port

    async def add_devices(self, *ids: str) -> None:
        """Register devices, all with the same secret but for their id."""
        city = await self.services.store.tenant("city")
        registry = self.services.registry
        await registry.register_profile(city, PROFILE, principal="test", at_us=now_us())
        specs = [DeviceSpec(id=i, title=i, profile="air", lon=24.9, lat=60.2, secret=SECRET + i) for i in ids]
        registered = await registry.register_many(city, specs, principal="test", at_us=now_us())
        self.keys |= {one.id: one.key for one in registered}

    async def open(self, tls: ssl.SSLContext | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection, with TLS or without."""
        listener = self.gateway.listener if tls is None else self.gateway.secure_listener
        return await asyncio.open_connection("127.0.0.1", listener.port, ssl=tls)

    async def wire(self, version: Version = V5, tls: ssl.SSLContext | None = None) -> Wire:
        """A connection without CONNECT."""
        wire = Wire(*await self.open(tls), version)
        self.wires.append(wire)
        return wire

    async def greet(
        self,
        device: str = "d-0",
        version: Version = V5,
        *,
        client_id: str | None = None,
        password: str | None = None,
        keep_alive_s: int = 0,
        will: Will | None = None,
        properties: Properties | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> tuple[Wire, ConnAck]:
        """Send CONNECT and take the answer."""
        wire = await self.wire(version, tls)
        secret = SECRET + device if password is None else password
        wire.send(
            Connect(
                device if client_id is None else client_id,
                version,
                True,
                keep_alive_s,
                device,
                secret.encode(),
                will,
                properties or Properties(),
            )
        )
        return wire, await wire.receive(ConnAck)

    async def connect(self, device: str = "d-0", version: Version = V5, **options: Any) -> Wire:
        """A device that has signed in."""
        wire, answer = await self.greet(device, version, **options)
        assert answer.reason == 0, answer
        return wire

    async def hang_up(self) -> None:
        """Close every connection, so that no gateway waits for one when it stops."""
        for wire in self.wires:
            await wire.close()

    async def person(self, name: str = "ada", version: Version = V5, **options: Any) -> Wire:
        """A dispatcher that has signed in with a token."""
        access = self.services.access
        if not any(account.name == name for account in await access.accounts.list("city")):
            await access.accounts.create(name, name.title(), tenant="city", roles=["dispatcher"], by="test")
        issued = await access.tokens.issue(name, "api", "test", 3600, by="test")
        return await self.connect(name, version, password=issued.secret, **options)

    async def packs(self) -> list[Pack]:
        """All packs of RAW, partition by partition."""
        found: list[Pack] = []
        for partition in range(PARTITIONS):
            left = await self.services.log.count_raw("city", partition, 0)
            async with self.services.log.read_raw("city", partition, 0) as reader:
                while left > 0:
                    batch = await reader.fetch(100, ANSWER_S)
                    assert batch, f"{left} packs of partition {partition} are not read"
                    found += [decode_pack(message.data) for message in batch]
                    left -= len(batch)
        return found

    async def kept(self, device: str = "d-0") -> list[tuple[int, str, bytes]]:
        """(received_us, topic, payload) of a device's messages in RAW, in the order of the log."""
        return [
            (at_us, topic, payload)
            for pack in await self.packs()
            for key, at_us, topic, payload in zip(pack.device, pack.received_us, pack.topic, pack.payload, strict=True)
            if key == self.keys[device]
        ]

    async def seen(self, device: str = "d-0") -> dict[str, Any]:
        """The device's row in `connection` as it is now."""
        city = await self.services.store.tenant("city")
        row = await city.fetchrow("SELECT * FROM connection WHERE device_key = $1", self.keys[device])
        return {} if row is None else dict(row)

    async def sees(self, wanted: Callable[[dict[str, Any]], bool], device: str = "d-0") -> dict[str, Any]:
        """Wait until the row is there and as it should be."""
        for _ in range(POLLS):
            row = await self.seen(device)
            if row and wanted(row):
                return row
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"the connection of {device} is never seen as awaited: {row}")

    async def counts(self, name: str) -> int:
        """Wait until the gateway has counted something of this name."""
        for _ in range(POLLS):
            counted: int = getattr(self.gateway.counters, name)
            if counted:
                return counted
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"the gateway never counts {name}")

    async def comes_to(self, name: str, count: int) -> None:
        """Wait until the gateway counts so many of this name."""
        for _ in range(POLLS):
            if getattr(self.gateway.counters, name) == count:
                return
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"the gateway never counts {count} {name}")

    @asynccontextmanager
    async def frozen_log(self) -> AsyncIterator[None]:
        """NATS stands still inside the block."""
        async with frozen(cast(int, self.engines.keepers["nats-server"].pid)):
            yield


@asynccontextmanager
async def open_gateway(
    services: Services,
    data_path: Path,
    certificates: Certificates | None = None,
    *,
    name: str = "gateway-t",
    watermark_bytes: int = 0,
) -> AsyncIterator[Gateway]:
    """A gateway at work on a free port."""
    gateway = Gateway(
        services.log,
        services.store,
        services.registry,
        services.access.tokens,
        certificates,
        name=name,
        partitions=PARTITIONS,
        data_path=data_path,
        watermark_bytes=watermark_bytes,
        clock=now_us,
        random_bytes=os.urandom,
    )
    await gateway.start("127.0.0.1", 0)
    try:
        yield gateway
    finally:
        await gateway.stop()


@asynccontextmanager
async def open_site(
    services: Services, engines: Engines, data_path: Path, certificates: Certificates | None = None
) -> AsyncIterator[Site]:
    """A gateway with three devices."""
    async with open_gateway(services, data_path, certificates) as gateway:
        site = Site(services, gateway, engines)
        await site.add_devices("d-0", "d-1", "plant:7")
        try:
            yield site
        finally:
            await site.hang_up()


def thread_states(pid: int) -> set[str]:
    """What the threads of a process do, as `ps` says it."""
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return {stat.rpartition(")")[2].split()[0] for stat in stats}


@asynccontextmanager
async def frozen(pid: int) -> AsyncIterator[None]:
    """A process stands still inside the block: all its threads, also one that had to hear of the disk first."""
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(POLLS):
            if thread_states(pid) == {"T"}:
                break
            await asyncio.sleep(POLL_S)
        else:
            raise AssertionError(f"process {pid} does not stand still")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def identifiers_of(packet: PubAck | PubAckRun) -> list[int]:
    """The packet identifiers that are acknowledged."""
    return packet.identifiers if isinstance(packet, PubAckRun) else [packet.identifier]


def payloads_of(packet: Publish | PublishRun) -> list[bytes]:
    """What was delivered."""
    return packet.payloads if isinstance(packet, PublishRun) else [packet.payload]
