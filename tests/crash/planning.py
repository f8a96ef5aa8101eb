"""A role that plans what it is asked to: a process to be killed. Arguments: dsn, data folder, folder of jobs, now."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from broadstreet.jobs import Jobs, Worker
from broadstreet.network.scenarios import KIND, Plans
from broadstreet.store import Store


async def work(dsn: str, data: str, folder: str, now_us: int) -> None:
    async with await Store.connect(dsn) as store:
        jobs = Jobs(store, Path(folder), lambda: now_us, os.urandom)
        plans = Plans(store, Path(data), lambda: now_us, jobs)
        await Worker(jobs, {KIND: plans.work}, f"role-{os.getpid()}").run()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
