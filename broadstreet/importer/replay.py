"""A replay: the readings of a table, sent as the sensors themselves would, over MQTT.

Each sensor is a device with a connection and a credential of its own; a row's readings of a sensor are one message at
QoS 1, with the device's time, for the device's profile to read. The table's time passes `speed` times as fast as it
did. A replay signs in by secrets on loan and under client ids of its own: a device that is there too goes on as it was.

A table is gone through twice: once to learn its sensors and its span, once to send.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from broadstreet.access import Principal
from broadstreet.devices import lend_secrets
from broadstreet.engines import together
from broadstreet.history.observations import Int64s
from broadstreet.importer.importing import Prepared
from broadstreet.importer.mapping import TIME_FIELD, payload_field
from broadstreet.importer.readings import Batch, RowReader, values_of
from broadstreet.importer.sensors import Sensors
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.mqtt.client import Client
from broadstreet.mqtt.reasons import FIRST_FAILURE
from broadstreet.store import Store

if TYPE_CHECKING:
    from broadstreet.store import Database

TOPIC: Final = "readings"
CLIENT_PREFIX: Final = "replay:"
"""Before a device's id makes a client id that the device itself does not use, which would end one of the two."""
CONNECT_AT_ONCE: Final = 32
YIELD_EVERY: Final = 64
"""Messages after which the connections get their turn."""
SHORTEST_WAIT_S: Final = 0.002

_encode = msgspec.json.Encoder().encode


class Pace(msgspec.Struct, frozen=True):
    """
    speed:        how many times as fast as it was; 0: as fast as it is taken.
    shift_to_now: move all times so that the replay ends now, as a live sensor's would; slower than it was, that it
                  begins now. No time then lies ahead of its moment of sending.
    limit:        at most this many messages.
    """

    speed: float
    shift_to_now: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.speed < 0 or (self.limit is not None and self.limit < 1):
            raise InvalidInput("a replay's speed is 0 or more, and its limit 1 or more", where="--speed, --limit")

    def sent_after_s(self, since_first_us: int) -> float:
        """How long after the first message one is sent whose time is so much later."""
        return since_first_us / self.speed / 1e6 if self.speed else 0.0

    def shift_us(self, first_us: int, last_us: int, now_us: int) -> int:
        """By how much every time is moved."""
        if not self.shift_to_now:
            return 0
        if 0 < self.speed < 1:
            return now_us - first_us
        return now_us + round(self.sent_after_s(last_us - first_us) * 1e6) - last_us


class ReplayTotals(msgspec.Struct):
    """How a replay stands, in messages; `rejected` counts readings of the table that make none."""

    messages: int = 0
    devices: int = 0
    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    reconnections: int = 0
    rejected: int = 0


class Message(NamedTuple):
    """What one sensor says at one moment. fields: by payload field."""

    at_us: int
    sensor: str
    fields: dict[str, object]

    def payload(self, shift_us: int) -> bytes:
        """As a device writes it down."""
        return _encode({TIME_FIELD: format_rfc3339(self.at_us + shift_us), **self.fields})


class _Survey(NamedTuple):
    sensors: list[str]
    messages: int
    first_us: int
    last_us: int
    rejected: int


