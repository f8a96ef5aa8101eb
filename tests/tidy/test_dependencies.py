"""What is imported is asked for: by the package itself, not by the luck of another package that needs it too."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import packages_distributions

from tests.tidy.tree import ROOT, Tree

OURS = frozenset({"broadstreet", "simulator", "benchmarks", "tests", "tools", "webapp"})
SHIPPED = ("broadstreet/", "simulator/")
NAME = re.compile(r"[A-Za-z0-9._-]+")


def imported(tree: Tree, *folders: str) -> dict[str, str]:
    """Modules of others that files of these folders import, each with a file that does."""
    found: dict[str, str] = {}
    for path, module in tree.modules(*folders):
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                found.setdefault(name.partition(".")[0], path)
    return {name: path for name, path in found.items() if name not in OURS and name not in sys.stdlib_module_names}


def plain(names: Iterable[str]) -> set[str]:
    """Names of packages as the index compares them."""
    return {match[0].lower().replace("_", "-") for name in names if (match := NAME.match(name))}


def unasked(modules: Mapping[str, str], asked: Iterable[str], provided: Mapping[str, Iterable[str]]) -> list[str]:
    """Imports that nothing which is asked for provides. provided: packages by module."""
    wanted = plain(asked)
    return [f"{path} imports {name}" for name, path in modules.items() if not plain(provided.get(name, ())) & wanted]


def test_every_import_is_a_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    tree, provided = Tree.of_repository(), packages_distributions()
    shipped = imported(tree, *SHIPPED)
    assert shipped
    assert unasked(shipped, [*needed, *extras["city"], *extras["notebook"]], provided) == []
    everything = [*needed, *(name for extra in extras.values() for name in extra), *project["build-system"]["requires"]]
    assert unasked(imported(tree, *(f"{name}/" for name in OURS)), everything, provided) == []


def test_a_planted_import_is_caught() -> None:
    tree = Tree({"broadstreet/a.py": "import json\nimport httpx._client\nfrom msgspec import json\nfrom . import b\n"})
    found = imported(tree, "broadstreet/")
    assert found == {"httpx": "broadstreet/a.py", "msgspec": "broadstreet/a.py"}
    provided = {"httpx": ["httpx"], "msgspec": ["MsgSpec"]}
    assert unasked(found, ["msgspec", "litestar>=2"], provided) == ["broadstreet/a.py imports httpx"]
    assert unasked(found, ["msgspec", "httpx ; python_version > '3'"], provided) == []
