"""The living city: every device a client of its own, saying what it senses when its turn comes.

Turns are slots of the interval, the devices spread over them; what a slot's devices say is worked out at once. City
time runs from a start at a speed and never passes the real clock, so that a city that begins in the past catches up and
then keeps step.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np

from simulator.client import MEMORY, Client, Tally
from simulator.fleet import Device, Fault, Fleet
from simulator.noise import US_PER_S
from simulator.readings import Readings, simulate

SLOTS: Final = 20
"""Into how many turns an interval is cut."""
_DOOR: Final = 50
"""How many devices connect at the same time."""
_CROWDED: Final = MEMORY // 2
_IN_STEP_US: Final = US_PER_S
_CROWD_PAUSE_S: Final = 0.05
_ROUNDS_S: Final = 10.0
"""How often idle connections are looked after."""
_REPORT_EVERY: Final = 6
"""After how many rounds the tally is logged."""

_log = logging.getLogger("simulator")
_encode = msgspec.json.Encoder().encode

Clock = Callable[[], int]
"""Gives microseconds since 1970."""


@dataclass(slots=True)
class CityTime:
    """The city's clock: from a start, at a speed, never ahead of the real one."""

    clock: Clock
    start_us: int
    speed: float
    _began_us: int = field(init=False)

    def __post_init__(self) -> None:
        self._began_us = self.clock()

    def now_us(self) -> int:
        """What it shows."""
        real_us = self.clock()
        return min(self.start_us + round((real_us - self._began_us) * self.speed), real_us)

    @property
    def in_step(self) -> bool:
        """Whether it shows what the real clock shows."""
        return self.now_us() >= self.clock() - _IN_STEP_US

    async def reach(self, at_us: int) -> None:
        """Wait until it shows a time."""
        while True:
            ahead_us = at_us - self.now_us()
            if ahead_us <= 0:
                return
            await asyncio.sleep(min(ahead_us / US_PER_S / self.speed, 1.0))


class LiveCity:
    """A fleet on the air, until it is told to stop."""

    def __init__(self, fleet: Fleet, host: str, port: int, *, interval_s: float, time: CityTime) -> None:
        self._scene = fleet.scene
        self._time = time
        self._slot_us = max(round(interval_s * US_PER_S / SLOTS), 1)
        self.tally = Tally()
        self._clients: dict[str, Client] = {}
        self._turns: list[list[Device]] = [[] for _ in range(SLOTS)]
        for number, device in enumerate(fleet.devices):
            if device.fault is Fault.DEAD:
                continue
            sound = device.fault is Fault.NONE
            secret = device.secret if device.fault is not Fault.WRONG_SECRET else device.secret[::-1]
            self._clients[device.id] = Client(device.id, secret, host, port, self.tally, powered=not sound)
            if sound:
                self._turns[number % SLOTS].append(device)

    async def run(self, stop: asyncio.Event) -> None:
        """Live until `stop` is set; then every device takes its leave."""
        door = asyncio.Semaphore(_DOOR)
        tasks = [asyncio.create_task(client.live(door)) for client in self._clients.values()]
        tasks += [asyncio.create_task(self._speak()), asyncio.create_task(self._go_round())]
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()  # no task of ours ends by itself but by an error
        finally:
            for task in [*tasks, stopped]:
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)

    async def _speak(self) -> None:
        """Slot after slot, let those speak whose turn it is."""
        slot = self._time.now_us() // self._slot_us + 1
        in_step = False
        while True:
            await self._time.reach(slot * self._slot_us)
            behind = self._time.now_us() // self._slot_us - slot
            in_step = in_step or (behind == 0 and self._time.in_step)
            if not in_step:
                await self._not_crowded()
            elif behind > 2 * SLOTS:  # this machine slept, and so did the devices
                slot += behind
            at_us = np.array([slot * self._slot_us], np.int64)
            for readings in simulate(self._scene, self._turns[slot % SLOTS], at_us):
                self._hand_out(readings)
            slot += 1
            await asyncio.sleep(0)

    async def _not_crowded(self) -> None:
        """A city that catches up waits for the house to follow."""
        while True:
            if all(client.pending < _CROWDED for client in self._clients.values()):
                return
            await asyncio.sleep(_CROWD_PAUSE_S)

    def _hand_out(self, readings: Readings) -> None:
        """Give each device what it says at the one moment of these readings."""
        for device, payload, off, said in zip(
            readings.devices, payloads(readings, 0), readings.silent[:, 0], readings.said[:, 0], strict=True
        ):
            client = self._clients[device.id]
            if said:
                client.say(payload)
            elif off:
                client.cut_off()

    async def _go_round(self) -> None:
        """Look after idle connections, and log now and then how the city is."""
        rounds = 0
        while True:
            await asyncio.sleep(_ROUNDS_S)
            for client in self._clients.values():
                client.ping_if_idle()
            rounds += 1
            if rounds % _REPORT_EVERY == 0:
                pending = sum(client.pending for client in self._clients.values())
                _log.info("%s pending %d", self.tally, pending)


def payloads(readings: Readings, moment: int) -> Sequence[bytes]:
    """What each device sends at one of the moments, as JSON; whole numbers without a point."""
    at_ms = int(readings.times_us[moment]) // 1000
    stamp = f"{np.datetime64(at_ms, 'ms')}Z"
    columns = {name: values[:, moment].tolist() for name, values in readings.fields.items()}
    names = list(columns)
    return [
        _encode({"ts": stamp, **dict(zip(names, map(_plain, row), strict=True))})
        for row in zip(*columns.values(), strict=True)
    ]


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


async def run_until_signalled(city: LiveCity) -> None:
    """Let a city live until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await city.run(stop)
    _log.info("stopped: %s", city.tally)
