"""One connection to the log: append, read, trim.

A publish that timed out may have happened: repeat it with the same id. A reader of RAW has no state in NATS; where it
continues is its own cursor, kept in PostgreSQL with what it applied.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Self

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy, StreamInfo

from broadstreet.engines.waiting import lose_no_cancellation
from broadstreet.log.dead import DeadLetter, decode_dead, encode_dead
from broadstreet.log.pack import Pack, encode_pack
from broadstreet.log.reader import RawReader, consumer_of, reading
from broadstreet.log.streams import CHANGES, DEAD, OUT, RAW, RETAINED, StreamLimits, stream_configs
from broadstreet.model.clock import to_us
from broadstreet.model.errors import Conflict, EngineFailed, LogFull

PUBLISH_TIMEOUT_S = 5.0
RECONNECT_WAIT_S = 0.2
MAX_PENDING_BYTES = 64 * 1024 * 1024
HOLD, HOLD_SUBJECT = "hold", "raw.-.hold"
"""The consumer that holds RAW, and a subject that no tenant has."""
HOLD_OUTLIVES_S = 10.0
"""How long a hold outlives a maker that was killed."""
INCARNATION = "broadstreet-incarnation"
"""What a stream that was put back from a backup says it was: its sequences are those of then."""
OUT_GROUP, OUT_SUBJECT = "gateways", "deliver.out"
OUT_CONSUMER = ConsumerConfig(
    durable_name=OUT_GROUP,
    deliver_subject=OUT_SUBJECT,
    deliver_group=OUT_GROUP,
    deliver_policy=DeliverPolicy.NEW,
    ack_policy=AckPolicy.EXPLICIT,
    ack_wait=10.0,
)
"""Messages to devices are for the gateways together; one that was killed with some has 10 s to say they are done."""
_FULL = {10047, 10077, 10122}
"""JetStream's error codes for: no storage left, the stream's bytes exceeded, the account's storage exceeded."""

lose_no_cancellation()

_logger = logging.getLogger(__name__)


class Position(NamedTuple):
    """Where something stands in the log."""

    stream: str
    """The stream's incarnation: its name and when it was created. A recreated stream counts from 1 again."""
    sequence: int


class OutMessage:
    """A message to a device's topic. sequence: its place in OUT. sent_us: when it came there, since 1970."""

    def __init__(self, message: Msg) -> None:
        self._message = message
        found = message.metadata
        topic, _, self.payload = message.data.partition(b"\x00")
        self.tenant = message.subject.split(".")[1]
        self.topic = topic.decode()
        self.sequence = found.sequence.stream
        self.sent_us = to_us(found.timestamp)

    async def done(self) -> None:
        """It has been handed to whoever subscribes."""
        with suppress(nats.errors.Error):
            await self._message.ack()


