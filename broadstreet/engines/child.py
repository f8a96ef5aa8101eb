"""A process of our own: on a leash, in its own session, its words in a log file.

In its own session, so that Ctrl-C in a terminal reaches the supervisor alone, which stops its children in order. On a
leash (see leash.py), so that none outlives us. Children must be started from a thread that lives as long as they
shall, in practice the main thread: the leash is tied to the thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from broadstreet.engines.user import EngineUser

MAX_LOG_BYTES = 16 * 1024 * 1024
"""A log file over this is moved aside, and the one moved aside before it goes: a log takes twice this at most."""
MAX_QUOTED_BYTES = 8_192
logger = logging.getLogger(__name__)
LEASH = Path(__file__).with_name("leash.py")
ROOT = Path(__file__).parents[2]
"""Where our own packages are."""


def trim_log(path: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
    """Copy a log that has grown too long to `….1` and empty it. Its writer, which appends, goes on undisturbed.

    Where there is no room for the copy, the log stays as it is until the next time.
    """
    aside = path.with_name(path.name + ".1")
    try:
        if path.stat().st_size > max_bytes:
            shutil.copyfile(path, aside)
            os.truncate(path, 0)
    except FileNotFoundError:
        return  # nothing was written yet
    except OSError as error:
        aside.unlink(missing_ok=True)
        logger.warning("the log %s is not moved aside: %s", path, error)


class Child:
    """One running process of ours. `spawn` makes it; `wait`, `send` and `stop` are all there is to do with it."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log_path: Path, log_start: int) -> None:
        self.name = name
        self._process = process
        self._log_path = log_path
        self._log_start = log_start

    @classmethod
    async def spawn(
        cls,
        name: str,
        argv: Sequence[str | Path],
        *,
        log_path: Path,
        death_signal: signal.Signals = signal.SIGKILL,
        user: EngineUser | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """
        Start `argv`, an absolute program path first.

        log_path:     where its output goes, appended.
        death_signal: what it gets when we die.
        user:         whom to run as; left out, ourselves.
        env:          its whole environment; left out, ours.
        """
        trim_log(log_path)
        uid, gid = (user.uid, user.gid) if user else (-1, -1)
        leash = [sys.executable, "-I", "-S", str(LEASH), *map(str, (os.getpid(), int(death_signal), uid, gid))]
        log_fd = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            log_start = os.fstat(log_fd).st_size
            process = await _exec(
                *leash, *map(str, argv), stdout=log_fd, stderr=log_fd, env=env, cwd=cwd, start_new_session=True
            )
        finally:
            os.close(log_fd)
        return cls(name, process, log_path, log_start)

    @classmethod
    async def spawn_module(
        cls,
        name: str,
        module: str,
        *words: str | Path,
        log_path: Path,
        death_signal: signal.Signals = signal.SIGKILL,
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a module of ours with these words, otherwise as `spawn` does.

        It runs the code that we run. Python looks for what `-m` names in the current folder first, where anybody may
        have a folder that is called as ours; `-P` leaves that out.
        """
        given = dict(os.environ if env is None else env)
        if sys.path[:1] == [str(ROOT)]:  # what we found beside our own program, it finds there, too
            given["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), given.get("PYTHONPATH"))))
        argv = [sys.executable, "-P", "-m", module, *words]
        return await cls.spawn(name, argv, log_path=log_path, death_signal=death_signal, env=given)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal), or None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait until it ends; how it ended."""
        return await self._process.wait()

    def send(self, sent: signal.Signals) -> None:
        """Send it a signal; nothing happens if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(sent)

    async def stop(self, *steps: tuple[signal.Signals, float]) -> None:
        """End it: each step is a signal and how many seconds it may take; after the last comes SIGKILL."""
        for sent, grace_s in steps:
            if self.exit_code is not None:
                return
            self.send(sent)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self.wait()
        if self.exit_code is None:
            self.send(signal.SIGKILL)
            await self.wait()

    def words(self) -> str:
        """What it has written since it was started, the end of it if it is long."""
        with contextlib.suppress(FileNotFoundError), self._log_path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start if self._log_start <= size else 0, size - MAX_QUOTED_BYTES))
            return log.read().decode("utf-8", "replace").strip()
        return ""


async def _exec(*argv: str, **how: Any) -> asyncio.subprocess.Process:
    """Start a process; if we are cancelled meanwhile, none is left."""
    starting = asyncio.ensure_future(asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.DEVNULL, **how))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        process = await starting
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
