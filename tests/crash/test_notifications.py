"""A notifier that is killed under load, and a receiver that is away meanwhile: every change arrives, in its order."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.docs.pages import ROOT

FIGURES = {"delivered", "lost", "repeated", "out_of_order", "delivery_ms_p50", "delivery_ms_p99", "changes_per_s"}


def test_neither_a_killed_notifier_nor_a_receiver_that_is_away_loses_a_change() -> None:
    words = ["--subscriptions", "20", "--rate", "100", "--seconds", "8", "--kill", "--down", "2"]
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.subscriptions", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told.keys() >= FIGURES
    assert (told["lost"], told["out_of_order"]) == (0, 0), told
    assert told["delivered"] > 0
    # What was on its way to each of the receivers when the notifier was killed may come twice, and nothing else.
    assert told["repeated"] <= 20 * 100, told
