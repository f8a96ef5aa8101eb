"""A test that hangs is told of, with the line that waits, and a run that does not end is ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import psutil
import pytest

from tests.hangs import Hangs, waits_at
from tools.suite import end


async def ends_never() -> None:
    await asyncio.get_running_loop().create_future()


async def fixture_that_ends_never() -> AsyncIterator[int]:
    await ends_never()
    yield 1


async def steps(generator: AsyncIterator[int]) -> None:
    await anext(generator)


@pytest.mark.parametrize("held", ["ends_never", "fixture_that_ends_never"])
async def test_the_lines_a_task_waits_at_lead_into_coroutines_and_generators(held: str) -> None:
    task = asyncio.create_task(ends_never() if held == "ends_never" else steps(fixture_that_ends_never()))
    await asyncio.sleep(0)
    lines = list(waits_at(task))
    task.cancel()
    assert any(line.endswith(f" in {held}") for line in lines), lines
    assert lines[-1].endswith(" in ends_never"), lines


async def test_what_takes_too_long_is_told_with_its_tasks_and_threads() -> None:
    read, write = os.pipe()
    hangs = Hangs(write)
    hangs.loop = asyncio.get_running_loop()
    waiting = asyncio.create_task(ends_never())
    with hangs.told_after(0.01, "tests/unit/test_x.py::test_y"):
        told = await asyncio.to_thread(os.read, read, 65536)
        while b"Thread" not in told:
            told += await asyncio.to_thread(os.read, read, 65536)
    waiting.cancel()
    assert b"tests/unit/test_x.py::test_y hangs" in told
    assert b"in ends_never" in told


def test_what_is_over_in_time_is_not_told_of() -> None:
    read, write = os.pipe()
    with Hangs(write).told_after(60, "test"):
        pass
    os.close(write)
    assert os.read(read, 1) == b""
    os.close(read)


def test_a_run_that_does_not_end_is_ended_and_says_where_it_stood(capfd: pytest.CaptureFixture[str]) -> None:
    waits = "import faulthandler, time; faulthandler.enable(); print('here', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", waits], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert end(psutil.Process(process.pid)) == 1
        assert not psutil.pid_exists(process.pid)
    out, err = capfd.readouterr()
    assert "have not ended" in out
    assert "most recent call first" in err
