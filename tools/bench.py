"""Runs every benchmark, one after the other, with its own defaults or for a shorter time; each ends in JSON."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tools.steps import ROOT, VENV_PYTHON

SHORTER = {"steiner": ("--seconds", "1", "--plain-seconds", "0"), "plan_city": ("--seconds", "20")}
"""What those are told that would take an hour by themselves."""


def is_program(path: Path) -> bool:
    """Whether a file of `benchmarks/` is a benchmark, and not a part of some."""
    guard = ast.unparse(ast.parse("__name__ == '__main__'"))
    parsed = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.If) and ast.unparse(node.test) == guard for node in parsed.body)


def main() -> None:
    failed = []
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        if is_program(path):
            print(f"\n{path.stem}", flush=True)
            words = [str(VENV_PYTHON), "-m", f"benchmarks.{path.stem}", *SHORTER.get(path.stem, ())]
            ended = subprocess.run(words, cwd=ROOT, check=False)
            failed += [path.stem] if ended.returncode else []
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
