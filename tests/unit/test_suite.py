"""What `make test` makes of a run: the floor of lines reached holds where every test could run, and only there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.absence import absences, absent
from tests.docs.pages import ROOT
from tools.suite import LEAST_REACHED, too_little


@pytest.mark.parametrize(
    ("share", "missing", "is_wrong"),
    [
        (LEAST_REACHED, {}, False),
        (LEAST_REACHED - 0.001, {}, True),
        (LEAST_REACHED - 0.001, {"there is no browser": 12}, False),
    ],
)
def test_the_floor_is_held_where_every_test_ran(share: float, missing: dict[str, int], is_wrong: bool) -> None:
    assert (too_little(share, missing) is not None) is is_wrong


def skipped(reason: str) -> pytest.TestReport:
    return pytest.TestReport("t.py::t", ("t.py", 1, "t"), {}, "skipped", ("t.py", 1, f"Skipped: {reason}"), "setup")


def test_only_what_is_not_here_is_an_absence() -> None:
    passed = pytest.TestReport("t.py::t", ("t.py", 1, "t"), {}, "passed", None, "call")
    reports = [skipped(absent("no browser")), skipped(absent("no browser")), skipped("not on this kernel"), passed]
    assert absences(reports) == {"no browser": 2}


def test_a_run_leaves_word_of_what_it_did_not_find(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(
        "import pytest\nfrom tests.absence import absent\n\n"
        "@pytest.mark.skipif(True, reason=absent('a telescope'))\ndef test_a(): pass\n\n"
        "def test_b(): pytest.skip(absent('a telescope'))\n\n"
        "def test_c(): pytest.skip('not today')\n"
    )
    noted = tmp_path / "absences.json"
    words = ["-m", "pytest", "-p", "tests.kinds", "-p", "no:cacheprovider", "--absences", str(noted)]
    subprocess.run([sys.executable, *words, str(tmp_path / "test_planted.py")], cwd=ROOT, check=True)
    assert json.loads(noted.read_text()) == {"a telescope": 2}
