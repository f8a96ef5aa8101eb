"""Children and their keepers: started on a leash, ended for sure, started again when they die."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from broadstreet.app import Settings
from broadstreet.app.house import House
from broadstreet.engines import Child, Keeper, check_disk, look_at_disk, together
from broadstreet.engines.child import ROOT, trim_log
from broadstreet.model.errors import DiskFull, EngineFailed

PATIENCE_S = 30.0
SLEEP = "import time; print('awake', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


async def until(happened: Callable[[], bool]) -> None:
    """Wait for what must happen; how long it takes is not asserted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if happened():
                return
            await asyncio.sleep(0.01)


async def python(program: str, log_path: Path) -> Child:
    """A child that runs a Python program."""
    return await Child.spawn("python", [sys.executable, "-c", program], log_path=log_path)


async def end(child: Child) -> None:
    await child.stop((signal.SIGTERM, 10.0))


def mine(log_path: Path) -> list[psutil.Process]:
    """Our children that write to this log."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if log_path.exists() and Path(f"/proc/{process.pid}/fd/2").samefile(log_path):
                found.append(process)
        except OSError:
            continue
    return found


async def test_a_child_is_heard_and_ended(tmp_path: Path) -> None:
    child = await python(SLEEP, tmp_path / "log")
    await until(lambda: child.words() == "awake")
    await end(child)
    assert child.exit_code == -signal.SIGTERM
    child.send(signal.SIGTERM)


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    child = await python(STUBBORN, tmp_path / "log")
    await until(lambda: child.words() == "awake")
    await child.stop((signal.SIGTERM, 0.05))
    assert child.exit_code == -signal.SIGKILL


async def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    child = await Child.spawn("nothing", [tmp_path / "nothing"], log_path=tmp_path / "log")
    assert await child.wait() != 0
    assert f"cannot run {tmp_path / 'nothing'}" in child.words()


@pytest.mark.parametrize("module", ["broadstreet.app.role", "broadstreet.network.scenarios", "simulator"])
async def test_a_folder_called_as_we_are_is_not_run(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("broadstreet", "simulator"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('another runs')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])  # as where we are started beside our own code
    child = await Child.spawn_module("own", module, "--help", log_path=tmp_path / "words")
    await child.wait()
    assert "another runs" not in child.words()
    await end(child)


async def test_a_start_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    before = psutil.Process().children()
    for turns in range(20):
        starting = asyncio.create_task(python(SLEEP, tmp_path / "log"))
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await end(await starting)
        assert psutil.Process().children() == before, f"cancelled after {turns} turns of the loop"


async def test_a_keeper_starts_again_what_dies(tmp_path: Path) -> None:
    log_path = tmp_path / "log"
    changes: list[int | None] = []
    refusals = iter([False, True, True, False])

    async def start() -> Child:
        if next(refusals, False):
            raise EngineFailed("not now")
        return await python(SLEEP, log_path)

    keeper = Keeper("sleeper", start, end, log_path)
    keeper.on_change = lambda: changes.append(keeper.pid)
    await keeper.start()
    try:
        first = keeper.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: keeper.restarts == 1)
        await keeper.ready()
        second = keeper.pid
        assert second not in (None, first)
    finally:
        await keeper.stop()
    assert changes == [first, None, second]
    assert keeper.pid is None
    assert not mine(log_path)


async def test_a_first_start_that_fails_is_told(tmp_path: Path) -> None:
    async def start() -> Child:
        raise EngineFailed("never")

    keeper = Keeper("none", start, end, tmp_path / "log")
    with pytest.raises(EngineFailed, match="never"):
        await keeper.start()
    await keeper.stop()


async def test_together_gives_up_the_others() -> None:
    ended = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def wrong() -> None:
        await asyncio.sleep(0)
        raise EngineFailed("wrong")

    with pytest.raises(EngineFailed, match="wrong"):
        await together(long(), wrong())
    assert ended.is_set()


def test_a_log_does_not_grow_without_end(tmp_path: Path) -> None:
    log_path = tmp_path / "log"
    trim_log(log_path)
    with log_path.open("ab") as log:
        log.write(b"x" * 100)
        log.flush()
        trim_log(log_path, 100)
        assert log_path.stat().st_size == 100
        trim_log(log_path, 99)
        assert log_path.stat().st_size == 0
        assert (tmp_path / "log.1").stat().st_size == 100
        log.write(b"y")
    assert log_path.read_bytes() == b"y", "its writer goes on at the beginning"


def test_a_disk_near_its_end_is_refused(tmp_path: Path) -> None:
    disk = look_at_disk(tmp_path, 1)
    assert disk.free_bytes > 1
    check_disk(tmp_path, 1)
    with pytest.raises(DiskFull, match="nothing was accepted") as caught:
        check_disk(tmp_path, disk.free_bytes * 100)
    assert caught.value.status == 507


def test_a_log_is_left_whole_where_there_is_no_room_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever looks after a process must not end for want of room."""
    log_path = tmp_path / "a.log"
    log_path.write_bytes(b"x" * 100)

    def cut_off(source: Path, target: Path) -> None:
        target.write_bytes(b"x" * 10)
        raise OSError(errno.ENOSPC, "no space left on the device")

    monkeypatch.setattr("broadstreet.engines.child.shutil.copyfile", cut_off)
    trim_log(log_path, 99)
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]
    assert log_path.stat().st_size == 100
    assert "no space left" in caplog.text


def test_a_house_goes_on_that_cannot_write_down_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on the device")

    monkeypatch.setattr("broadstreet.app.house.write_status", full)
    house = House(Settings(data_dir=str(tmp_path)))
    house._complete = True
    house._tell()
    assert "no space left" in caplog.text
