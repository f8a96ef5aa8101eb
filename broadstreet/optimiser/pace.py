"""Reads a `.gr` file, the form of the PACE challenge of 2018: a graph and its terminals, vertices counted from 1.

    SECTION Graph        SECTION Terminals
    Nodes 5              Terminals 2
    Edges 1              T 1
    E 1 2 10             T 2
    END                  END
    EOF

Other sections (a comment, a tree decomposition, coordinates) are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.compiled import Ints
from broadstreet.optimiser.graph import EDGES_MAX, VERTICES_MAX, Graph

READ = frozenset({"graph", "terminals"})
COUNTS = frozenset({"nodes", "edges", "terminals"})


@dataclass
class Found:
    """What the lines have told so far."""

    counts: dict[str, int] = field(default_factory=dict)
    edges: list[tuple[int, int, int]] = field(default_factory=list)
    terminals: list[int] = field(default_factory=list)


def wrong(message: str, name: str, number: int) -> InvalidInput:
    return InvalidInput(
        message, where=f"{name}, line {number}", remedy="Mend the line, or leave the file out; its form is PACE 2018's."
    )


def numbers(words: list[str], count: int, name: str, number: int) -> list[int]:
    """The whole numbers after a line's first word."""
    try:
        found = [int(word) for word in words[1:]]
    except ValueError:
        found = []
    if len(found) != count:
        raise wrong(f"“{' '.join(words)}” should have {count} whole number{'s' * (count > 1)}.", name, number)
    return found


def sections(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """The number, section and words of every line that says something."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        first = words[0].lower()
        if first == "section":
            section = " ".join(words[1:]).lower()
        elif first in ("end", "eof"):
            section = ""
        elif section in READ:
            yield number, section, words


def read_lines(text: str, name: str) -> Found:
    found = Found()
    for number, section, words in sections(text):
        kind = words[0].lower()
        if kind in COUNTS:
            found.counts[kind] = numbers(words, 1, name, number)[0]
            if not 0 <= found.counts[kind] <= (EDGES_MAX if kind == "edges" else VERTICES_MAX):
                raise wrong(f"{found.counts[kind]} {kind} are more than can be read.", name, number)
            continue
        if (kind, section) not in (("e", "graph"), ("t", "terminals")):
            raise wrong(f"“{' '.join(words)}” is nothing that belongs into the section {section}.", name, number)
        said = numbers(words, 3 if kind == "e" else 1, name, number)
        nodes = found.counts.get("nodes", 0)
        for vertex in said[:2]:
            if not 1 <= vertex <= nodes:
                raise wrong(f"Vertex {vertex} is not among 1 to {nodes}.", name, number)
        if kind == "e":
            if said[2] < 0:
                raise wrong(f"The edge costs {said[2]}; a cost is 0 or more.", name, number)
            found.edges.append((said[0], said[1], said[2]))
        else:
            found.terminals.append(said[0])
    return found


def read_pace(text: str, name: str = "file") -> tuple[Graph, Ints]:
    """The graph and its terminals, both counted from 0; an edge from a vertex to itself is left out. name: for errors.

    InvalidInput: a line cannot be understood, leads out of the graph, or the counts are not those that were announced.
    """
    found = read_lines(text, name)
    told = {"edges": len(found.edges), "terminals": len(found.terminals)}
    for what in ("nodes", "edges", "terminals"):
        if what not in found.counts or (what in told and told[what] != found.counts[what]):
            there = (
                "says nothing" if what not in found.counts else f"announces {found.counts[what]}, and has {told[what]}"
            )
            raise InvalidInput(f"Of {what} it {there}.", where=name, remedy="See whether the file is whole.")
    if not found.terminals:
        raise InvalidInput("It has no terminal.", where=name, remedy="Name at least one vertex to be reached.")
    columns = np.array(found.edges, np.int64).reshape(-1, 3)
    columns = columns[columns[:, 0] != columns[:, 1]]
    graph = Graph.of(found.counts["nodes"], columns[:, 0] - 1, columns[:, 1] - 1, columns[:, 2])
    return graph, np.unique(np.array(found.terminals, np.int64) - 1)
