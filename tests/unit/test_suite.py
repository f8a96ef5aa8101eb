"""What `make test` makes of a run: the floor of lines reached holds where every test could run, and only there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.absence import absences, absent
from tests.docs.pages import ROOT
from tools.scratch import scratch
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


def test_tests_that_share_something_are_run_by_one_process(tmp_path: Path) -> None:
    test = (
        "import os\nimport pathlib\nimport time\nimport pytest\n\n"
        "@pytest.mark.parametrize('n', range(3))\n"
        "def test_a(n):\n"
        "    time.sleep(0.02)\n"
        "    file = pathlib.Path(__file__)\n"
        "    file.with_name(f'{file.stem}-{n}').write_text(os.environ['PYTEST_XDIST_WORKER'])\n"
    )
    for path in ("tests/browser/test_1.py", "tests/browser/test_2.py", "tests/unit/test_3.py", "tests/unit/test_4.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(test)
    words = ["-m", "pytest", "-p", "tests.groups", "-p", "no:cacheprovider", "-q", "-n", "2", "--import-mode=importlib"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *words, "tests"], cwd=tmp_path, env=env, check=True)
    ran = {path.name: path.read_text() for path in tmp_path.rglob("test_?-?")}
    assert len(ran) == 12
    assert len({worker for name, worker in ran.items() if name < "test_3"}) == 1
    assert len({worker for name, worker in ran.items() if name.startswith("test_3")}) == 1
    assert len(set(ran.values())) == 2


def test_what_tests_write_stays_in_memory_and_is_gone_afterwards(tmp_path: Path) -> None:
    (killed := tmp_path / "broadstreet-tests-killed").mkdir()
    (killed / "lock").touch()
    with scratch(tmp_path, room_bytes=0) as first, scratch(tmp_path, room_bytes=0) as second:
        folders = {first["TMPDIR"], second["TMPDIR"]}
        assert set(map(str, tmp_path.iterdir())) == folders, "of the run that was killed nothing is left"
        program = "import tempfile; print(tempfile.gettempdir())"
        said = subprocess.run([sys.executable, "-c", program], env=first, check=True, capture_output=True, text=True)
        assert said.stdout.strip() == first["TMPDIR"]
    assert list(tmp_path.iterdir()) == []


def test_without_room_in_memory_the_disk_will_do(tmp_path: Path) -> None:
    for memory, room_bytes in ((tmp_path, 1 << 60), (tmp_path / "nothing", 0)):
        with scratch(memory, room_bytes) as environment:
            assert environment == dict(os.environ)
    assert list(tmp_path.iterdir()) == []
