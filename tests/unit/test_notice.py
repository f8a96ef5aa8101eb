"""systemd is told, and nobody waits for it: it may be slow, or gone."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from broadstreet.app import notice
from broadstreet.app.notice import READY, Notice


@pytest.fixture
def systemd(data_dir: Path) -> Iterator[tuple[str, socket.socket]]:
    """Where it listens, and with what. Nothing is read from it."""
    address = str(data_dir / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind(address)
        listening.setblocking(False)
        yield address, listening


async def live_until_full(one: Notice) -> None:
    """Tell it that we live far more often than it has room for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await one.live()


async def test_it_hears_each_word(systemd: tuple[str, socket.socket]) -> None:
    address, listening = systemd
    await Notice({"NOTIFY_SOCKET": address}).tell(READY)
    assert listening.recv(100) == b"READY=1"


async def test_one_that_does_not_read_holds_nobody_up(
    systemd: tuple[str, socket.socket], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    address, _ = systemd
    monkeypatch.setattr(notice, "ATTEMPTS", 3)
    one = Notice({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000"})
    await live_until_full(one)
    await one.tell(READY)
    assert "does not hear READY=1" in caplog.text


async def test_what_must_be_heard_waits_for_room(systemd: tuple[str, socket.socket]) -> None:
    address, listening = systemd
    one = Notice({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000"})
    await live_until_full(one)
    telling = asyncio.create_task(one.tell(READY))
    await asyncio.sleep(0.1)
    assert not telling.done()
    heard = b""
    while heard != b"READY=1":
        with suppress(BlockingIOError):
            heard = listening.recv(100)
        await asyncio.sleep(0)
    await telling


async def test_one_that_is_gone_is_logged(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await Notice({"NOTIFY_SOCKET": str(data_dir / "nobody")}).tell(READY)
    assert "cannot be told READY=1" in caplog.text


async def test_nobody_is_told_where_nobody_asked() -> None:
    await Notice({}).tell(READY)
    await Notice({}).live()
