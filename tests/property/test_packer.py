"""The packer against a log that fails as logs do: nothing is settled as safe that is not kept, once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import count, pairwise
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.gateway import Counters, Packer
from broadstreet.gateway.bounds import HELD_BYTES_HIGH, TARGET_PACK_MESSAGES
from broadstreet.log import MAX_PACK_BYTES, MAX_PACK_MESSAGES, Pack, Position, encode_pack
from broadstreet.model.errors import DiskFull, EngineFailed, LogFull, TooLarge

PARTITIONS = 3
NOW_US = 1_767_225_600_000_000

# What a publish comes to: it is kept; it is kept and the answer is lost; it is lost; there is no room.
KEPT, ANSWER_LOST, LOST, FULL = range(4)


class FaultyLog:
    """Keeps packs by id, as JetStream does within its window, and fails as it is told; then it works."""

    def __init__(self, outcomes: list[int]) -> None:
        self._outcomes = iter(outcomes)
        self.packs: dict[bytes, Pack] = {}
        self.attempts = 0
        self.tried = asyncio.Event()

    async def append_raw(self, pack: Pack) -> Position:
        self.attempts += 1
        self.tried.set()
        assert len(encode_pack(pack)) <= 2 * MAX_PACK_BYTES
        await asyncio.sleep(0)
        outcome = next(self._outcomes, KEPT)
        if pack.id in self.packs:
            assert self.packs[pack.id].payload == pack.payload, "one id, one pack"
            outcome = KEPT
        if outcome == FULL:
            raise LogFull
        if outcome != LOST:
            self.packs[pack.id] = pack
        if outcome in (LOST, ANSWER_LOST):
            raise EngineFailed("no answer came")
        return Position("RAW@test", len(self.packs))


class Bench:
    """A packer, its log, and a clock that stands still unless it is moved, even backwards."""

    def __init__(self, outcomes: list[int]) -> None:
        self.log = FaultyLog(outcomes)
        self.counters = Counters()
        self.now_us = NOW_US
        self.pressure: list[bool] = []
        ids = count(1)
        self.packer = Packer(
            self.log,
            gateway="test",
            partitions=PARTITIONS,
            counters=self.counters,
            clock=lambda: self.now_us,
            random_bytes=lambda length: next(ids).to_bytes(length),
            on_pressure=self.pressure.append,
        )


def run(work: Coroutine[Any, Any, None]) -> None:
    uvloop.run(work)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once; that they come later in life changes nothing of what must hold."""
    monkeypatch.setattr("broadstreet.gateway.packer.RETRY_FIRST_S", 0.0)
    monkeypatch.setattr("broadstreet.gateway.packer.RETRY_LONGEST_S", 0.0)
    monkeypatch.setattr("broadstreet.gateway.packer.FULL_FOR_S", 0.0)


additions = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 40), st.integers(-5, 5), st.booleans()), min_size=1, max_size=30
)
"""(device, how many messages, how the clock moves, whether a moment passes before the next)."""


@given(additions=additions, outcomes=st.lists(st.sampled_from([KEPT, ANSWER_LOST, LOST, FULL]), max_size=40))
@settings(max_examples=150, deadline=None)
def test_what_is_settled_as_safe_is_kept_once_and_in_order(
    additions: list[tuple[int, int, int, bool]], outcomes: list[int]
) -> None:
    async def converse() -> None:
        bench = Bench(outcomes)
        numbers = count()
        sent: dict[int, list[tuple[bytes, int]]] = {}
        settlements = []
        for device, how_many, step_us, pause in additions:
            bench.now_us += step_us
            payloads = [b"%d" % next(numbers) for _ in range(how_many)]
            source = bench.packer.source("city", device)
            settlement = bench.packer.add(source, "readings", payloads, sum(map(len, payloads)))
            settlements.append(settlement)
            sent.setdefault(device, []).extend((payload, len(settlements) - 1) for payload in payloads)
            if pause:
                await asyncio.sleep(0)
        await bench.packer.flush(30)
        assert all(settlement.is_settled for settlement in settlements)
        assert bench.counters.held_bytes == 0
        kept: dict[int, list[tuple[int, bytes]]] = {}
        for pack in bench.log.packs.values():
            for device, at_us, payload in zip(pack.device, pack.received_us, pack.payload, strict=True):
                assert pack.partition == device % PARTITIONS
                kept.setdefault(device, []).append((at_us, payload))
        for device, messages in sent.items():
            safe = [payload for payload, index in messages if settlements[index].refusal is None]
            stored = sorted(kept.get(device, []))
            assert all(before[0] < after[0] for before, after in pairwise(stored)), "receive times are unique"
            assert [payload for _, payload in stored if payload in set(safe)] == safe
            refused = [settlements[index].refusal for _, index in messages]
            assert all(one is None or isinstance(one, LogFull) for one in refused)
        total = sum(how_many for _, how_many, _, _ in additions)
        assert bench.counters.kept + bench.counters.refused == bench.counters.messages == total

    run(converse())


