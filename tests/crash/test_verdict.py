"""The verdict bites: what is missing, wrong or doubled is found, and what is in order is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from broadstreet.log import Log, Pack, StreamLimits
from broadstreet.recorder import Recorder
from broadstreet.store import Store
from tests.crash.load import Device, Message
from tests.crash.trial import HISTORY_MS, register
from tests.crash.verdict import (
    CHANGES,
    COMMANDS,
    TENANT,
    Changes,
    Findings,
    Ledger,
    Obedience,
    Tally,
    Verdict,
    judge,
    judge_changes,
    judge_commands,
    judge_once,
)


@dataclass
class Bench:
    """A prepared house without processes: packs go in by hand, a recorder applies them when it is judged."""

    store: Store
    log: Log
    devices: list[Device]
    packs: int = 0

    async def append(self, device: Device, messages: Sequence[Message], pack_id: bytes | None = None) -> bytes:
        """Put messages into RAW, as a gateway does; the pack's id."""
        self.packs += 1
        database = await self.store.tenant(TENANT)
        key = int(await database.fetchval("SELECT key FROM device WHERE id = $1", device.id))
        chosen = pack_id or self.packs.to_bytes(16, "big")
        first_us = (device.begins_ms + HISTORY_MS) * 1000 + self.packs * 1000
        received_us = [first_us + n for n in range(len(messages))]
        columns = ([key] * len(messages), received_us, ["readings"] * len(messages), [m.payload for m in messages])
        await self.log.append_raw(Pack(chosen, TENANT, 0, "bench", *columns))
        return chosen

    async def judge(self) -> Verdict:
        """Apply everything, then judge."""
        recording = asyncio.create_task(Recorder(self.log, self.store, range(1)).run())
        try:
            return await judge(self.log, self.store, self.devices, 1)
        finally:
            recording.cancel()
            await asyncio.gather(recording, return_exceptions=True)


@pytest.fixture
async def bench(city_dsn: str, nats_url: str) -> AsyncIterator[Bench]:
    devices = await register(city_dsn)
    async with await Store.connect(city_dsn) as store, await Log.connect(nats_url) as log:
        await log.ensure_streams(StreamLimits())
        yield Bench(store, log, [devices[0], devices[2]])


@pytest.fixture
async def timed(bench: Bench) -> Device:
    return next(device for device in bench.devices if device.timed)


@pytest.fixture
async def untimed(bench: Bench) -> Device:
    return next(device for device in bench.devices if not device.timed)


def send(device: Device, count: int) -> list[Message]:
    """Messages sent once and acknowledged."""
    messages = [device.next_message() for _ in range(count)]
    for message in messages:
        message.sent = 1
    device.acknowledged += messages
    return messages


async def test_what_is_in_order_is_not_blamed(bench: Bench, timed: Device, untimed: Device) -> None:
    pack_id = await bench.append(timed, send(timed, 9))
    await bench.append(untimed, repeated := send(untimed, 9))
    await bench.append(timed, timed.acknowledged, pack_id)
    await bench.append(timed, timed.acknowledged[3:])
    for message in repeated:
        message.sent = 2
    await bench.append(untimed, repeated)
    verdict = await bench.judge()
    assert verdict.words == ()
    assert (verdict.acknowledged, verdict.lost, verdict.duplicated) == (18, 0, 0)


async def test_what_is_missing_is_lost(bench: Bench, timed: Device, untimed: Device) -> None:
    await bench.append(timed, send(timed, 3))
    await bench.append(untimed, send(untimed, 3))
    send(timed, 2)
    send(untimed, 1)
    assert (await bench.judge()).lost == 3


async def test_what_has_another_value_is_lost(bench: Bench, timed: Device) -> None:
    messages = send(timed, 3)
    await bench.append(timed, messages)
    messages[1].value += 1
    assert (await bench.judge()).lost == 1


async def test_what_is_there_more_often_than_it_was_sent_is_a_duplicate(bench: Bench, untimed: Device) -> None:
    messages = send(untimed, 3)
    await bench.append(untimed, messages)
    await bench.append(untimed, messages[:2])
    verdict = await bench.judge()
    assert (verdict.lost, verdict.duplicated) == (0, 2)


