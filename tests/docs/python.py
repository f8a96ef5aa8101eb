"""Python as the docs show it, run: an expression followed by `# → …` is what is said there."""

from __future__ import annotations

import ast
import re
from typing import Any

_SAID = re.compile(r"  # → (.+)$")


def run(block: str, names: dict[str, Any]) -> list[str]:
    """Run a block where `names` are known, and go on with them; answers what turned out otherwise than it is said."""
    lines, wrong = block.splitlines(), []
    for statement in ast.parse(block).body:
        if not isinstance(statement, ast.Expr):
            exec(compile(ast.Module([statement], []), "docs", "exec"), names)
            continue
        value = eval(compile(ast.Expression(statement.value), "docs", "eval"), names)
        said = _SAID.search(lines[(statement.end_lineno or 1) - 1])
        if said and repr(value) != said[1]:
            wrong.append(f"{lines[statement.lineno - 1]}: {value!r}")
    return wrong
