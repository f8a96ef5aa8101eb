"""A linter told to look away is given a reason beside it, and the model does nothing that would need one."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.tidy.tree import SHIPPED, Fault, Rule, Tree

EXCUSE = re.compile(
    r"#\s*(type:\s*ignore(?:\[[^\]]*\])?|noqa(?::\s*[A-Z0-9, ]+)?|pragma:\s*\w+(?: \w+)?|fmt:\s*\w+)(.*)"
)
WEB_EXCUSE = re.compile(r"(eslint-disable|svelte-ignore|@ts-ignore|@ts-expect-error|@ts-nocheck)(.*)")
MIN_REASON_WORDS = 2
IMPURE = frozenset({"open", "print", "input", "now", "today", "utcnow", "exec", "eval"})


def unreasoned(tree: Tree) -> Iterator[Fault]:
    for path, text in tree.with_suffix(".py"):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (found := EXCUSE.search(token.string)):
                named = "[" in found[1] or ":" in found[1]
                if not named or len(found[2].replace("#", " ").split()) < MIN_REASON_WORDS:
                    yield Fault(path, token.start[0], f"{found[1]} names no rule, or gives no reason beside it")
    for path, number, line in tree.lines(".ts", ".svelte"):
        if (found := WEB_EXCUSE.search(line)) and len(found[2].split()) < MIN_REASON_WORDS:
            yield Fault(path, number, f"{found[1]} gives no reason beside it")


def impure(tree: Tree) -> Iterator[Fault]:
    """What import-linter cannot see: a model that opens, prints or looks at a clock through what it may import."""
    for path, module in tree.modules("broadstreet/model/"):
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in IMPURE:
                    yield Fault(path, node.lineno, f"the model calls {name}(): hand it what it needs")


def star_imports(tree: Tree) -> Iterator[Fault]:
    for path, module in tree.modules(*SHIPPED, "tests/"):
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                yield Fault(path, node.lineno, "a star import hides where a name comes from")


def kinds_of_names(tree: Tree) -> Iterator[Fault]:
    """Files named after what kind of code they hold, not after a noun."""
    for path in tree.texts:
        if re.search(r"/(utils?|helpers?|manager|views|common|misc|base)(\.py|\.ts|/)", path):
            yield Fault(path, 1, "split by noun, not by kind")


RULES = (
    Rule(
        "every excuse has a reason",
        unreasoned,
        {
            "broadstreet/a.py": "x = f()  # type: ignore\n",
            "broadstreet/b.py": "x = f()  # noqa: E501\n",
            "broadstreet/c.py": "x = f()  # type: ignore[arg-type]  # the stub lacks the keyword `loop`\n",
            "webapp/src/a.ts": "// @ts-ignore\n",
        },
        frozenset({"broadstreet/a.py", "broadstreet/b.py", "webapp/src/a.ts"}),
    ),
    Rule(
        "the model is pure",
        impure,
        {
            "broadstreet/model/a.py": "at = datetime.now(UTC)\n",
            "broadstreet/model/b.py": "def f(now_us: int) -> int:\n    return now_us\n",
            "broadstreet/log/c.py": "at = datetime.now(UTC)\n",
        },
        frozenset({"broadstreet/model/a.py"}),
    ),
    Rule(
        "no star imports",
        star_imports,
        {"broadstreet/a.py": "from os import *\n", "broadstreet/b.py": "from os import path\n"},
        frozenset({"broadstreet/a.py"}),
    ),
    Rule(
        "files are named by noun",
        kinds_of_names,
        {"broadstreet/log/utils.py": "", "broadstreet/log/pack.py": ""},
        frozenset({"broadstreet/log/utils.py"}),
    ),
)
