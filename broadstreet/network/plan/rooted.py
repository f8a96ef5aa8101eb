"""Opened ways as a tree that hangs from an office: who is above whom, and how far from the office."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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

    @classmethod
    def of(cls, ground: Ground, root: int, opened: Iterable[int]) -> Rooted:
        """Raises InvalidInput where the ways are no tree that holds the node `root`."""
        ways = sorted(set(opened))
        a, b, length_m = ground.ways.a, ground.ways.b, ground.ways.length_m
        beside: dict[int, list[tuple[int, int]]] = {}
        for way in ways:
            beside.setdefault(int(a[way]), []).append((int(b[way]), way))
            beside.setdefault(int(b[way]), []).append((int(a[way]), way))
        tree = cls([], [], [], [], [], [], {})
        waiting = [(root, -1, -1)]
        while waiting:
            node, up, way = waiting.pop()
            if node in tree.at:
                _refuse(f"they make a ring at way {way}", way)
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
        if len(tree.node) != len(ways) + 1:
            reached = set(tree.way)
            way = next(way for way in ways if way not in reached)
            _refuse(f"way {way} does not hang together with the office", way)
        return tree

    def __len__(self) -> int:
        return len(self.node)

    def ways_down(self, top: int, bottom: int) -> tuple[int, ...]:
        """The ways from one position to one below it."""
        ways = []
        while bottom != top:
            ways.append(self.way[bottom])
            bottom = self.up[bottom]
        return tuple(reversed(ways))


def _refuse(what: str, way: int) -> None:
    raise InvalidInput(
        f"the opened ways are no tree: {what}", where=f"way {way}", remedy="Give ways that form a tree from the office."
    )
