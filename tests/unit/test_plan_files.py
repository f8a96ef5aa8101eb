"""Plans as files of a city: they have a bound, and what is no more goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadstreet.model.errors import NotFound, TooLarge
from broadstreet.network.scenarios.files import PlanFiles


def test_files_have_a_bound_and_what_is_no_more_goes(tmp_path: Path) -> None:
    files = PlanFiles(tmp_path / "plans", tmp_path / "work", 100)
    made = tmp_path / "made"
    made.mkdir()
    (made / "statement").write_bytes(b"x" * 101)
    with pytest.raises(TooLarge, match="all plans together"):
        files.keep(made, files.design("city", "p", "j"))
    (made / "statement").write_bytes(b"x" * 99)
    files.keep(made, files.design("city", "p", "j"))
    assert files.used_bytes() == 99
    with pytest.raises(NotFound):
        files.read(files.design("city", "p", "k"), "statement")
    files.keep_only("city", "p", "designs", ["k"])
    assert files.used_bytes() == 0
    files.sweep("city", set(), set())
    assert not files.project("city", "p").exists()
