"""Whatever bytes come, what reads them refuses in its own way, or takes them: no crash, no hang."""

from __future__ import annotations

import time

import pytest

from tests.property.fuzz_targets import TARGETS
from tests.property.fuzzing import Fuzzer, Target

TRIES = 4_000
SEED = 1854


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_bytes_crash_or_hang_it(target: Target) -> None:
    fuzzer = Fuzzer(target, SEED)
    finding = fuzzer.run(TRIES)
    assert finding is None, f"{finding.what}: {finding.data.hex()}"
    assert fuzzer.ways >= 2


def test_a_crash_is_found_with_its_bytes() -> None:
    def read(data: bytes) -> object:
        if data[:1] == b"[":
            raise KeyError(data)
        return data

    finding = Fuzzer(Target("fragile", read, (ValueError,), (b"abc",), (b"[",)), SEED).run(5_000)
    assert finding is not None and finding.data[:1] == b"[" and "KeyError" in finding.what


def test_a_hang_is_found() -> None:
    finding = Fuzzer(Target("slow", lambda data: time.sleep(10), (), (b"abc",)), SEED, hang_s=0.05).run(1)
    assert finding is not None and "longer than" in finding.what
