"""The source as rules see it: a mapping of paths to texts, from the repository or planted by a test.

A rule is a function from a `Tree` to `Fault`s, with a planted violation that proves it bites. A fault is silenced only
by `exemptions.toml`, which asks for a reason and an end date.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = frozenset({".png", ".ico", ".woff2", ".pbf", ".gz", ".parquet", ".pmtiles"})
PLANTS = "tests/tidy/"
"""Where violations stand on purpose: rules that read plain text pass it by."""
SHIPPED = ("broadstreet/", "simulator/", "benchmarks/", "tools/", "webapp/")


@dataclass(frozen=True)
class Fault:
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of the source.

    planted: files that break it, and of which exactly `caught` are named; every other planted file is in order and
    must stay unnamed, so that a rule that shouts at everything fails too.
    """

    name: str
    find: Callable[[Tree], Iterator[Fault]]
    planted: Mapping[str, str]
    caught: frozenset[str]


class Tree:
    """Paths (with forward slashes, from the root) and their texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(sorted(texts.items()))

    @classmethod
    def of_repository(cls) -> Tree:
        """Every text file that git tracks and that is still there."""
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
        there = [path for path in paths if path.is_file() and path.suffix not in BINARY]
        return cls({path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in there})

    def with_suffix(self, *suffixes: str) -> Iterator[tuple[str, str]]:
        """(path, text) of every file that ends so."""
        return ((path, text) for path, text in self.texts.items() if path.endswith(suffixes))

    def lines(self, *suffixes: str) -> Iterator[tuple[str, int, str]]:
        """(path, number, line) of every text with one of these suffixes, where no violations are planted."""
        for path, text in self.with_suffix(*suffixes or ("",)):
            if not path.startswith(PLANTS):
                yield from ((path, number, line) for number, line in enumerate(text.splitlines(), 1))

    @cached_property
    def parsed(self) -> dict[str, ast.Module]:
        """The syntax tree of every Python file."""
        return {path: ast.parse(text, path) for path, text in self.with_suffix(".py")}

    def modules(self, *under: str) -> Iterator[tuple[str, ast.Module]]:
        """(path, syntax tree) of the Python files below the given folders; of all where none is given."""
        return ((path, module) for path, module in self.parsed.items() if path.startswith(under or ("",)))


def functions(module: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """(qualified name, node) of every function of a module, methods and inner functions among them."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}.{child.name}" if prefix else child.name
                if not isinstance(child, ast.ClassDef):
                    yield name, child
            yield from walk(child, name)

    return walk(module, "")


def docstrings(module: ast.Module) -> set[int]:
    """The ids of the nodes that are docstrings, which are prose and no code."""
    bodies = [node.body for node in ast.walk(module) if hasattr(node, "body") and isinstance(node.body, list)]
    firsts = [body[0] for body in bodies if body]
    prose = (first.value for first in firsts if isinstance(first, ast.Expr))
    return {id(value) for value in prose if isinstance(value, ast.Constant)}
