"""A run as a list of named steps, each shown with its time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def say(title: str, outcome: str) -> None:
    """One line of a run: what was done, and how it went."""
    print(f"  {title:<44} {outcome}", flush=True)


def run(title: str, command: Sequence[str]) -> None:
    """Runs a command in the project's root and says how long it took.

    Its output is shown only if it fails; then the program ends with its exit code.
    """
    began = time.perf_counter()
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    took_s = time.perf_counter() - began
    say(title, f"{took_s:6.1f} s" if ended.returncode == 0 else f"{took_s:6.1f} s  failed")
    if ended.returncode != 0:
        print(ended.stdout, flush=True)
        sys.exit(ended.returncode if ended.returncode > 0 else 1)
