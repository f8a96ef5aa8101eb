"""Work that is to end whatever comes does, and whoever was cancelled meanwhile is cancelled then."""

from __future__ import annotations

import asyncio

import pytest

from broadstreet.log.ending import end, to_the_end


async def test_work_ends_however_often_it_is_cancelled() -> None:
    ended = list[str]()

    async def work() -> None:
        await asyncio.sleep(0.2)
        ended.append("work")

    async def whole() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await to_the_end(work())

    task = asyncio.create_task(whole())
    await asyncio.sleep(0)
    await end([task])
    assert ended == ["work"] and task.cancelled()


async def test_what_work_gives_or_raises_is_handed_on() -> None:
    async def seven() -> int:
        return 7

    async def refused() -> int:
        raise ValueError("no")

    assert await to_the_end(seven()) == 7
    with pytest.raises(ValueError, match="no"):
        await to_the_end(refused())


async def test_a_cancellation_meanwhile_is_told_afterwards() -> None:
    going = asyncio.Event()

    async def work() -> None:
        await going.wait()

    task = asyncio.create_task(to_the_end(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    going.set()
    with pytest.raises(asyncio.CancelledError):
        await task
