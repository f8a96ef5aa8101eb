"""Looking names up: one that nobody answers for keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from typing import Any

import pytest

from broadstreet.delivery import lookup

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]


async def test_a_silent_name_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, asked = threading.Event(), Counter[str]()

    def ask(host: str, port: int, **_: Any) -> list[Any]:
        asked[host] += 1
        if host == "silent.example":
            assert answered.wait(30)
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return FOUND

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    silent = [asyncio.create_task(lookup.look_up("silent.example", 80)) for _ in range(200)]
    async with asyncio.timeout(20):
        for n in range(10):
            assert await lookup.look_up(f"quick{n}.example", 80) == FOUND
    silent[0].cancel()
    assert asked["silent.example"] == 1
    answered.set()
    ends = await asyncio.gather(*silent, return_exceptions=True)
    assert isinstance(ends[0], asyncio.CancelledError)
    assert all(isinstance(end, socket.gaierror) for end in ends[1:])
    with pytest.raises(socket.gaierror):
        await lookup.look_up("silent.example", 80)
    assert asked["silent.example"] == 2
