"""What hangs together in a graph that is given as two columns of nodes, one row an edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.network.ground.courses import I8

Step = tuple[int, bool]
"""An edge of a chain, and whether it is walked from its second node to its first."""


def components(node_count: int, a: NDArray[np.integer], b: NDArray[np.integer]) -> I8:
    """For each node the smallest number of a node that can be reached from it."""
    label = np.arange(node_count, dtype=np.int64)
    while True:
        low = np.minimum(label[a], label[b])
        before = label.copy()
        np.minimum.at(label, label[a], low)
        np.minimum.at(label, label[b], low)
        label = label[label]
        while not np.array_equal(shorter := label[label], label):
            label = shorter
        if np.array_equal(before, label):
            return label


def chains(node_count: int, a: I8, b: I8, trait: NDArray[np.integer]) -> list[list[Step]]:
    """Edges joined end to end wherever just two of one trait meet; each edge stands in one chain.

    A chain that comes back to where it began is given in two halves, so that no edge ends where it starts: there is
    none such among those given either.
    """
    joint = _joints(node_count, a, b, trait)
    ends = (a.tolist(), b.tolist())
    is_joint = (joint[:, 0] >= 0).tolist()
    beside = joint.tolist()
    used = [False] * len(a)
    found: list[list[Step]] = []

    def walk(edge: int, turned: bool) -> list[Step]:
        chain = [(edge, turned)]
        used[edge] = True
        node = ends[0 if turned else 1][edge]
        while is_joint[node]:
            one, other = beside[node]
            edge = other if one == edge else one
            if used[edge]:
                break
            used[edge] = True
            turned = ends[1][edge] == node
            chain.append((edge, turned))
            node = ends[0 if turned else 1][edge]
        return chain

    for edge in range(len(a)):
        if not used[edge]:
            if not is_joint[ends[0][edge]]:
                found.append(walk(edge, False))
            elif not is_joint[ends[1][edge]]:
                found.append(walk(edge, True))
    found.extend(walk(edge, False) for edge in range(len(a)) if not used[edge])  # what is left runs in circles
    return [half for chain in found for half in _halves(chain, ends)]


def _joints(node_count: int, a: I8, b: I8, trait: NDArray[np.integer]) -> I8:
    """The two edges that meet at a node where nothing else does and both have one trait; -1 at every other node."""
    node = np.concatenate((a, b))
    edge = np.tile(np.arange(len(a)), 2)
    order = np.argsort(node, kind="stable")
    degree = np.bincount(node, minlength=node_count)
    first = (np.cumsum(degree) - degree)[degree == 2]
    one, other = edge[order[first]], edge[order[first + 1]]
    joint = np.full((node_count, 2), -1, dtype=np.int64)
    same = trait[one] == trait[other]
    joint[np.flatnonzero(degree == 2)[same]] = np.column_stack((one, other))[same]
    return joint


def _halves(chain: list[Step], ends: tuple[list[int], list[int]]) -> list[list[Step]]:
    (first, turned), (last, last_turned) = chain[0], chain[-1]
    if len(chain) == 1 or ends[1 if turned else 0][first] != ends[0 if last_turned else 1][last]:
        return [chain]
    return [chain[: len(chain) // 2], chain[len(chain) // 2 :]]


def parts(node_count: int, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.int32]:
    """For each node which part of the graph it is in, the one with most nodes first; -1 for a node without an edge."""
    label = components(node_count, a, b)
    part = np.full(node_count, -1, dtype=np.int32)
    joined = np.unique(np.concatenate((a, b))).astype(np.int64)
    roots, number, counts = np.unique(label[joined], return_inverse=True, return_counts=True)
    rank = np.empty(len(roots), dtype=np.int32)
    rank[np.lexsort((roots, -counts))] = np.arange(len(roots))
    part[joined] = rank[number]
    return part
