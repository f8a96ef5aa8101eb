"""What processes cost while a benchmark runs: processor time by part, and the most memory they held together."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

import psutil

SAMPLE_EVERY_S = 1.0
OTHERS = "others"
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


class Usage:
    """Watches groups of processes, each named and given by the process ids at its head; children count with them."""

    def __init__(self, heads: dict[str, list[int]]) -> None:
        self._heads = heads
        self._before = self._cpu_s()
        self._machine_before_s = _machine_busy_s()
        self._sampling = asyncio.create_task(self._sample())
        self._memory_bytes: list[int] = []

    @property
    def memory_bytes_max(self) -> int:
        """The most they held together."""
        return max(self._memory_bytes, default=0)

    def memory_bytes_along(self) -> list[int]:
        """What they held a tenth of the way, half of the way and at the end: whether it grows."""
        held = self._memory_bytes
        return [held[len(held) // 10], held[len(held) // 2], held[-1]] if held else []

    async def stop(self, seconds: float) -> dict[str, float]:
        """End the watch; answers how many processors each group, and the rest of the machine (OTHERS), kept busy."""
        self._sampling.cancel()
        with suppress(asyncio.CancelledError):
            await self._sampling
        after = self._cpu_s()
        shares = {name: (after[name] - self._before[name]) / seconds for name in self._heads}
        busy = (_machine_busy_s() - self._machine_before_s) / seconds
        shares[OTHERS] = max(0.0, busy - sum(shares.values()))
        return {name: round(share, 2) for name, share in shares.items()}

    def _processes(self, name: str) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for pid in self._heads[name]:
            with suppress(*GONE):
                head = psutil.Process(pid)
                found += [head, *(head.children(recursive=True) if pid != os.getpid() else [])]
        return found

    def _cpu_s(self) -> dict[str, float]:
        """Processor time so far, that of ended children included."""
        used: dict[str, float] = {}
        for name in self._heads:
            used[name] = 0.0
            for process in self._processes(name):
                with suppress(*GONE):
                    times = process.cpu_times()
                    used[name] += times.user + times.system
                    if process.pid in self._heads[name]:
                        used[name] += times.children_user + times.children_system
        return used

    async def _sample(self) -> None:
        """The memory of all groups but our own; what processes share is counted once (PSS)."""
        while True:
            total = 0
            for name in self._heads:
                for process in self._processes(name):
                    with suppress(*GONE):
                        total += process.memory_full_info().pss if process.pid != os.getpid() else 0
            self._memory_bytes.append(total)
            await asyncio.sleep(SAMPLE_EVERY_S)


def _machine_busy_s() -> float:
    """Processor time of the whole machine that was not idle."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice + times.irq + times.softirq + times.steal)


def limit(shares: dict[str, float], lag_s: float) -> str:
    """What limits a figure, in words."""
    cores = os.cpu_count() or 1
    busy = sum(shares.values())
    own = {name: share for name, share in shares.items() if name != OTHERS}
    largest = max(own, key=lambda name: own[name])
    if busy > 0.9 * cores:
        words = f"the processors: {busy:.2f} of {cores} are busy, {largest} with {own[largest]:.2f}"
    elif own[largest] > 0.9:
        words = f"one process: {largest} keeps {own[largest]:.2f} of a processor busy"
    else:
        words = f"waiting: {busy:.2f} of {cores} processors are busy, {largest} with {own[largest]:.2f}"
    if shares[OTHERS] > 0.1:
        words += f"; what else runs on this machine takes {shares[OTHERS]:.2f}"
    return words + (f"; the recorder was {lag_s:.1f} s behind at the end" if lag_s > 1 else "")
