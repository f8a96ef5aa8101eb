"""Reads the source with every linter and says what each took; none of them starts an engine."""

from __future__ import annotations

from tools.steps import VENV_PYTHON, run

TOOL = VENV_PYTHON.parent


def main() -> None:
    run("style and faults (ruff)", [str(TOOL / "ruff"), "check", "--quiet", "."])
    run("format (ruff)", [str(TOOL / "ruff"), "format", "--check", "--quiet", "."])
    run("types (mypy --strict)", [str(TOOL / "mypy")])
    run("layers (import-linter)", [str(TOOL / "lint-imports"), "--no-logo"])


if __name__ == "__main__":
    main()
