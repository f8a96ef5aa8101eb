"""What is started runs the code of who starts it, wherever that is done and whatever is installed."""

import subprocess
import sys
from pathlib import Path

from tests.tidy.tree import ROOT, Tree


def test_a_process_takes_the_code_beside_the_tests(tmp_path: Path) -> None:
    asked = [sys.executable, "-c", "import broadstreet; print(broadstreet.__file__)"]
    told = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(told.strip()).resolve() == ROOT / "broadstreet" / "__init__.py"


def test_modules_of_ours_are_started_in_one_way() -> None:
    starts = [path for path, text in Tree.of_repository().with_suffix(".py") if 'sys.executable, "-m"' in text]
    assert [path for path in starts if path.startswith(("broadstreet/", "simulator/"))] == []
