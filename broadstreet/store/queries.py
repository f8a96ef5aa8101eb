"""SQL by noun: `store/sql/<noun>.sql` holds named, described queries, and this reads them.

A query begins at a line `-- name: <name>`; the comment lines that follow say what it is for and what its parameters
are. Both are required, so that a stranger can read the SQL without the Python, and a test prepares every query
against a real PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

_HEADER = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$")


class Queries(Mapping[str, str]):
    """The queries of one noun, by name."""

    def __init__(self, noun: str, queries: dict[str, str], descriptions: dict[str, str]) -> None:
        self.noun = noun
        self.descriptions = descriptions
        self._queries = queries

    def __getitem__(self, name: str) -> str:
        try:
            return self._queries[name]
        except KeyError:
            raise KeyError(f"no query {name!r} in store/sql/{self.noun}.sql") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)


def parse_queries(noun: str, text: str) -> Queries:
    """Parse one file. Raises ValueError for a query without a name, a description or a body, or named twice."""
    queries: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    name: str | None = None
    described: list[str] = []
    body: list[str] = []

    def finish() -> None:
        if name is None:
            if "".join(body).strip():
                raise ValueError(f"{noun}.sql: a query stands before the first '-- name:'")
            return
        sql = "\n".join(body).strip().rstrip(";")
        if not described or not sql or name in queries:
            raise ValueError(f"{noun}.sql: query {name!r} lacks a description or a body, or is named twice")
        queries[name] = sql
        descriptions[name] = " ".join(described)

    for line in text.splitlines():
        if header := _HEADER.match(line):
            finish()
            name, described, body = header[1], [], []
        elif name is not None and not body and line.startswith("--"):
            described.append(line[2:].strip())
        elif name is not None or not line.startswith("--"):
            body.append(line)
    finish()
    return Queries(noun, queries, descriptions)


@cache
def load_queries(noun: str) -> Queries:
    """The queries of `store/sql/<noun>.sql`."""
    return parse_queries(noun, (files("broadstreet.store") / "sql" / f"{noun}.sql").read_text(encoding="utf-8"))