class Log:
    """A connection to NATS JetStream. Make one with `Log.connect`."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._stream: JetStreamContext = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        self._incarnation: str | None = None

    @classmethod
    async def connect(cls, url: str, *, name: str = "broadstreet") -> Self:
        """Connect, and stay so: after a loss the connection comes back by itself. Raises EngineFailed."""

        async def lost(error: Exception) -> None:
            _logger.warning("log connection: %s", error)

        client, is_up = Client(), False
        try:
            await client.connect(
                url,
                name=name,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RECONNECT_WAIT_S,  # type: ignore[arg-type]  # which may be a part of a second
                ping_interval=10,
                pending_size=MAX_PENDING_BYTES,
                error_cb=lost,
                allow_reconnect=True,
            )
            is_up = True
        except (OSError, nats.errors.Error, TimeoutError) as error:
            raise EngineFailed(
                f"NATS does not answer: {error}", remedy="Check its address and that it runs."
            ) from error
        finally:
            if not is_up:  # whoever is told to end while it connects leaves no connection behind
                await client.close()
        return cls(client)

    async def close(self) -> None:
        """Close the connection."""
        await self.client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ensure_streams(self, limits: StreamLimits) -> None:
        """Create the streams, or bring their limits up to date. Raises EngineFailed."""
        for config in stream_configs(limits):
            try:
                try:
                    await self._stream.add_stream(config)
                except nats.js.errors.BadRequestError:
                    there = await self._stream.stream_info(str(config.name))
                    config.metadata = there.config.metadata
                    await self._stream.update_stream(config)
            except (nats.errors.Error, nats.js.errors.Error) as error:
                raise EngineFailed(f"the stream {config.name} cannot be made: {error}") from error

    async def stream_info(self, stream: str) -> StreamInfo:
        """JetStream's facts about a stream. Raises EngineFailed."""
        try:
            return await self._stream.stream_info(stream)
        except (nats.errors.Error, nats.js.errors.Error) as error:
            raise EngineFailed(f"the stream {stream} does not answer: {error}") from error

    async def raw_incarnation(self) -> str:
        """The incarnation of RAW, asked anew: when it was made, or what it was called when a backup was made of it."""
        info = await self.stream_info(RAW)
        if kept := (info.config.metadata or {}).get(INCARNATION):
            self._incarnation = kept
            return kept
        if info.created is None:
            raise EngineFailed(
                "the stream RAW does not say when it was created", remedy="Use nats-server 2.10 or newer."
            )
        self._incarnation = f"{RAW}@{info.created.isoformat()}"
        return self._incarnation

    async def _publish(self, subject: str, body: bytes, message_id: str | None) -> int:
        headers = None if message_id is None else {"Nats-Msg-Id": message_id}
        try:
            acknowledgement = await self._stream.publish(subject, body, timeout=PUBLISH_TIMEOUT_S, headers=headers)
        except nats.js.errors.APIError as error:
            if error.err_code in _FULL:
                raise LogFull from error
            raise EngineFailed(f"the log refuses {subject}: {error}") from error
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
            raise EngineFailed(f"the log does not answer: {error!r}", where=subject) from error
        return acknowledgement.seq

    async def append_raw(self, pack: Pack) -> Position:
        """Append a pack; when this returns, it is on disk.

        Raises LogFull (nothing was kept), or EngineFailed (it may have been: repeat with the same id).
        """
        sequence = await self._publish(f"raw.{pack.tenant}.{pack.partition}", encode_pack(pack), pack.id.hex())
        return Position(self._incarnation or await self.raw_incarnation(), sequence)

    @asynccontextmanager
    async def read_raw(self, tenant: str, partition: int, after: int) -> AsyncIterator[RawReader]:
        """Read one partition from behind a sequence. Leave and enter again after an error."""
        async with reading(self.client, self._stream, RAW, f"raw.{tenant}.{partition}", after) as reader:
            yield reader

    @asynccontextmanager
    async def _pull(
        self, stream: str, subject: str, after: int | None
    ) -> AsyncIterator[JetStreamContext.PullSubscription]:
        """A pull consumer without state of its own, from behind a sequence; None: the last message of each subject."""
        try:
            subscription = await self._stream.pull_subscribe(subject, stream=stream, config=consumer_of(after))
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            raise EngineFailed(f"the log does not answer: {error!r}", where=subject) from error
        try:
            yield subscription
        finally:
            with suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):
                await subscription.unsubscribe()

    async def count_raw(self, tenant: str, partition: int, after: int) -> int:
        """How many packs of a partition stand behind a sequence. Raises EngineFailed."""
        async with self._pull(RAW, f"raw.{tenant}.{partition}", after) as subscription:
            try:
                return (await subscription.consumer_info()).num_pending or 0
            except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
                raise EngineFailed(f"the log does not answer: {error!r}") from error

    async def trim_raw(self, tenant: str, partition: int, below: int) -> None:
        """Drop packs of a partition with a sequence lower than `below`: only what every recorder has committed.

        Nothing is dropped while the log is held, see `raw_held`.
        """
        try:
            if await self._hold() is not None:
                return
            await self._stream.purge_stream(RAW, seq=below, subject=f"raw.{tenant}.{partition}")
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error

    async def _hold(self) -> ConsumerInfo | None:
        try:
            found: ConsumerInfo = await self._stream.consumer_info(RAW, HOLD)
        except nats.js.errors.NotFoundError:
            return None
        return found

    @asynccontextmanager
    async def raw_held(self) -> AsyncIterator[None]:
        """
        Keep RAW whole for as long as the block takes: a backup copies first what was applied, then what was not.

        The hold is a consumer of nothing, which the server removes by itself when its maker is gone.
        Raises Conflict where the log is held already, EngineFailed where the hold was lost.
        """
        inbox = self.client.new_inbox()
        listening = await self.client.subscribe(inbox)
        config = ConsumerConfig(
            name=HOLD,
            deliver_subject=inbox,
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.NONE,
            filter_subject=HOLD_SUBJECT,
            inactive_threshold=HOLD_OUTLIVES_S,
            mem_storage=True,
        )
        try:
            if await self._hold() is not None:
                raise Conflict("another backup of this house is being made", remedy="Wait for it to end.")
            made = await self._stream.add_consumer(RAW, config)
            try:
                yield
                found = await self._hold()
                if found is None or found.created != made.created:
                    raise EngineFailed("the log was not held until the end", remedy="Make the backup again.")
            finally:
                with suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):
                    await self._stream.delete_consumer(RAW, HOLD)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error
        finally:
            with suppress(nats.errors.Error):
                await listening.unsubscribe()

    async def publish_changes(self, tenant: str, body: bytes, message_id: str) -> None:
        """Publish a packed ChangeBatch. Raises LogFull or EngineFailed."""
        await self._publish(f"changes.{tenant}", body, message_id)

    @asynccontextmanager
    async def changes(self, tenant: str, after: int) -> AsyncIterator[RawReader]:
        """Read a tenant's changes from behind a sequence, for a consumer that keeps its place."""
        async with reading(self.client, self._stream, CHANGES, f"changes.{tenant}", after) as reader:
            yield reader

    async def changes_end(self) -> Position:
        """The last record of changes that stands there now, of any tenant. Raises EngineFailed."""
        info = await self.stream_info(CHANGES)
        made = info.created.isoformat() if info.created is not None else ""
        return Position(f"{CHANGES}@{made}", info.state.last_seq)

    @asynccontextmanager
    async def live_changes(self, tenant: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A tenant's changes from now on, for a view that may miss some when it is slow or cut off."""
        async with self.listen(f"changes.{tenant}") as messages:
            yield (message.data async for message in messages)

    async def publish_dead(self, letter: DeadLetter) -> None:
        """Keep a dead letter. Raises LogFull or EngineFailed."""
        await self._publish(f"dead.{letter.tenant}", encode_dead(letter), f"{letter.pack.hex()}:{letter.entry}")

    async def dead_letters(self, tenant: str, limit: int = 100) -> list[DeadLetter]:
        """A tenant's newest dead letters, newest first: at most `limit`, among the last 10 × limit of all tenants."""
        info = await self.stream_info(DEAD)
        if info.state.messages == 0:
            return []
        after = max(info.state.first_seq - 1, info.state.last_seq - 10 * limit)
        async with self._pull(DEAD, f"dead.{tenant}", after) as subscription:
            messages = await _drain(subscription)
        letters = {(letter.pack, letter.entry): letter for letter in (decode_dead(m.data) for m in messages)}
        return list(letters.values())[: -limit - 1 : -1]

    async def count_dead(self, tenant: str) -> int:
        """How many dead letters a tenant has."""
        try:
            info = await self._stream.stream_info(DEAD, subjects_filter=f"dead.{tenant}")
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error
        return (info.state.subjects or {}).get(f"dead.{tenant}", 0)

    async def publish_out(self, tenant: str, device: str, topic: str, payload: bytes) -> None:
        """A message to a device's topic, to be delivered by whichever gateway it is connected to."""
        await self._publish(f"{OUT.lower()}.{tenant}.{device.encode().hex()}", topic.encode() + b"\x00" + payload, None)

    @asynccontextmanager
    async def messages_out(self) -> AsyncIterator[AsyncIterator[OutMessage]]:
        """
        Messages to devices: each to one of those who ask, and again, to whoever asks, until it is said to be done.

        What was sent while nobody asked comes to who asks next. Raises EngineFailed.
        """
        try:
            await self._stream.add_consumer(OUT, OUT_CONSUMER)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error
        async with self.listen(OUT_SUBJECT, OUT_GROUP) as messages:
            yield (OutMessage(message) async for message in messages)

    async def retain(self, tenant: str, topic: str, payload: bytes) -> int:
        """
        Keep an MQTT topic's retained message; answers its sequence. Raises LogFull or EngineFailed.

        An empty payload says that there is none any more, so that whoever follows hears of it: see `forget_retained`.
        """
        if not payload:
            await self.forget_retained(tenant, topic)  # so that there is room to say so
        return await self._publish(_retained_subject(tenant, topic), payload, None)

    async def forget_retained(self, tenant: str, topic: str, below: int | None = None) -> None:
        """Drop what is kept of a topic, up to before a sequence. Raises EngineFailed."""
        try:
            await self._stream.purge_stream(RETAINED, seq=below, subject=_retained_subject(tenant, topic))
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            raise EngineFailed(f"the log does not answer: {error!r}") from error

    @asynccontextmanager
    async def follow_retained(self) -> AsyncIterator[RawReader]:
        """Every topic's retained message, and then each new one; `retained_place` says whose it is."""
        async with reading(self.client, self._stream, RETAINED, "retained.*.*", None) as reader:
            yield reader

    async def retained(self, tenant: str) -> dict[str, bytes]:
        """All retained messages of a tenant, by topic."""
        async with self._pull(RETAINED, f"retained.{tenant}.*", None) as subscription:
            messages = await _drain(subscription)
        return {retained_place(m.subject)[1]: m.data for m in messages if m.data}

    async def announce(self, subject: str, body: bytes) -> None:
        """Say something to whoever listens now, such as `metrics.gateway.<name>`; it is not kept."""
        with suppress(nats.errors.Error):
            await self.client.publish(subject, body)

    @asynccontextmanager
    async def listen(self, subject: str, group: str = "") -> AsyncIterator[AsyncIterator[Msg]]:
        """Messages of a subject from now on; nothing that was said before. group: of whom each is for one."""
        subscription = await self.client.subscribe(subject, group, pending_bytes_limit=MAX_PENDING_BYTES)
        try:
            yield subscription.messages
        finally:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()


def _retained_subject(tenant: str, topic: str) -> str:
    return f"retained.{tenant}.{topic.encode().hex()}"


def retained_place(subject: str) -> tuple[str, str]:
    """The tenant and the topic of a retained message."""
    _, tenant, topic = subject.split(".")
    return tenant, bytes.fromhex(topic).decode()


async def _drain(subscription: JetStreamContext.PullSubscription) -> list[Msg]:
    """All that a consumer has waiting."""
    messages: list[Msg] = []
    try:
        while (await subscription.consumer_info()).num_pending:
            messages += await subscription.fetch(1000, timeout=PUBLISH_TIMEOUT_S)
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
        raise EngineFailed(f"the log does not answer: {error!r}") from error
    return messages
