"""Fuzzing: bytes that nobody foresaw, for everything that reads what strangers send.

A target reads bytes and may refuse them in the one way it says; anything else that is raised is a crash, and what takes
longer than `HANG_S` is a hang. Inputs begin as well-formed ones, are mutated, and are kept as a beginning for more when
they did something new: another refusal, another way of being read. Everything follows from the seed.
"""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

HANG_S: Final = 5.0
MAX_BYTES: Final = 4_096
MAX_CORPUS: Final = 2_000
_DIGITS = re.compile(r"[0-9]+|0x[0-9a-f]+|'.*?'|\".*?\"|b'.*?'")
_BYTES: Final = (0x00, 0x01, 0x0A, 0x20, 0x22, 0x7B, 0x7F, 0x80, 0xC0, 0xFF)


@dataclass(frozen=True)
class Target:
    """
    read:    what is tried; its answer is told by type and length.
    refuses: how it may refuse.
    seeds:   inputs that are right.
    words:   pieces that mean something to it.
    """

    name: str
    read: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Finding:
    """An input that crashed or hung a target."""

    target: str
    data: bytes
    what: str


class _Hang(BaseException):
    """Not an Exception, so that no target takes it for its own."""


@contextmanager
def _alarm(limit_s: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise _Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Fuzzer:
    """Tries one target. One at a time, in the main thread: hangs are told by a signal."""

    def __init__(self, target: Target, seed: int, hang_s: float = HANG_S) -> None:
        self._target = target
        self._chance = random.Random(f"{seed} {target.name}")
        self._hang_s = hang_s
        self._corpus = list(target.seeds)
        self._seen: set[str] = set()
        self.tried = 0

    @property
    def ways(self) -> int:
        """How many different things inputs did."""
        return len(self._seen)

    def run(self, count: int) -> Finding | None:
        """Try so many inputs; answers the first that crashes or hangs."""
        for data in self._corpus if not self.tried else ():
            if (finding := self._try(data)) is not None:
                return finding
        for _ in range(count):
            if (finding := self._try(self._mutated())) is not None:
                return finding
        return None

    def _try(self, data: bytes) -> Finding | None:
        self.tried += 1
        target = self._target
        try:
            with _alarm(self._hang_s):
                answer = target.read(data)
            did = f"{type(answer).__name__} {len(answer) if isinstance(answer, (list, tuple, dict, str)) else ''}"
        except target.refuses as refusal:
            did = f"{type(refusal).__name__} {_DIGITS.sub('', str(refusal))[:120]}"
        except _Hang:
            return Finding(target.name, data, f"it takes longer than {self._hang_s:g} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            return Finding(target.name, data, f"{type(error).__name__}: {error}")
        if did not in self._seen:
            self._seen.add(did)
            if len(self._corpus) < MAX_CORPUS:
                self._corpus.append(data)
        return None

    def _mutated(self) -> bytes:
        chance = self._chance
        data = bytearray(chance.choice(self._corpus))
        for _ in range(1 + int(chance.expovariate(0.6))):
            at = chance.randrange(len(data) + 1)
            end = min(len(data), at + 1 + int(chance.expovariate(0.15)))
            match chance.randrange(8):
                case 0 if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
                case 1:
                    data[at:at] = bytes([chance.choice(_BYTES)])
                case 2:
                    del data[at:end]
                case 3:
                    data[at:at] = data[at:end] * (1 + int(chance.expovariate(0.2)))
                case 4 if self._target.words:
                    data[at:at] = chance.choice(self._target.words)
                case 5:
                    other = chance.choice(self._corpus)
                    data[at:] = other[chance.randrange(len(other) + 1) :]
                case 6 if at < len(data):
                    data[at] = (data[at] + chance.randrange(-4, 5)) % 256
                case 7 if self._target.words:
                    data[at:end] = chance.choice(self._target.words)
        return bytes(data[:MAX_BYTES])
