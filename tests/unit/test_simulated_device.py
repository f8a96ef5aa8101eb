"""A simulated device as a machine: its file, its memory, its side of the wire."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator import Device, Fleet, FleetFileWrong, Scene, read_fleet, write_fleet
from simulator.__main__ import main
from simulator.client import MEMORY, Client, Tally
from simulator.clock import HOUR_US
from simulator.live import CityTime
from simulator.wire import MAX_PACKET_BYTES, PacketReader, WireFault, connect_bytes, publish_bytes

SCENE = Scene(seed=1, lon=24.944295, lat=60.171634, time_zone="Europe/Helsinki")
FOUNDED_US = 1_773_655_200_000_000
"""2026-03-16T10:00:00Z."""


LIGHT = Device(
    id="light-0001",
    title="Street light, Aleksanterinkatu",
    profile="street-light",
    lon=24.9516,
    lat=60.169,
    street="Aleksanterinkatu",
    bearing_deg=87.0,
    silences=((FOUNDED_US - HOUR_US, FOUNDED_US),),
    secret="a secret",
)


def test_a_fleet_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    fleet = Fleet(scene=SCENE, founded_us=FOUNDED_US, devices=(LIGHT,))
    write_fleet(path, fleet)
    write_fleet(path, fleet)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_fleet(path) == fleet


def test_what_is_no_fleet_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    with pytest.raises(FleetFileWrong, match="cannot be read"):
        read_fleet(path)
    path.write_text("{}")
    with pytest.raises(FleetFileWrong, match="not a fleet's file"):
        read_fleet(path)
    assert main(["--credentials", str(path)]) == 1


def test_packets_come_in_any_pieces() -> None:
    stream = b"\x20\x02\x00\x00" + b"\x40\x02\x00\x07" + b"\xd0\x00" + b"\x40\x02\xff\xff"
    for size in range(1, len(stream) + 1):
        reader, packets = PacketReader(), []
        for start in range(0, len(stream), size):
            packets += reader.feed(stream[start : start + size])
        assert [(packet.kind, packet.body) for packet in packets] == [
            (2, b"\0\0"),
            (4, b"\0\7"),
            (13, b""),
            (4, b"\xff\xff"),
        ]


@pytest.mark.parametrize("data", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f"])
def test_a_packet_no_device_expects_ends_it(data: bytes) -> None:
    with pytest.raises(WireFault):
        PacketReader().feed(data)
    assert MAX_PACKET_BYTES < 0x0FFFFFFF


def test_what_a_device_sends_is_mqtt() -> None:
    """By the bytes of the standard: OASIS MQTT 3.1.1, sections 3.1 and 3.3."""
    assert connect_bytes("a", "b", "c", 60) == b"\x10\x13\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01a\x00\x01b\x00\x01c"
    assert publish_bytes("readings", 7, b"{}") == b"\x32\x0e\x00\x08readings\x00\x07{}"
    long = publish_bytes("readings", 1, b"x" * 300)
    assert long[1:3] == b"\xb8\x02"
    assert len(long) == 3 + 312


class Hands:
    """A clock that somebody turns."""

    def __init__(self) -> None:
        self.at_us = FOUNDED_US

    def __call__(self) -> int:
        return self.at_us


def test_a_city_that_begins_in_the_past_catches_up_and_keeps_step() -> None:
    hands = Hands()
    city_time = CityTime(hands, FOUNDED_US - HOUR_US, 60)
    assert city_time.now_us() == FOUNDED_US - HOUR_US
    assert not city_time.in_step
    hands.at_us += HOUR_US // 120
    assert city_time.now_us() == FOUNDED_US - HOUR_US // 2
    hands.at_us += HOUR_US
    assert city_time.now_us() == hands.at_us, "never ahead of the real clock"
    assert city_time.in_step


async def test_a_device_remembers_so_much_and_loses_it_with_its_power() -> None:
    tally = Tally()
    client = Client("a-1", "secret", "127.0.0.1", 1, tally, powered=True)
    for number in range(MEMORY + 10):
        client.say(b"%d" % number)
    assert (client.pending, tally.forgotten) == (MEMORY, 10)
    client.cut_off()
    assert (client.pending, tally.forgotten) == (0, MEMORY + 10)


async def test_a_device_says_again_what_was_not_acknowledged(free_port: Callable[[], int]) -> None:
    """Nobody answers at first; then somebody takes the readings without a word, and leaves; then acknowledges them."""
    port, tally, heard = free_port(), Tally(), list[list[bytes]]()
    client = Client("a-1", "secret", "127.0.0.1", port, tally, powered=True)
    client.say(b"first")
    client.say(b"second")
    life = asyncio.create_task(client.live(asyncio.Semaphore(1)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(connect_bytes("a-1", "a-1", "secret", 60)))
        writer.write(b"\x20\x02\x00\x00")
        heard.append([await reader.readexactly(len(publish_bytes("readings", 1, b"first")))])
        heard[-1].append(await reader.readexactly(len(publish_bytes("readings", 2, b"second"))))
        if len(heard) > 1:
            writer.write(b"\x40\x02\x00\x01\x40\x02\x00\x02")
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        for _ in range(600):
            if tally.acknowledged < 2:
                await asyncio.sleep(0.05)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
    said = [publish_bytes("readings", 1, b"first"), publish_bytes("readings", 2, b"second")]
    assert heard == [said, said]
    assert client.pending == 0
