"""The locks over the files of the past are let go of, whatever becomes of those who asked for them."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broadstreet.history import held, still
from broadstreet.model.clock import MAX_US, MIN_US
from tests.contract.past import open_past


class CalledOff:
    """A connection that answers a lock, and whose caller is called off in that moment."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def execute(self, query: str, *args: Any, **more: Any) -> None:
        await self._connection.execute(query, *args, **more)
        if "advisory_lock" in query:
            raise asyncio.CancelledError


async def test_who_is_called_off_while_waiting_for_the_files_holds_nothing(
    city_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:

    async with open_past(city_dsn) as past:
        database = past.database

        @asynccontextmanager
        async def acquire() -> AsyncIterator[CalledOff]:
            async with database.acquire() as connection:
                yield CalledOff(connection)

        hasty = copy.copy(database)
        monkeypatch.setattr(hasty, "acquire", acquire, raising=False)
        for waiting in (still(hasty), held(hasty, MIN_US, MAX_US)):
            with pytest.raises(asyncio.CancelledError):
                async with waiting:
                    raise AssertionError("it was called off before")
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = ("
        assert await database.fetchval(f"{locks}SELECT oid FROM pg_database WHERE datname = current_database())") == 0
