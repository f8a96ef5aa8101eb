"""The process that makes a benchmark's load, as the benchmark sees it: it is told lines and tells lines of JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import msgspec

STARTED_WITHIN_S = 60.0


class Generator:
    """A load's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, module: str, **task: Any) -> Generator:
        """Start it with its task; it is connected when this returns."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        generator = cls(process)
        generator.tell(msgspec.json.encode(task))
        async with asyncio.timeout(STARTED_WITHIN_S):
            await generator.hear("ready")
        return generator

    def tell(self, line: bytes) -> None:
        """One line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")

    async def hear(self, event: str) -> dict[str, Any]:
        """Its next line, which tells this event."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise SystemExit("the generator of the load has failed")
        words: dict[str, Any] = json.loads(line)
        assert words["event"] == event, words
        return words

    def close(self) -> None:
        """It is told nothing more."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def end(self) -> None:
        """Wait for its end."""
        await self._process.wait()
