"""No cancellation is lost: waiting with an end is written `async with asyncio.timeout(…)`.

Until Python 3.12, `asyncio.wait_for` returns the result where a cancellation comes in the moment in which the awaited
thing is done, and forgets the cancellation: a task that was told to end goes on, and who waits for its end waits for
ever.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.tidy.tree import SHIPPED, Fault, Rule, Tree

FORGETFUL = "wait_for"


def forgotten(tree: Tree) -> Iterator[Fault]:
    for path, module in tree.modules(*SHIPPED):
        for node in ast.walk(module) if FORGETFUL in tree.texts[path] else ():
            is_called = isinstance(node, ast.Attribute) and ast.unparse(node) == f"asyncio.{FORGETFUL}"
            is_imported = (
                isinstance(node, ast.ImportFrom)
                and node.module == "asyncio"
                and any(alias.name == FORGETFUL for alias in node.names)
            )
            if is_called or is_imported:
                assert isinstance(node, ast.Attribute | ast.ImportFrom)
                yield Fault(path, node.lineno, "wait_for can lose a cancellation: use `async with asyncio.timeout(…)`")


RULES = (
    Rule(
        "no cancellation is lost",
        forgotten,
        {
            "broadstreet/a.py": "async def f():\n    return await asyncio.wait_for(g(), 1)\n",
            "simulator/b.py": "from asyncio import sleep, wait_for\n",
            "broadstreet/c.py": "from broadstreet.cli.options import wait_for\n\nwait_for(g())\n",
            "broadstreet/d.py": "async def f():\n    async with asyncio.timeout(1):\n        await g()\n",
            "tests/unit/test_e.py": "async def test():\n    await asyncio.wait_for(g(), 1)\n",
        },
        frozenset({"broadstreet/a.py", "simulator/b.py"}),
    ),
)
