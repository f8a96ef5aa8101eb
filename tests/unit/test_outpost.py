"""The parts of a device of one's own: memory, clock, hands, source, pauses, and who it is told to be."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.app.device import DeviceWish, credential_of, parse_house, simulated
from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.model.errors import Conflict, InvalidInput, NotFound
from broadstreet.outpost import Actuator, DeviceClock, Lines, Memory, Sensor
from broadstreet.outpost.actuator import DONE, LAMP
from broadstreet.outpost.link import Pauses
from broadstreet.outpost.memory import Known

NOW_US = 1_772_366_400_000_000
WEEK_US = 7 * 86_400 * US_PER_S


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path / "device", 5) as opened:
        yield opened


def own() -> int:
    """A clock that stands."""
    return NOW_US


def payloads(memory: Memory) -> list[Any]:
    return [json.loads(one.payload) for one in memory.oldest(1_000)]


def test_one_process_has_a_memory(memory: Memory, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="in use"):
        Memory(tmp_path / "device", 5)


def test_a_file_of_something_else_is_no_memory(tmp_path: Path) -> None:
    (tmp_path / "memory.sqlite").write_text("a shopping list, " * 100)
    with pytest.raises(InvalidInput):
        Memory(tmp_path, 5)


def test_beyond_its_bound_the_oldest_gives_way(memory: Memory) -> None:
    assert memory.put([b"1", b"2", b"3", b"4"], {}) == 0
    assert memory.put([b"5", b"6"], {}) == 1
    assert payloads(memory) == [2, 3, 4, 5, 6]
    assert not memory.has_room.is_set()


def test_what_is_settled_is_gone_and_what_is_refused_is_kept_aside(memory: Memory) -> None:
    memory.put([b"1", b"2", b"3"], {})
    first, second, third = memory.oldest(3)
    memory.settle([first.n, third.n], {second.n: "no such field"})
    assert (memory.waiting, memory.refused) == (0, 1)
    assert memory.is_told.is_set()


def test_a_clock_never_says_a_moment_twice_not_even_after_a_restart(memory: Memory) -> None:
    clock = DeviceClock(memory, own)
    stamps = [clock.stamp_us(), clock.stamp_us()]
    memory.put([b"1"], clock.facts)
    stamps.append(DeviceClock(memory, lambda: own() - US_PER_S).stamp_us())
    assert stamps == [NOW_US, NOW_US + 1, NOW_US + 2]


def test_a_clock_is_set_right_where_it_is_off_and_left_alone_where_it_is_not(memory: Memory) -> None:
    clock = DeviceClock(memory, own)
    clock.hear(NOW_US + US_PER_S)
    assert clock.offset_us == 0
    clock.hear(NOW_US + WEEK_US)
    assert clock.now_us() == NOW_US + WEEK_US
    assert DeviceClock(memory, own).offset_us == WEEK_US
    clock.stamp_us()
    clock.hear(NOW_US)  # the week was a mistake: it does not stay in the future for that
    assert clock.stamp_us() == NOW_US


def known(name: str = "set-level", body: Any = None, expires_us: int = NOW_US + US_PER_S) -> Known:
    return Known("c1", name, {"level": 0.5} if body is None else body, expires_us)


def test_a_command_that_is_offered_again_is_answered_and_not_executed_again(memory: Memory) -> None:
    actuator = Actuator(memory, DeviceClock(memory, own))
    memory.take_command(known())
    assert actuator.run_due() == 1
    ((command, answer),) = memory.untold(10)
    memory.told(command, answer)
    assert not memory.untold(10)
    memory.take_command(known(body={"level": 0.9}))
    assert actuator.run_due() == 0
    assert memory.untold(10) == [(command, answer)]
    assert (memory.fact("level"), memory.fact(DONE)) == (0.5, 1)


def test_a_command_whose_time_is_over_is_not_executed(memory: Memory) -> None:
    memory.take_command(known(expires_us=NOW_US - 1))
    Actuator(memory, DeviceClock(memory, own)).run_due()
    assert json.loads(memory.untold(1)[0][1])["state"] == "rejected"
    assert memory.fact("level") is None


def test_an_execution_that_is_cut_off_has_not_happened(memory: Memory) -> None:
    def cut_off(inner: Memory, _: Any) -> None:
        inner.set_fact("level", 0.5)
        raise KeyboardInterrupt

    memory.take_command(known("dim"))
    with pytest.raises(KeyboardInterrupt):
        Actuator(memory, DeviceClock(memory, own), {"dim": cut_off}).run_due()
    assert memory.fact("level") is None
    assert memory.next_command() is not None


def test_commands_are_forgotten_a_day_after_their_end(memory: Memory) -> None:
    memory.take_command(known())
    Actuator(memory, DeviceClock(memory, own)).run_due()
    memory.told(*memory.untold(1)[0])
    memory.take_command(Known("c2", "identify", None, NOW_US + WEEK_US))
    Actuator(memory, DeviceClock(memory, lambda: NOW_US + 2 * 86_400 * US_PER_S), LAMP).run_due()
    memory.take_command(known())
    assert memory.next_command() is not None  # it was forgotten, and is over by now


async def fed(memory: Memory, path: Path, **options: Any) -> list[Any]:
    await Lines.of_file(path, "ts", **options).feed(memory, DeviceClock(memory, own))
    found = payloads(memory)
    memory.settle([one.n for one in memory.oldest(1_000)], {})
    return found


async def test_a_table_becomes_readings(memory: Memory, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text('ts,no2,data.t,open,word\n2026-03-01T12:00:00Z,31.5,7,true,"a, b"\n,2,,,\n\n')
    assert await fed(memory, table) == [
        {"ts": "2026-03-01T12:00:00Z", "no2": 31.5, "data": {"t": 7}, "open": True, "word": "a, b"},
        {"no2": 2, "ts": format_rfc3339(NOW_US)},
    ]
    with table.open("a") as file:
        file.write("2026-03-01T12:01:00Z,nan,1e999,no,\n")
    assert await fed(memory, table) == [
        {"ts": "2026-03-01T12:01:00Z", "no2": "nan", "data": {"t": "1e999"}, "open": "no"}
    ]
    assert await fed(memory, table) == []


async def test_a_line_that_is_no_reading_is_left_out(memory: Memory, tmp_path: Path) -> None:
    lines = tmp_path / "a.ndjson"
    lines.write_bytes(
        b'{"ts": 1, "no2": 1}\n{"ts": 2, \n[3]\n\xff\n{"ts": 4, "x": "' + b"y" * 70_000 + b'"}\n{"ts": 5}\n'
    )
    assert await fed(memory, lines) == [{"ts": 1, "no2": 1}, {"ts": 5}]
    assert memory.fact("source.skipped") == 4


@pytest.mark.parametrize("text", ["a,a.b\n1,2\n", "\xff\xfe"])
async def test_a_table_that_cannot_be_read_is_refused(memory: Memory, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidInput):
        await fed(memory, tmp_path / "a.csv")


async def test_another_file_of_the_same_name_is_refused(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text('{"ts": 1}\n{"ts": 2}\n')
    await fed(memory, tmp_path / "a.ndjson")
    (tmp_path / "a.ndjson").write_text('{"ts": 1}\n')
    with pytest.raises(InvalidInput, match="were read"):
        await fed(memory, tmp_path / "a.ndjson")
    with pytest.raises(NotFound):
        await fed(memory, tmp_path / "b.ndjson")


async def test_what_comes_by_a_pipe_is_kept_as_it_comes(memory: Memory) -> None:
    reading, writing = os.pipe()
    feeding = asyncio.create_task(Lines(os.fdopen(reading, "rb"), "ts").feed(memory, DeviceClock(memory, own)))
    for number in (1, 2):
        memory.to_send.clear()
        os.write(writing, b'{"ts": %d}\n' % number)
        await memory.to_send.wait()
        assert memory.waiting == number
    os.close(writing)
    await feeding


async def test_a_file_waits_for_room(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text("".join(f'{{"ts": {n}}}\n' for n in range(7)))
    with Memory(tmp_path / "device", 3) as memory:
        feeding = asyncio.create_task(Lines.of_file(tmp_path / "a.ndjson", "ts").feed(memory, DeviceClock(memory, own)))
        seen: list[Any] = []
        while len(seen) < 7:
            await memory.to_send.wait()
            memory.to_send.clear()
            assert memory.waiting <= 3
            seen += payloads(memory)
            memory.settle([one.n for one in memory.oldest(10)], {})
        await feeding
    assert [one["ts"] for one in seen] == list(range(7))


async def test_a_sensor_goes_by_a_new_interval_at_once(memory: Memory) -> None:
    feeding = asyncio.create_task(
        Sensor(lambda at_us: {"at": at_us}, 3_600, "ts", 2).feed(memory, DeviceClock(memory, own))
    )
    await memory.to_send.wait()
    memory.set_fact("every_s", 0.0)
    await feeding
    assert [one["at"] for one in payloads(memory)] == [NOW_US, NOW_US + 1]


def test_pauses_grow_to_a_bound_and_begin_anew() -> None:
    pauses = Pauses(1, 8, lambda: 0.5)
    assert [pauses.next_s() for _ in range(5)] == [1, 2, 4, 8, 8]
    assert pauses.next_s(30) == 38
    pauses.begin_anew()
    assert pauses.next_s() == 1


def test_the_address_of_a_qr_code_says_who_it_is_and_the_folder_knows_it_from_then_on(tmp_path: Path) -> None:
    url = "mqtt://aq-9:a%2Fb@house.example:1884/readings"
    first = credential_of(DeviceWish(tmp_path, url), parse_house(url))
    assert (first.id, first.secret) == ("aq-9", "a/b")
    plain = "mqtts://house.example"
    assert credential_of(DeviceWish(tmp_path, plain), parse_house(plain)) == first
    assert (tmp_path / "credential.json").stat().st_mode & 0o077 == 0
    with pytest.raises(InvalidInput, match="folder is that of"):
        credential_of(DeviceWish(tmp_path, plain, device="aq-8"), parse_house(plain))
    with pytest.raises(NotFound, match="no credential"):
        credential_of(DeviceWish(tmp_path / "new", plain), parse_house(plain))


@pytest.mark.parametrize("url", ["house.example", "ftp://house", "mqtt://", "mqtt://h:port", "http://h:0"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        parse_house(url)


def test_a_simulated_sensor_says_the_same_of_the_same_moment() -> None:
    sense = simulated("air-quality", "aq-1")
    assert sense(NOW_US) == sense(NOW_US)
    assert set(sense(NOW_US)) == {"no2", "pm10", "pm25"}
