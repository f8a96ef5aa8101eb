"""Reads the source with every linter, says what each took, and fails if any of them found something.

Beside the linters, of which one at a time runs on one core, the hot loops are compiled on another: whoever plans next
finds them there, where each of the tests' processes would compile them for itself.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from tools.steps import VENV_PYTHON, attempt

BIN = VENV_PYTHON.parent
LINTERS = {
    "style and faults (ruff)": ("ruff", "check", "--quiet", "."),
    "format (ruff)": ("ruff", "format", "--check", "--quiet", "."),
    "types (mypy --strict)": ("mypy",),
    "layers (import-linter)": ("lint-imports", "--no-logo"),
}
COMPILING = "from broadstreet.network.scenarios.making import warm; warm()"


def main() -> None:
    with ThreadPoolExecutor(1) as beside:
        compiled = beside.submit(attempt, "hot loops compile (numba)", [str(VENV_PYTHON), "-c", COMPILING])
        codes = [attempt(title, [str(BIN / program), *options]) for title, (program, *options) in LINTERS.items()]
        codes.append(compiled.result())
    sys.exit(max(map(abs, codes)))


if __name__ == "__main__":
    main()
