"""The APIs answer whatever their description allows, and much that it does not, without a fault of the server's; those
of NGSI-LD as it says."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.schema import LEFT_OUT, NGSI_LD, SHAPES, call_everything, figures

EXAMPLES = 2
BESIDE_NGSI_LD = ("--exclude-path-regex", f"{LEFT_OUT}|^/ngsi-ld/")


async def test_no_call_ends_in_a_fault_of_the_server(data_dir: Path) -> None:
    status, words = await call_everything(data_dir, EXAMPLES, which=BESIDE_NGSI_LD)
    assert status == 0, words
    told = figures(words)
    assert told["failed"] == 0 and told["operations"] >= 40 and told["calls"] > 500


async def test_ngsi_ld_answers_as_it_is_described(data_dir: Path) -> None:
    status, words = await call_everything(data_dir, EXAMPLES, SHAPES, NGSI_LD)
    assert status == 0, words
    told = figures(words)
    assert told["failed"] == 0 and told["operations"] >= 40 and told["calls"] > 1_000
