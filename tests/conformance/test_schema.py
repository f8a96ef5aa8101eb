"""The APIs answer whatever their description allows, and much that it does not, without a fault of the server's."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.schema import call_everything, figures

EXAMPLES = 2


async def test_no_call_ends_in_a_fault_of_the_server(data_dir: Path) -> None:
    status, words = await call_everything(data_dir, EXAMPLES)
    assert status == 0, words
    told = figures(words)
    assert told["failed"] == 0 and told["operations"] >= 40 and told["calls"] > 500
