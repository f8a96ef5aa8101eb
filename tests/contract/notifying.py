"""A city with a notifier at work on real engines, and a receiver of notifications that can fail, hang or be away."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from broadstreet.access import Principal
from broadstreet.app.clock import now_us
from broadstreet.context import (
    CORE,
    Broker,
    Contexts,
    Subscription,
    Subscriptions,
    parse_entity,
    parse_fragment,
    parse_subscription,
    parse_update,
)
from broadstreet.delivery import LOOPBACK, Receivers
from broadstreet.log import Log, StreamLimits
from broadstreet.model.terms import CORE_CONTEXT_URI
from broadstreet.notifier import Carriers, Notifier
from broadstreet.recorder import Recorder
from broadstreet.store import Database, Store

PATIENCE_S = 30.0
LOOK_S = 0.01
LOOKS = 3_000
ANN = Principal.account("ann", "Ann", "city", ["engineer", "administrator"])
BASE = "http://city.example"
Answer = int | bytes | asyncio.Event
"""A status; the whole of an answer, after which the connection is closed; or what is waited for before a 200."""


@dataclass(frozen=True)
class Request:
    """What a receiver was told."""

    headers: Mapping[str, str]
    body: Any
    connection: int

    @property
    def data(self) -> list[Any]:
        """The entities."""
        return self.body["data"]  # type: ignore[no-any-return]  # a notification's

    def values(self, name: str) -> list[Any]:
        """An attribute's values, entity by entity."""
        return [one[name]["value"] for one in self.data]


class Receiver:
    """An HTTP server that answers 200, or as `plan` says for a path, and remembers what it was told."""

    def __init__(self) -> None:
        self.port = 0
        self.told: dict[str, list[Request]] = defaultdict(list)
        self._plans: dict[str, list[Answer]] = {}
        self._came = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections = count()

    async def listen(self) -> None:
        """Be there, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def leave(self) -> None:
        """Be away: connections are cut, and nobody listens."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def plan(self, path: str, *answers: Answer) -> None:
        """How to answer at a path, one by one; the last one from then on."""
        self._plans[path] = list(answers)

    async def wait(self, path: str, requests: int = 1) -> list[Request]:
        """All that was told at a path, once it is so many requests."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(self.told[path]) < requests:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise AssertionError(f"{path} was told {len(self.told[path])} times, not {requests}") from None
        return self.told[path]

    async def values(self, path: str, name: str, entities: int) -> list[Any]:
        """The values of an attribute in the order they were told, once they are so many."""
        requests = 0
        while len(found := [value for one in self.told[path] for value in one.values(name)]) < entities:
            requests = len(await self.wait(path, requests + 1))
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        number = next(self._connections)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._answer(reader, writer, number):
                pass
        self._writers.discard(writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        """Whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head[:-4].split("\r\n")
        headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
        body = msgspec.json.decode(await reader.readexactly(int(headers["content-length"])))
        path = first.split(" ")[1]
        plan = self._plans.get(path, [200])
        answer = plan.pop(0) if len(plan) > 1 else plan[0]
        self.told[path].append(Request(headers, body, number))
        self._came.set()
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        if writer.is_closing():
            return False
        if isinstance(answer, bytes):
            writer.write(answer)
            return False
        status = answer if isinstance(answer, int) else 200
        writer.write(f"HTTP/1.1 {status} So\r\nContent-Length: 2\r\n\r\nok".encode())
        await writer.drain()
        return True


class Wire:
    """A way to a server of this machine that can be cut."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """The server's address by this way."""
        who = self._to.netloc.rpartition("@")[0]
        return self._to._replace(netloc=f"{who}@127.0.0.1:{self.port}" if who else f"127.0.0.1:{self.port}").geturl()

    async def mend(self) -> None:
        """Lead there, from the same port as before."""
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Lead nowhere."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._writers |= {writer, back}
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        self._writers -= {writer, back}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while (data := await reader.read(65_536)) and not writer.is_closing():
                writer.write(data)
        writer.close()


