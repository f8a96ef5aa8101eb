"""A plan's papers in a house: made when they are first asked for, in a process of their own, and kept with the plan."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

from broadstreet.jobs import MAX_ATTEMPTS
from broadstreet.model.errors import Unavailable
from broadstreet.network.scenarios.files import UNFINISHED, PlanFiles
from broadstreet.network.scenarios.handing import Order
from broadstreet.network.scenarios.planner import Following, carry_out
from broadstreet.network.scenarios.trouble import error_of

PAPERS_S: Final = 300.0
"""The longest that papers are made."""
_AGAIN: Final = "Ask for it once more; if that does not help, ask for one part of it, or give the machine more memory."


class Scribe:
    """Makes papers, one at a time. Make one a process."""

    def __init__(self, files: PlanFiles) -> None:
        self._files = files
        self._writing = asyncio.Lock()

    async def papers(self, tenant: str, order: Order) -> Path:
        """The file of an order. A process that is killed meanwhile is begun anew, MAX_ATTEMPTS times at most. Raises
        Unavailable where each was killed or time was out, and what the papers raise."""
        kept = Path(order.design) / "papers" / hashlib.sha256(msgspec.json.encode(order)).hexdigest()
        async with self._writing:
            if not await asyncio.to_thread(kept.is_file):
                await self._write(self._files.work / tenant / f"papers-{os.urandom(8).hex()}{UNFINISHED}", order, kept)
        return kept

    async def _write(self, work: Path, order: Order, kept: Path) -> None:
        part = kept.with_suffix(UNFINISHED)
        try:
            async with asyncio.timeout(PAPERS_S):
                await self._attempt(work, order)
            await asyncio.to_thread(self._files.keep, work / "out", part)
            await asyncio.to_thread((part / "papers").replace, kept)
        except TimeoutError:
            raise Unavailable(f"the papers were not made within {PAPERS_S:g} s", remedy=_AGAIN) from None
        finally:
            for folder in (work, part):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _attempt(self, work: Path, order: Order) -> None:
        async def say(following: Following) -> bool:
            return False

        for _ in range(MAX_ATTEMPTS):
            await asyncio.to_thread(self._files.lay_out, work, {})
            await asyncio.to_thread((work / "order.json").write_bytes, msgspec.json.encode(order))
            result = await carry_out(work, "papers", say)
            if result.trouble is None:
                return
            if not result.was_killed:
                raise error_of(result.trouble)
        raise Unavailable(f"the process that makes the papers was killed {MAX_ATTEMPTS} times", remedy=_AGAIN)
