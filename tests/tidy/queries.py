"""SQL lives in `store/sql/<noun>.sql`, named, described and used; no Python string holds a query."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.tree import SHIPPED, Fault, Rule, Tree, docstrings

QUERY = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b|\bCOPY\s+\S+.*\b(?:FROM|TO)\s+STD",
    re.DOTALL,
)
CATALOGUE = re.compile(r"\bFROM\s+(?!pg_)", re.IGNORECASE)
MIGRATION = re.compile(r"/[a-z]+\.\d{4}\.sql$")
NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\n((?:--.*\n)*)((?:(?!-- name:).*\n?)*)", re.MULTILINE)
MIN_DESCRIPTION_WORDS = 3


def _asks_the_server_itself(path: str, text: str) -> bool:
    """The engines look at a server, at its `pg_…` catalogue alone, before there is a store with SQL to load."""
    return path.startswith("broadstreet/engines/") and not CATALOGUE.search(text)


FILES = frozenset({"broadstreet/network/ofds/geopackage.py", "broadstreet/network/ofds/gpkg.py"})
"""A GeoPackage is a database in a file, whose tables are the standard's: no room's rows, and not the store's server."""


def queries_in_python(tree: Tree) -> Iterator[Fault]:
    """In what is installed; benchmarks and tests count from outside, and may ask as they like."""
    for path, module in tree.modules("broadstreet/", "simulator/"):
        prose = docstrings(module)
        for node in ast.walk(module):
            if isinstance(node, ast.JoinedStr):
                text = ast.unparse(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                text = node.value
            else:
                continue
            if path not in FILES and QUERY.search(text) and not _asks_the_server_itself(path, text):
                yield Fault(path, node.lineno, "a query stands in Python: name it in store/sql/<noun>.sql")


def _query_files(tree: Tree) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in tree.with_suffix(".sql") if not MIGRATION.search(path))


def undescribed(tree: Tree) -> Iterator[Fault]:
    for path, text in _query_files(tree):
        found = list(NAME.finditer(text))
        preface = text[: found[0].start()] if found else text
        if any(line.strip() and not line.startswith("--") for line in preface.splitlines()):
            yield Fault(path, 1, "a query stands before the first '-- name:'")
        for match in found:
            description = match[2].replace("--", " ").split()
            if len(description) < MIN_DESCRIPTION_WORDS:
                line = text[: match.start()].count("\n") + 1
                yield Fault(path, line, f"query {match[1]} is not described")
    for path, text in tree.with_suffix(".sql"):
        if MIGRATION.search(path) and not text.startswith("-- "):
            yield Fault(path, 1, "no line says what this migration is for")


def unused(tree: Tree) -> Iterator[Fault]:
    """Queries that no shipped string names, in files of which some noun is loaded."""
    said = {
        node.value
        for _, module in tree.modules(*SHIPPED)
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for path, text in _query_files(tree):
        if path.rsplit("/", 1)[-1].removesuffix(".sql") not in said:
            yield Fault(path, 1, "nothing loads this file")
        for match in NAME.finditer(text):
            if match[1] not in said:
                yield Fault(path, text[: match.start()].count("\n") + 1, f"nothing runs query {match[1]}")


_GOOD = "-- name: take\n-- The oldest rows there are.\nSELECT 1;\n"

RULES = (
    Rule(
        "no query stands in Python",
        queries_in_python,
        {
            "broadstreet/a.py": 'SQL = "SELECT key FROM entity"\n',
            "broadstreet/b.py": 'def f(t): return f"DELETE FROM {t}"\n',
            "broadstreet/c.py": 'def f():\n    """Do not SELECT x FROM y here."""\n',
            "broadstreet/engines/e.py": 'LOOK = "SELECT rolname FROM pg_roles"\n',
            "broadstreet/network/ofds/gpkg.py": 'SQL = "SELECT key FROM nodes"\n',
            "broadstreet/engines/f.py": 'LOOK = "SELECT key FROM entity"\n',
            "broadstreet/d.py": 'MESSAGE = "select a street from the list"\n',
        },
        frozenset({"broadstreet/a.py", "broadstreet/b.py", "broadstreet/engines/f.py"}),
    ),
    Rule(
        "every query is described",
        undescribed,
        {
            "broadstreet/store/sql/a.sql": "-- name: take\nSELECT 1;\n",
            "broadstreet/store/sql/b.sql": "-- What these have in common; in prose.\n\n" + _GOOD,
            "broadstreet/store/sql/c.sql": "SELECT 1;\n" + _GOOD,
            "broadstreet/store/sql/tenant.0001.sql": "CREATE TABLE a ();\n",
        },
        frozenset(
            {"broadstreet/store/sql/a.sql", "broadstreet/store/sql/c.sql", "broadstreet/store/sql/tenant.0001.sql"}
        ),
    ),
    Rule(
        "every query is used",
        unused,
        {
            "broadstreet/store/sql/a.sql": _GOOD,
            "broadstreet/store/sql/b.sql": _GOOD.replace("take", "leave"),
            "broadstreet/a.py": 'SQL = load_queries("a")["take"]\nSQL = load_queries("b")\n',
        },
        frozenset({"broadstreet/store/sql/b.sql"}),
    ),
)
