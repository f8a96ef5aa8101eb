"""`except Exception` belongs to a process's outermost loop, which logs and counts it, and to nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.tree import Fault, Rule, Tree, functions

MENTIONED = re.compile(r"except\s*:|\b(?:Base)?Exception\b")
BLANKET = frozenset({"Exception", "BaseException"})

OUTERMOST_LOOPS: dict[str, str] = {
    "tests/property/fuzzing.py::Fuzzer._try": "a fuzzer looks for whatever nobody named",
}
"""`path::function` of each loop that may catch everything, with the reason why it is a process's outermost one."""


def _names(caught: ast.expr | None) -> set[str]:
    """The names of what an `except` catches; a bare one catches BaseException."""
    if caught is None:
        return {"BaseException"}
    parts = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _lets_go(handler: ast.ExceptHandler) -> bool:
    """Whether a handler ends by raising what it caught, and so hides nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _handlers(node: ast.AST) -> Iterator[ast.ExceptHandler]:
    """The handlers of a function or module, without those of functions within."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ExceptHandler):
            yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _handlers(child)


def catching_everything(tree: Tree, path: str) -> dict[str, int]:
    """The functions of a file that catch everything and keep it, with the line."""
    if not MENTIONED.search(tree.texts[path]):
        return {}
    module = tree.parsed[path]
    return {
        name: handler.lineno
        for name, node in [("<module>", module), *functions(module)]
        for handler in _handlers(node)
        if _names(handler.type) & BLANKET and not _lets_go(handler)
    }


def blanket_catches(tree: Tree) -> Iterator[Fault]:
    for path in tree.parsed:
        for name, line in catching_everything(tree, path).items():
            if f"{path}::{name}" not in OUTERMOST_LOOPS:
                yield Fault(path, line, f"{name} catches everything: name what can happen")


def suppressed(tree: Tree) -> Iterator[Fault]:
    for path, module in tree.modules():
        for node in ast.walk(module) if "suppress" in tree.texts[path] else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "suppress":
                names = {ast.unparse(argument) for argument in node.args}
                if names & BLANKET:
                    yield Fault(path, node.lineno, "suppresses everything: name what can happen")


RULES = (
    Rule(
        "nothing catches everything",
        blanket_catches,
        {
            "broadstreet/a.py": "try:\n    f()\nexcept Exception:\n    pass\n",
            "broadstreet/b.py": "async def f():\n    try:\n        g()\n    except:\n        return 1\n",
            "broadstreet/c.py": "try:\n    f()\nexcept (OSError, BaseException) as error:\n    log(error)\n",
            "broadstreet/d.py": "try:\n    f()\nexcept OSError:\n    pass\n",
            "broadstreet/e.py": "try:\n    f()\nexcept BaseException:\n    undo()\n    raise\n",
        },
        frozenset({"broadstreet/a.py", "broadstreet/b.py", "broadstreet/c.py"}),
    ),
    Rule(
        "nothing suppresses everything",
        suppressed,
        {
            "broadstreet/a.py": "with contextlib.suppress(Exception):\n    f()\n",
            "broadstreet/b.py": "with contextlib.suppress(OSError):\n    f()\n",
        },
        frozenset({"broadstreet/a.py"}),
    ),
)
