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


def attempt(title: str, command: Sequence[str]) -> int:
    """Runs a command in the project's root, says how long it took, and answers its exit code.

    Its output is shown only if it fails.
    """
    began = time.perf_counter()
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    took_s = time.perf_counter() - began
    say(title, f"{took_s:6.1f} s" if ended.returncode == 0 else f"{took_s:6.1f} s  failed")
    if ended.returncode != 0:
        print(ended.stdout, flush=True)
    return ended.returncode


def run(title: str, command: Sequence[str]) -> None:
    """The same for a step that the next one needs: if it fails, the program ends with its exit code."""
    code = attempt(title, command)
    if code != 0:
        sys.exit(max(code, 1))
