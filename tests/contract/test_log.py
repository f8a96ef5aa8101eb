"""The log on a real NATS: what is acknowledged stays, what is full refuses, what is read is in order."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from broadstreet.log import DeadLetter, DeadReason, Log, Pack, StreamLimits, decode_pack
from broadstreet.model.errors import EngineFailed, LogFull
from tests.hushed import leaves_when_told


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with await Log.connect(nats_url) as connected:
        await connected.ensure_streams(StreamLimits())
        yield connected


def pack(partition: int = 0, *, tenant: str = "city", size: int = 10) -> Pack:
    return Pack(os.urandom(16), tenant, partition, "g", [1, 2], [1, 2], ["readings"] * 2, [b"x" * size] * 2)


async def read_all(log: Log, tenant: str, partition: int, after: int = 0) -> list[int]:
    async with log.read_raw(tenant, partition, after) as reader:
        found: list[int] = []
        while batch := await reader.fetch(3, 0.3):
            found += [message.sequence for message in batch]
        return found


async def test_a_partition_reads_its_own_packs_in_order(log: Log) -> None:
    sent = [pack(n % 2) for n in range(10)]
    positions = [await log.append_raw(p) for p in sent]
    assert await read_all(log, "city", 0) == [p.sequence for p in positions[::2]]
    assert await read_all(log, "city", 1, after=positions[3].sequence) == [p.sequence for p in positions[5::2]]
    async with log.read_raw("city", 0, 0) as reader:
        assert [decode_pack(m.data) for m in await reader.fetch(100, 1)] == sent[::2]


async def test_a_pack_is_read_when_it_comes_whatever_was_asked_for_before(log: Log) -> None:
    """A reader that waited in vain has asked for many; the next pack is not kept back until there are as many."""
    async with asyncio.timeout(30), log.read_raw("city", 0, 0) as reader:
        for _ in range(3):
            assert await reader.fetch(1_000, 0.05) == []
            reading = asyncio.create_task(reader.fetch(1_000, 60))
            await asyncio.sleep(0.05)
            position = await log.append_raw(pack())
            assert [message.sequence for message in await reading] == [position.sequence]
            behind = [(await log.append_raw(pack())).sequence for _ in range(5)]
            found: list[int] = []
            while len(found) < len(behind):
                found += [message.sequence for message in await reader.fetch(2, 60)]
            assert found == behind


async def test_a_reader_whose_consumer_is_gone_says_so(log: Log) -> None:
    jetstream = log.client.jetstream()
    async with log.read_raw("city", 0, 0) as reader:
        assert await reader.fetch(1, 0.05) == []
        [consumer] = await jetstream.consumers_info("RAW")
        await jetstream.delete_consumer("RAW", consumer.name)
        with pytest.raises(EngineFailed, match="does not answer"):
            async with asyncio.timeout(30):
                while True:
                    await reader.fetch(1, 1)


async def test_a_reader_that_missed_something_says_so(log: Log) -> None:
    for _ in range(3):
        await log.append_raw(pack())
    async with log.read_raw("city", 0, 0) as reader:
        assert len(await reader.fetch(1, 1)) == 1
        # As a connection that is cut takes what was on its way: the consumer hands it out, and it does not arrive.
        lost = await log.client.subscribe(log.client.new_inbox())
        await log.client.publish(reader._subject, b'{"batch": 1}', reply=lost.subject)
        assert (await lost.next_msg(5)).data
        with pytest.raises(EngineFailed, match="lost on the way"):
            await reader.fetch(1, 1)
    assert await read_all(log, "city", 0, after=1) == [2, 3]


async def test_a_repeated_pack_keeps_its_place(log: Log) -> None:
    one = pack()
    assert await log.append_raw(one) == await log.append_raw(one)
    assert len(await read_all(log, "city", 0)) == 1


async def test_a_full_log_refuses_and_keeps_what_it_acknowledged(log: Log) -> None:
    await log.ensure_streams(StreamLimits(raw_bytes=1_000_000))
    kept: list[int] = []
    with pytest.raises(LogFull):
        while len(kept) < 100:
            kept += [(await log.append_raw(pack(size=10_000))).sequence]
    assert len(kept) > 10
    assert await read_all(log, "city", 0) == kept
    await log.trim_raw("city", 0, kept[-1])
    assert await read_all(log, "city", 0) == kept[-1:]
    await log.append_raw(pack(size=10_000))


async def test_trimming_leaves_other_partitions(log: Log) -> None:
    positions = [await log.append_raw(pack(n % 2)) for n in range(6)]
    await log.trim_raw("city", 0, positions[-1].sequence)
    assert await read_all(log, "city", 1) == [p.sequence for p in positions[1::2]]


async def test_a_recreated_stream_has_another_incarnation(log: Log) -> None:
    first = (await log.append_raw(pack())).stream
    await log.client.jetstream().delete_stream("RAW")
    await asyncio.sleep(0.01)
    await log.ensure_streams(StreamLimits())
    assert await log.raw_incarnation() != first


async def test_without_streams_a_publish_fails_clearly(nats_url: str) -> None:
    async with await Log.connect(nats_url) as log:
        with pytest.raises(EngineFailed, match="raw"):
            await log.append_raw(pack())


async def test_who_ends_while_connecting_leaves_no_connection() -> None:
    await leaves_when_told(Log.connect)


async def test_dead_letters_are_listed_newest_first_and_once(log: Log) -> None:
    def letter(entry: int, tenant: str = "city") -> DeadLetter:
        return DeadLetter(
            entry, tenant, "d", 1, DeadReason.FUTURE, "in 2999", "readings", b"{}", entry, b"p" * 16, entry
        )

    for entry in (1, 2, 3, 3):
        await log.publish_dead(letter(entry))
    await log.publish_dead(letter(9, "other"))
    assert [dead.entry for dead in await log.dead_letters("city", 2)] == [3, 2]
    assert await log.dead_letters("other") == [letter(9, "other")]
    assert (await log.count_dead("city"), await log.count_dead("other"), await log.count_dead("none")) == (3, 1, 0)


async def test_the_newest_retained_message_of_a_topic_stays(log: Log) -> None:
    topics = {"devices/a/state": b"2", "devices/b.c:ä/*>": b"x"}
    await log.retain("city", "devices/a/state", b"1")
    for topic, payload in topics.items():
        await log.retain("city", topic, payload)
    await log.retain("other", "devices/z", b"z")
    assert await log.retained("city") == topics
    await log.retain("city", "devices/a/state", b"")
    assert list(await log.retained("city")) == ["devices/b.c:ä/*>"]


async def test_messages_to_devices_reach_a_listener(log: Log) -> None:
    async with log.messages_out() as messages:
        await log.publish_out("city", "a:1.b", "devices/a:1.b/commands/x", b"\x00on\x00")
        message = await anext(messages)
        assert (message.tenant, message.topic, message.payload) == ("city", "devices/a:1.b/commands/x", b"\x00on\x00")
        await message.done()
    await log.publish_out("city", "a:1.b", "devices/a:1.b/commands/y", b"off")
    async with log.messages_out() as messages, log.messages_out() as others:
        waiting = [asyncio.ensure_future(anext(one)) for one in (messages, others)]
        done, left = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [(await one).payload for one in done] == [b"off"], "what was sent while nobody asked, for one of them"
        assert len(left) == 1
        for one in left:
            one.cancel()