class Replay:
    """One replay to the MQTT listener at host and port."""

    def __init__(
        self,
        store: Store,
        database: Database,
        prepared: Prepared,
        pace: Pace,
        *,
        host: str,
        port: int,
        principal: Principal,
        clock: Callable[[], int],
    ) -> None:
        """principal: who replays, with the permission to register devices. clock: microseconds since 1970, now."""
        principal.require("device:write")
        if prepared.mapping.sensor.device is None:
            raise InvalidInput(
                "the mapping makes no devices, and a replay signs in as devices",
                where="sensor.device",
                remedy="Give the template of their ids, and a profile's name.",
            )
        self.totals = ReplayTotals()
        self._database = database
        self._prepared = prepared
        self._pace = pace
        self._host, self._port = host, port
        self._principal = principal
        self._clock = clock
        self._store = store
        self._sensors = Sensors(store, database, prepared.mapping, prepared.places, principal=principal, clock=clock)
        self._fields = [payload_field(name) for name in prepared.mapping.attributes]
        self._all_answered = asyncio.Event()
        self._is_over = False

    async def run(self) -> ReplayTotals:
        """Send everything and wait until all of it is acknowledged. Cancelled, it signs its devices off in order.

        Raises NotFound where the table has nothing to send, Unavailable where no MQTT listener answers.
        """
        survey = await asyncio.to_thread(self._look_through)
        if not survey.messages:
            raise NotFound("the table holds no reading to send", where=str(self._prepared.source.path))
        self.totals.messages, self.totals.rejected = survey.messages, survey.rejected
        devices = await self._devices(survey.sensors)
        self.totals.devices = len(devices)
        async with (
            lend_secrets(self._store, self._database, list(devices.values()), self._clock) as secrets,
            AsyncExitStack() as connections,
        ):
            clients = await self._connect(devices, secrets, connections)
            await self._send(survey, clients)
            await self._all_answered.wait()
            self._is_over = True
        return self.totals

    def _batches(self) -> Iterator[Batch]:
        return RowReader(self._prepared.mapping, self._prepared.table, unscaled=True).batches()

    def _look_through(self) -> _Survey:
        """The sensors and the span of what is to be sent."""
        sensors: dict[str, None] = {}
        times: list[Int64s] = []
        messages = rejected = 0
        for batch in self._batches():
            rejected += sum(reject.readings for reject in batch.rejects)
            order, begins = _speech(batch)
            said = order[begins] if self._pace.limit is None else order[begins][: self._pace.limit - messages]
            sensors.update((batch.sensors[index], None) for index in np.unique(batch.sensor[said]).tolist())
            messages += len(said)
            times.append(batch.at_us[said[[0, -1]]] if len(said) else said)
            if messages == self._pace.limit:
                break
        span = np.concatenate([*times, np.zeros(0, np.int64)])
        first_us, last_us = (int(span.min()), int(span.max())) if len(span) else (0, 0)
        return _Survey(list(sensors), messages, first_us, last_us, rejected)

    async def _devices(self, names: list[str]) -> dict[str, str]:
        """The device's id of every sensor that is, or becomes, a device."""
        await self._sensors.prepare()
        sensors = await self._sensors.ensure(names)
        devices = {one.name: one.device for one in sensors if one.fault is None and one.device is not None}
        missing = [name for name in names if name not in devices]
        if missing:
            raise InvalidInput(
                f"{len(missing)} sensors make no device, {missing[0]!r} among them",
                where="sensor.device",
                remedy="Give them places in the table of locations, or take them out of the table.",
            )
        return devices

    async def _connect(
        self, devices: dict[str, str], secrets: dict[str, str], connections: AsyncExitStack
    ) -> dict[str, Client]:
        """A connected client for every sensor."""
        clients: dict[str, Client] = {}
        free = asyncio.Semaphore(CONNECT_AT_ONCE)

        async def connect(name: str, device: str) -> None:
            client = Client(
                self._host,
                self._port,
                client_id=f"{CLIENT_PREFIX}{device}",
                username=device,
                password=secrets[device],
                reconnect=True,
                on_lost=self._lost,
            )
            async with free:
                clients[name] = await connections.enter_async_context(client)

        await together(*(connect(name, device) for name, device in devices.items()))
        return clients

    async def _send(self, survey: _Survey, clients: dict[str, Client]) -> None:
        pace, totals = self._pace, self.totals
        shift_us = pace.shift_us(survey.first_us, survey.last_us, self._clock())
        now_s = asyncio.get_running_loop().time
        began_s = now_s()
        batches = self._batches()
        while totals.sent < survey.messages:
            batch = await asyncio.to_thread(next, batches)
            for message in _messages(batch, self._fields)[: survey.messages - totals.sent]:
                wait_s = began_s + pace.sent_after_s(message.at_us - survey.first_us) - now_s()
                if wait_s > SHORTEST_WAIT_S:
                    await asyncio.sleep(wait_s)
                elif totals.sent % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
                client = clients[message.sensor]
                await client.room()
                client.send(TOPIC, message.payload(shift_us), self._answered)
                totals.sent += 1

    def _answered(self, reason: int) -> None:
        if reason < FIRST_FAILURE:
            self.totals.acknowledged += 1
        else:
            self.totals.refused += 1
        if self.totals.acknowledged + self.totals.refused == self.totals.messages:
            self._all_answered.set()

    def _lost(self, words: str) -> None:
        self.totals.reconnections += not self._is_over


def _speech(batch: Batch) -> tuple[Int64s, Int64s]:
    """The batch's readings in the order of time, and where in it each message begins: a row's readings of a sensor."""
    order = np.lexsort((batch.attribute, batch.sensor, batch.row, batch.at_us))
    row, sensor = batch.row[order], batch.sensor[order]
    begins = np.append(True, (row[1:] != row[:-1]) | (sensor[1:] != sensor[:-1])) if len(batch) else np.empty(0, bool)
    return order, np.flatnonzero(begins)


def _messages(batch: Batch, fields: list[str]) -> list[Message]:
    """A batch's messages in the order of time."""
    order, begins = _speech(batch)
    values, attribute = values_of(batch, order.tolist()), batch.attribute[order].tolist()
    messages = []
    for begin, end in itertools.pairwise([*begins.tolist(), len(order)]):
        said = {fields[attribute[index]]: values[index] for index in range(begin, end)}
        first = order[begin]
        messages.append(Message(int(batch.at_us[first]), batch.sensors[batch.sensor[first]], said))
    return messages
