"""Makes an export as a job, slowly: a process to be killed. Arguments: dsn, folder of files, folder of exports, now."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from broadstreet.access import Access
from broadstreet.exports import KIND, Exports
from broadstreet.history import exporting
from broadstreet.jobs import Jobs, Product, Worker
from broadstreet.store import Store

PIECE_ROWS = 100


class Slow(Product):
    """A product that takes its time."""

    def write(self, data: bytes) -> None:
        """More of the file."""
        super().write(data)
        if self.bytes > len(data):
            print("writes", flush=True)
            time.sleep(0.2)


async def work(dsn: str, past: str, folder: str, now_us: int) -> None:
    exporting.PIECE_ROWS = PIECE_ROWS  # type: ignore[misc]  # small, so that there is a midst to be killed in
    async with await Store.connect(dsn, files=Path(past)) as store:
        jobs = Jobs(store, Path(folder), lambda: now_us, os.urandom)
        exports = Exports(store, Access(store.control, lambda: now_us), jobs)

        await Worker(jobs, {KIND: exports.work}, f"slow-{os.getpid()}", Slow).run()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