async def test_a_correction_nobody_sent_is_a_duplicate(bench: Bench, timed: Device) -> None:
    messages = send(timed, 3)
    await bench.append(timed, [Message(0.0, messages[0].at_ms)])
    assert (await bench.judge()).lost == 3
    await bench.append(timed, messages)
    verdict = await bench.judge()
    assert verdict.lost == 0
    assert verdict.duplicated >= 1


def said_once(*values: float) -> Changes:
    """Each value of series 1 was said once, as its next version."""
    by_value = {(1, value): {(b"pack", entry)} for entry, value in enumerate(values)}
    by_version = {(1, version): (version, value) for version, value in enumerate(values, 1)}
    return Changes(Counter(), Counter(), by_value, by_version, 0, [])


@pytest.mark.parametrize(
    ("stored", "changes", "tally"),
    [
        ({1.5: 1, 2.5: 1}, said_once(1.5, 2.5), Tally(2, 0, 0)),
        ({1.5: 1, 2.5: 1, 3.5: 1}, said_once(1.5, 2.5, 3.5), Tally(2, 0, 0)),
        ({1.5: 1}, said_once(1.5, 2.5), Tally(2, 1, 0)),
        ({1.5: 1, 2.5: 1}, said_once(1.5), Tally(2, 1, 0)),
        ({1.5: 2, 2.5: 1}, said_once(1.5, 2.5), Tally(2, 0, 1)),
        ({1.5: 1, 2.5: 1, 3.5: 2}, said_once(1.5, 2.5, 3.5), Tally(2, 0, 1)),
    ],
    ids=["in order", "one more was not acknowledged", "not stored", "not said", "twice", "twice, not acknowledged"],
)
def test_what_has_an_id_counts_once(stored: dict[float, int], changes: Changes, tally: Tally) -> None:
    findings = Findings()
    places = Counter({(1, value): times for value, times in stored.items()})
    judge_once(findings, Ledger("QoS 2", "d", [1.5, 2.5], [1.5, 2.5, 3.5]), 1, places, changes)
    assert findings.tallies["QoS 2"] == tally


def test_each_version_is_said_with_one_thing() -> None:
    findings = Findings()
    judge_changes(findings, {1: 2}, said_once(1.5, 2.5))
    assert findings.tallies[CHANGES] == Tally(2, 0, 0)
    judge_changes(findings, {1: 3}, said_once(1.5, 2.5))
    assert findings.tallies[CHANGES] == Tally(5, 1, 0)
    judge_changes(findings, {1: 1}, said_once(1.5, 2.5))
    assert findings.tallies[CHANGES] == Tally(6, 1, 1)
    contradicted = said_once(1.5)
    contradicted.contradicted.append((1, 1))
    judge_changes(findings, {1: 1}, contradicted)
    assert findings.tallies[CHANGES] == Tally(7, 1, 2)


def test_a_command_is_there_once_and_answered_as_it_was_executed() -> None:
    def tally(rows: list[tuple[str, int, str, int]], done: dict[str, tuple[int, int]]) -> Tally:
        findings = Findings()
        given = [
            {"id": one, "device": "d", "body": {"n": n}, "state": state, "result": {"place": place}}
            for one, n, state, place in rows
        ]
        judge_commands(findings, Obedience({1: ("a", "d")}, {"d": done}), given)
        return findings.tallies[COMMANDS]

    assert tally([("a", 1, "acknowledged", 0)], {"a": (0, 1)}) == Tally(1, 0, 0)
    assert tally([("a", 1, "acknowledged", 0), ("b", 2, "queued", 0)], {"a": (0, 1)}) == Tally(1, 0, 0)
    assert tally([], {}) == Tally(1, 1, 0)
    assert tally([("a", 1, "expired", 0)], {"a": (0, 1)}) == Tally(1, 1, 0)
    assert tally([("a", 1, "acknowledged", 1)], {"a": (0, 1)}) == Tally(1, 0, 1)
    assert tally([("a", 1, "acknowledged", 0), ("b", 1, "queued", 0)], {"a": (0, 1)}) == Tally(1, 0, 1)
    assert tally([("a", 1, "acknowledged", 0)], {"a": (0, 1), "c": (1, 1)}) == Tally(1, 0, 1)
