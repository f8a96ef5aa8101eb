"""A file that wants a wall, and a function that wants a name for its parts."""

from __future__ import annotations

from collections.abc import Iterator

from tests.tidy.tree import Fault, Rule, Tree, functions

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
CODE = (".py", ".sql", ".ts", ".svelte", ".css", ".sh")


def long_files(tree: Tree) -> Iterator[Fault]:
    for path, text in tree.with_suffix(*CODE):
        lines = len(text.splitlines())
        if lines > MAX_FILE_LINES:
            yield Fault(path, lines, f"{lines} lines, {MAX_FILE_LINES} are allowed: split it by noun")


def long_functions(tree: Tree) -> Iterator[Fault]:
    for path, module in tree.modules():
        for name, node in functions(module):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield Fault(path, node.lineno, f"{name} has {lines} lines, {MAX_FUNCTION_LINES} are allowed")


def _function_of(lines: int) -> str:
    return "def planted() -> None:\n" + "    print()\n" * (lines - 1)


RULES = (
    Rule(
        "files are short",
        long_files,
        {"broadstreet/a.py": "x = 1\n" * 401, "broadstreet/b.py": "x = 1\n" * 400, "webapp/src/C.svelte": "\n" * 401},
        frozenset({"broadstreet/a.py", "webapp/src/C.svelte"}),
    ),
    Rule(
        "functions are short",
        long_functions,
        {"broadstreet/a.py": _function_of(71), "broadstreet/b.py": _function_of(70)},
        frozenset({"broadstreet/a.py"}),
    ),
)
