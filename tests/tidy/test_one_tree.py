"""What tests start runs the code that they stand beside, wherever it is started and whatever is installed."""

import subprocess
import sys
from pathlib import Path

from tests.tidy.tree import ROOT


def test_a_process_takes_the_code_beside_the_tests(tmp_path: Path) -> None:
    asked = [sys.executable, "-c", "import broadstreet; print(broadstreet.__file__)"]
    told = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(told.strip()).resolve() == ROOT / "broadstreet" / "__init__.py"
