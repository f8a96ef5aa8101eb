"""Who is told to end does not go on because what it waited for has just come."""

from __future__ import annotations

import asyncio

import pytest

import broadstreet.engines  # noqa: F401  # which mends `asyncio.wait_for` for the NATS client
from broadstreet.engines.waiting import wait_for


async def test_a_cancellation_in_the_moment_of_the_answer_is_not_lost() -> None:
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(asyncio.wait_for(answer, 60))
    await asyncio.sleep(0)
    answer.set_result(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_waiting_has_a_limit() -> None:
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await wait_for(answer, 0.01)
    assert answer.cancelled()


async def test_what_has_come_is_returned_whatever_the_limit() -> None:
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    answer.set_result(1)
    assert [await wait_for(answer, limit) for limit in (None, 60, 0, -1)] == [1, 1, 1, 1]
