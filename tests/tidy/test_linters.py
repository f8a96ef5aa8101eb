"""The linters are set to bite: what each of them is trusted with is planted and found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

TOOL = Path(sys.executable).parent

RUFF_PLANTS = {
    "a print in a room": ("broadstreet/log/planted.py", "print(1)\n", {"T201"}),
    "a print in the command line": ("broadstreet/cli/planted.py", "print(1)\n", set()),
    "a clock without a zone": (
        "broadstreet/log/planted.py",
        "import datetime\n\nx = datetime.datetime.now()\n",
        {"DTZ005"},
    ),
    "a time without a zone": (
        "simulator/planted.py",
        "import datetime\n\nx = datetime.datetime(2026, 1, 1)\n",
        {"DTZ001"},
    ),
    "a bare except": ("broadstreet/log/planted.py", "try:\n    x = 1\nexcept:\n    x = 2\n", {"E722"}),
    "a blind except": ("tests/unit/planted.py", "try:\n    x = 1\nexcept Exception:\n    x = 2\n", {"BLE001"}),
    "an unused name": ("broadstreet/log/planted.py", "import os\n", {"F401"}),
    "a lost task": ("broadstreet/log/planted.py", "import asyncio\n\nasyncio.create_task(f())\n", {"F821", "RUF006"}),
    "a blocking call": (
        "broadstreet/log/planted.py",
        "import time\n\n\nasync def f() -> None:\n    time.sleep(1)\n",
        {"ASYNC251"},
    ),
    "an excuse nobody needs": ("broadstreet/log/planted.py", "x = 1  # noqa: E501\n", {"RUF100"}),
}


@pytest.mark.parametrize(("path", "text", "codes"), RUFF_PLANTS.values(), ids=RUFF_PLANTS.keys())
def test_ruff_bites(path: str, text: str, codes: set[str]) -> None:
    command = [str(TOOL / "ruff"), "check", "--no-cache", "--output-format", "json", "--stdin-filename", path, "-"]
    linted = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, check=False)
    assert {fault["code"] for fault in json.loads(linted.stdout)} == codes


def test_mypy_is_strict(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def f(x):\n    return x\n\n\ny: int = f('a').b\n")
    command = [
        str(TOOL / "mypy"),
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    checked = subprocess.run([*command, str(planted)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 1
    assert "no-untyped-def" in checked.stdout
    assert "no-untyped-call" in checked.stdout