def test_a_pack_is_tried_under_one_id_until_it_is_kept() -> None:
    async def converse() -> None:
        bench = Bench([LOST, ANSWER_LOST, LOST, LOST])
        settlement = bench.packer.add(bench.packer.source("city", 1), "readings", [b"x"], 1)
        await settlement.settled()
        assert settlement.refusal is None
        assert len(bench.log.packs) == 1
        assert bench.log.attempts == 3, "the third finds that the second was kept"

    run(converse())


def test_a_pack_that_may_be_kept_is_not_refused_by_us() -> None:
    async def converse() -> None:
        bench = Bench([ANSWER_LOST])
        settlement = bench.packer.add(bench.packer.source("city", 1), "readings", [b"x"], 1)
        await bench.log.tried.wait()
        bench.packer.refuse(DiskFull())
        await settlement.settled()
        assert settlement.refusal is None
        late = bench.packer.add(bench.packer.source("city", 1), "readings", [b"y"], 1)
        await late.settled()
        assert isinstance(late.refusal, DiskFull)
        assert bench.log.attempts == 2

    run(converse())


def test_messages_of_one_moment_share_a_pack_and_a_large_pack_goes_at_once() -> None:
    async def converse() -> None:
        bench = Bench([])
        source = bench.packer.source("city", 1)
        for _ in range(10):
            bench.packer.add(source, "readings", [b"x"], 1)
        other = bench.packer.add(bench.packer.source("city", 1 + PARTITIONS), "status", [b"y"], 1)
        await other.settled()
        assert [len(pack) for pack in bench.log.packs.values()] == [11]
        many = [b"z"] * TARGET_PACK_MESSAGES
        settlements = [bench.packer.add(source, "readings", many, len(many)) for _ in range(3)]
        for settlement in settlements:
            await settlement.settled()
        assert [len(pack) for pack in bench.log.packs.values()] == [11, *([TARGET_PACK_MESSAGES] * 3)]

    run(converse())


def test_pressure_is_said_once_and_taken_back_once() -> None:
    async def converse() -> None:
        bench = Bench([LOST] * 20)
        source = bench.packer.source("city", 1)
        payload = b"x" * 1_000_000
        for _ in range(HELD_BYTES_HIGH // len(payload) + 5):
            bench.packer.add(source, "readings", [payload], len(payload))
        assert bench.pressure == [True]
        await bench.packer.flush(30)
        assert bench.pressure == [True, False]

    run(converse())


def test_more_than_a_pack_holds_is_refused_as_a_whole() -> None:
    async def converse() -> None:
        packer = Bench([]).packer
        source = packer.source("city", 1)
        with pytest.raises(TooLarge):
            packer.add(source, "readings", [b"x"] * (MAX_PACK_MESSAGES + 1), MAX_PACK_MESSAGES + 1)
        with pytest.raises(TooLarge):
            packer.add(source, "readings", [b"x" * MAX_PACK_BYTES], MAX_PACK_BYTES)

    run(converse())
