"""A role that is ready does not look through what it is made of again and again."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import gc
from broadstreet.app.role import leave_alone
import broadstreet.app.api
made = len(gc.get_objects())
leave_alone()
print(made, len(gc.get_objects()), gc.get_freeze_count())
"""


def test_what_is_there_when_it_is_ready_is_left_alone() -> None:
    told = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True).stdout
    made, looked_at, left_alone = map(int, told.split())
    assert left_alone > 0.8 * made
    assert looked_at < 0.01 * made
