"""Opened ways as trees that hang from offices: who is above whom, and how far from the office."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.ground import Ground


@dataclass(frozen=True, slots=True, eq=False)
class Rooted:
    """Positions, the office's first and each before those below it; a subtree's are consecutive.

    node: the ground's. up: the position above, -1 for the office's. way: the one that leads there. depth_m: from the
    office's node. at: the position of each node. below: the positions right below each.
    """

    node: list[int]
    up: list[int]
    way: list[int]
    length_m: list[float]
    depth_m: list[float]
    below: list[list[int]]
    at: dict[int, int]

    def __len__(self) -> int:
        return len(self.node)

    def ways_down(self, top: int, bottom: int) -> tuple[int, ...]:
        """The ways from one position to one below it."""
        ways = []
        while bottom != top:
            ways.append(self.way[bottom])
            bottom = self.up[bottom]
        return tuple(reversed(ways))


def rooted(ground: Ground, roots: Sequence[int], opened: Iterable[int]) -> list[Rooted]:
    """The tree of each of these nodes. Raises InvalidInput where the ways are no trees, each of which holds just one of
    the roots."""
    ways = sorted(set(opened))
    a, b, length_m = ground.ways.a, ground.ways.b, ground.ways.length_m
    beside: dict[int, list[tuple[int, int]]] = {}
    for way in ways:
        beside.setdefault(int(a[way]), []).append((int(b[way]), way))
        beside.setdefault(int(b[way]), []).append((int(a[way]), way))
    trees: list[Rooted] = []
    of: dict[int, int] = {}
    for number, root in enumerate(roots):
        tree = Rooted([], [], [], [], [], [], {})
        waiting = [(root, -1, -1)]
        while waiting:
            node, up, way = waiting.pop()
            if node in of:
                what = "they make a ring" if of[node] == number else "two offices hang together"
                _refuse(f"{what} at way {way}" if way >= 0 else f"{what} at node {node}", way)
            of[node] = number
            here = tree.at[node] = len(tree.node)
            tree.node.append(node)
            tree.up.append(up)
            tree.way.append(way)
            tree.length_m.append(float(length_m[way]) if up >= 0 else 0.0)
            tree.depth_m.append(tree.depth_m[up] + tree.length_m[here] if up >= 0 else 0.0)
            tree.below.append([])
            if up >= 0:
                tree.below[up].append(here)
            waiting.extend((other, here, by) for other, by in reversed(beside.get(node, ())) if by != way)
        trees.append(tree)
    if sum(len(tree) - 1 for tree in trees) != len(ways):
        reached = {way for tree in trees for way in tree.way}
        way = next(way for way in ways if way not in reached)
        _refuse(f"way {way} does not hang together with an office", way)
    return trees


def _refuse(what: str, way: int) -> NoReturn:
    raise InvalidInput(
        f"the opened ways are no tree: {what}",
        where=f"way {way}" if way >= 0 else "offices",
        remedy="Give ways that form a tree from each office.",
    )
