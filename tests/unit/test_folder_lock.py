"""One house at a time has a data folder, and asking whether one has it keeps nobody from taking it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from broadstreet.engines import DataFolder
from broadstreet.model.errors import EngineFailed

ASKERS = 3
STARTS = 300


@pytest.fixture
def asked(data_dir: Path) -> Iterator[Path]:
    """A folder of which others ask all the time whether it is in use."""
    folder = DataFolder(data_dir)
    folder.prepare()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            folder.in_use()

    askers = [threading.Thread(target=ask) for _ in range(ASKERS)]
    for asker in askers:
        asker.start()
    yield data_dir
    over.set()
    for asker in askers:
        asker.join()


def test_a_house_starts_while_others_ask_whether_one_runs(asked: Path) -> None:
    house = DataFolder(asked)
    for _ in range(STARTS):
        house.lock()
        assert house.in_use()
        house.unlock()


def test_a_second_house_is_refused_whoever_asks(asked: Path) -> None:
    with ExitStack() as stack:
        first = DataFolder(asked)
        first.lock()
        stack.callback(first.unlock)
        for _ in range(STARTS):
            with pytest.raises(EngineFailed, match="in use by another"):
                DataFolder(asked).lock()