@dataclass
class City:
    """One tenant at a time (`principal` says which), whose changes go through a recorder's relay and a notifier."""

    store: Store
    log: Log
    receiver: Receiver
    principal: Principal = ANN
    notifier: Notifier | None = None
    notifiers_log: Log | None = None
    """Where it is another connection than the others'."""
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _notifying: asyncio.Task[None] | None = None
    _stack: list[Carriers] = field(default_factory=list)

    @property
    def broker(self) -> Broker:
        return Broker(self.store, now_us)

    @property
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(self.store, Receivers(LOOPBACK))

    def database(self) -> Database:
        return self.store._tenants[self.principal.tenant]

    def fresh(self, stem: str) -> str:
        """A name that nobody has had."""
        return f"{stem}{next(self._numbers)}"

    async def start(self) -> None:
        """Notify from now on."""
        carriers = await Carriers(Receivers(LOOPBACK)).__aenter__()
        self._stack.append(carriers)
        contexts = Contexts(self.store, now_us, None)
        log = self.notifiers_log or self.log
        self.notifier = Notifier(log, self.store, contexts, carriers, base=BASE, clock=now_us, chance=lambda: 0.0)
        self._notifying = asyncio.create_task(self.notifier.run())

    async def stop(self) -> None:
        """Notify no more, if it does."""
        if self._notifying is None:
            return
        self._notifying.cancel()
        with suppress(asyncio.CancelledError):
            await self._notifying
        self._notifying = None
        await self._stack.pop().__aexit__()

    @asynccontextmanager
    async def silence(self) -> AsyncIterator[None]:
        """There is no notifier within the block; a new one begins when all that was changed in it is in the log."""
        await self.stop()
        yield
        await self._until_empty("outbox")
        await self.start()

    async def subscribe(self, path: str, kind: str, **members: Any) -> str:
        """A subscription about entities of a type that tells `path`. notification, endpoint: more of those members."""
        endpoint = {"uri": self.receiver.url(path), **members.pop("endpoint", {})}
        notification = {"endpoint": endpoint, **members.pop("notification", {})}
        document = {"type": "Subscription", "entities": [{"type": kind}], "notification": notification, **members}
        at_us = now_us()
        read = parse_subscription({name: one for name, one in document.items() if one is not None}, CORE, at_us)
        made = await self.subscriptions.create(self.principal, at_us, None, read, CORE_CONTEXT_URI)
        return made.id

    async def change(self, subscription_id: str, **members: Any) -> None:
        """Change a subscription."""
        at_us = now_us()
        read = parse_update(members, CORE, at_us)
        await self.subscriptions.update(self.principal, at_us, subscription_id, read, CORE_CONTEXT_URI)

    async def standing(self, subscription_id: str) -> Subscription:
        """A subscription with its counters."""
        return await self.subscriptions.retrieve(self.principal, subscription_id)

    async def counted(self, subscription_id: str, sent: int) -> Subscription:
        """The same, once so many attempts are written down."""
        for _ in range(LOOKS):
            found = await self.standing(subscription_id)
            if found.times_sent >= sent:
                return found
            await asyncio.sleep(LOOK_S)
        raise AssertionError(f"{found.times_sent} attempts, not {sent}")

    async def create(self, kind: str, name: str = "a", /, **attributes: Any) -> str:
        """An entity."""
        made = f"urn:ngsi-ld:{kind}:{name}"
        await self.broker.create(self.principal, now_us(), parse_entity({"id": made, "type": kind, **attributes}, CORE))
        return made

    async def patch(self, entity_id: str, /, **attributes: Any) -> None:
        """Merge into an entity."""
        fragment = parse_fragment({"id": entity_id, **attributes}, CORE)
        await self.broker.append(self.principal, now_us(), fragment, may_overwrite=True)

    async def delete(self, entity_id: str) -> None:
        await self.broker.delete(self.principal, now_us(), entity_id)

    async def read(self) -> None:
        """Everything that was changed until now has been looked at: a change that came after it has been told."""
        kind = self.fresh("Sentinel")
        await self.subscribe(f"/{kind}", kind)
        await self.create(kind, x=1)
        await self.receiver.wait(f"/{kind}")

    async def quiet(self) -> None:
        """The same, and nothing waits any more."""
        await self.read()
        await self._until_empty("notification")

    async def _until_empty(self, table: str) -> None:
        for _ in range(LOOKS):
            if not await self.database().fetchval(f"SELECT count(*) FROM {table}"):  # the test's own
                return
            await asyncio.sleep(LOOK_S)
        raise AssertionError(f"{table} is never empty")

    async def forget(self) -> None:
        """Nobody subscribes any more."""
        for one in (await self.subscriptions.list(self.principal, 1_000, 0, counts=False)).subscriptions:
            await self.subscriptions.delete(self.principal, one.id)

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, nats_url: str) -> AsyncIterator[Self]:
        """With recorder and notifier at work, and the log's streams for itself."""
        async with await Store.connect(dsn) as store, await Log.connect(nats_url) as log:
            await log.ensure_streams(StreamLimits())
            receiver = Receiver()
            await receiver.listen()
            await store.tenant("city")
            city = cls(store, log, receiver)
            recording = asyncio.create_task(Recorder(log, store, range(1), clock=now_us).run())
            await city.start()
            try:
                yield city
            finally:
                await city.stop()
                recording.cancel()
                with suppress(asyncio.CancelledError):
                    await recording
                receiver.leave()
                jetstream = log.client.jetstream()
                for stream in await jetstream.streams_info():
                    await jetstream.delete_stream(str(stream.config.name))
