"""Moves a tenant's past to files until nothing is left: a process to be killed. Arguments: dsn, folder, before."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

from broadstreet.history import mover, moving
from broadstreet.store import Store

FILE_ROWS = 2_000


async def move(dsn: str, folder: str, before_us: int) -> None:
    mover.FILE_ROWS = FILE_ROWS  # type: ignore[misc]  # small, so that there are many steps to be killed in
    async with await Store.connect(dsn, files=Path(folder)) as store:
        city = await store.tenant("city")
        print("begins", flush=True)
        async with moving(city, lambda: uuid4().hex, lambda: before_us) as mine:
            while await mine.move_some(before_us) is not None:
                pass
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(move(sys.argv[1], sys.argv[2], int(sys.argv[3])))
