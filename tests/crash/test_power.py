"""A power cut, emulated: what was acknowledged is there afterwards. A short form of `python -m tests.crash.power`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.absence import absent
from tests.crash.image import Image, can_mount
from tests.crash.power import run_cut
from tests.crash.trial import MIN_ACKNOWLEDGED

SEED = 1


@pytest.fixture(autouse=True)
def mounting() -> None:
    if not can_mount():
        pytest.skip(absent("an image of a disk cannot be mounted here: it takes root and loop devices"))


def test_a_cut_takes_what_was_not_made_safe(data_dir: Path) -> None:
    image = Image(data_dir, 200_000_000)
    image.mount()
    try:
        with (image.place / "safe").open("w") as safe, (image.place / "unsafe").open("w") as unsafe:
            safe.write("safe")
            safe.flush()
            os.fsync(safe.fileno())
            unsafe.write("unsafe")
            unsafe.flush()
            image.cut()
        image.unmount()
        image.replace_by_copy()
        image.mount()
        assert (image.place / "safe").read_text() == "safe"
        assert (image.place / "unsafe").read_text() == ""  # its name went to disk with the other
    finally:
        image.unmount()


@pytest.mark.timeout(300)
async def test_a_power_cut_loses_nothing_acknowledged() -> None:
    outcome = await run_cut(SEED)
    assert outcome.verdict.words == ()
    assert (outcome.verdict.lost, outcome.verdict.duplicated) == (0, 0)
    assert outcome.verdict.acknowledged >= MIN_ACKNOWLEDGED
    assert outcome.unanswered > 0
