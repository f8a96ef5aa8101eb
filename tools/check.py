"""Reads the source with every linter, says what each took, and fails if any of them found something."""

from __future__ import annotations

import sys

from tools.steps import VENV_PYTHON, attempt

BIN = VENV_PYTHON.parent
LINTERS = {
    "style and faults (ruff)": ("ruff", "check", "--quiet", "."),
    "format (ruff)": ("ruff", "format", "--check", "--quiet", "."),
    "types (mypy --strict)": ("mypy",),
    "layers (import-linter)": ("lint-imports", "--no-logo"),
}


def main() -> None:
    codes = [attempt(title, [str(BIN / program), *options]) for title, (program, *options) in LINTERS.items()]
    sys.exit(max(map(abs, codes)))


if __name__ == "__main__":
    main()
