"""What must hold of forests that reach, in any graph: everyone is near enough to his root, what it costs is what is
said, roots and cuts are the best there are for a tree, and nothing is cheaper than the cheapest of all."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.optimiser import Graph, Reaching, distances, reaching, solve
from broadstreet.optimiser.grafting import graft, reach
from broadstreet.optimiser.graph import FAR
from broadstreet.optimiser.rehanging import hang, rehang
from broadstreet.optimiser.seating import seat

pytestmark = pytest.mark.xdist_group("optimiser")
EXAMPLES = settings(max_examples=60, deadline=None)


@st.composite
def problems(draw: st.DrawFn, *, edges_more: int = 3) -> Reaching:
    """A connected graph of up to eight vertices with two to four roots, of which each vertex can be near enough to
    one."""
    n = draw(st.integers(2, 8))
    costs, lengths = st.integers(0, draw(st.sampled_from([1, 20]))), st.integers(1, 9)
    edges = [(v, draw(st.integers(0, v - 1)), draw(costs), draw(lengths)) for v in range(1, n)]
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), costs, lengths).filter(lambda e: e[0] != e[1])
    edges += draw(st.lists(pairs, max_size=edges_more))
    left, right, cost, length = np.array(edges, np.int64).T.copy()
    graph = Graph.of(n, left, right, cost)
    units = np.array(draw(st.lists(st.sampled_from([0, 0, 1, 5]), min_size=n, max_size=n)), np.int64)
    units[draw(st.integers(0, n - 1))] = 2
    root = np.array(draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=4)), np.int64)
    root_cost = np.array(draw(st.lists(st.sampled_from([0, 4, 30]), min_size=len(root), max_size=len(root))), np.int64)
    before = np.array(draw(st.lists(st.integers(0, 2), min_size=len(root), max_size=len(root))), np.int64)
    nearest = distances(graph, length, root, before)
    slack = np.array(draw(st.lists(st.sampled_from([0, 3, 100]), min_size=n, max_size=n)), np.int64)
    per_cost = draw(st.sampled_from([1, 7, FAR]))
    return Reaching(graph, length, units, nearest + slack, root, root_cost, before, per_cost)


def parts_of(problem: Reaching, edges: tuple[int, ...]) -> list[set[int]] | None:
    """The vertices that edges hold together; None where these make a ring."""
    part = {v: {v} for v in range(problem.graph.vertices)}
    for e in edges:
        u, v = int(problem.graph.left[e]), int(problem.graph.right[e])
        if part[u] is part[v]:
            return None
        part[u] |= part[v]
        for x in part[v]:
            part[x] = part[u]
    return list({id(vertices): vertices for vertices in part.values()}.values())


def far_from(problem: Reaching, edges: tuple[int, ...], r: int) -> dict[int, int]:
    """How far vertices of a root's tree are from it."""
    far, waiting = {int(problem.root[r]): int(problem.root_length[r])}, [int(problem.root[r])]
    while waiting:
        u = waiting.pop()
        for e in edges:
            ends = int(problem.graph.left[e]), int(problem.graph.right[e])
            if u in ends:
                v = ends[1 - ends.index(u)]
                if v not in far:
                    far[v] = far[u] + int(problem.length[e])
                    waiting.append(v)
    return far


def carried(problem: Reaching, edges: tuple[int, ...], r: int, vertices: set[int]) -> int | None:
    """Units times length to a root; None where somebody is too far from it."""
    far = far_from(problem, edges, r)
    wanted = [v for v in vertices if problem.units[v] > 0]
    if any(far[v] > problem.limit[v] for v in wanted):
        return None
    return sum(int(problem.units[v]) * far[v] for v in wanted)


def least_cost(problem: Reaching, among: list[int]) -> float:
    """The least that any forest of these edges costs, every one of them tried; infinite where there is none."""
    best = float("inf")
    for count in range(len(among) + 1):
        for edges in itertools.combinations(among, count):
            parts = parts_of(problem, edges)
            if parts is None:
                continue
            cost: float = int(problem.graph.cost[list(edges)].sum())
            for vertices in (part for part in parts if any(problem.units[v] > 0 for v in part)):
                roots = [r for r in range(len(problem.root)) if int(problem.root[r]) in vertices]
                found = [(carried(problem, edges, r, vertices), int(problem.root_cost[r])) for r in roots]
                cost += min((c / problem.per_cost + price for c, price in found if c is not None), default=float("inf"))
            best = min(best, cost)
    return best


def checked_cost(problem: Reaching, edges: list[int], roots: list[int]) -> int:
    """What a forest costs, after it was seen to hold everyone near enough to just one of its roots."""
    parts = parts_of(problem, tuple(edges))
    assert parts is not None
    held = {v for e in edges for v in (int(problem.graph.left[e]), int(problem.graph.right[e]))}
    total = 0
    for vertices in parts:
        here = [r for r in roots if int(problem.root[r]) in vertices]
        if any(problem.units[v] > 0 for v in vertices):
            assert len(here) == 1
            units = carried(problem, tuple(edges), here[0], vertices)
            assert units is not None
            total += units
        else:
            assert not here and not vertices & held
    return int(problem.graph.cost[edges].sum() + problem.root_cost[roots].sum()) + total // problem.per_cost


@given(problems(edges_more=0))
@EXAMPLES
def test_roots_and_cuts_are_the_best_for_a_tree(problem: Reaching) -> None:
    every = list(range(problem.graph.edges))
    kept, opened, fits = seat(problem.arrays, np.ones(len(every), np.bool_))
    least = least_cost(problem, every)
    assert fits == np.isfinite(least)
    if fits:
        parts = parts_of(problem, tuple(np.flatnonzero(kept).tolist()))
        assert parts is not None
        cost = float(problem.graph.cost[kept].sum() + problem.root_cost[opened].sum())
        for vertices in parts:
            for r in (r for r in np.flatnonzero(opened).tolist() if int(problem.root[r]) in vertices):
                units = carried(problem, tuple(np.flatnonzero(kept).tolist()), r, vertices)
                assert units is not None
                cost += units / problem.per_cost
        # Each one's carrying is rounded down by itself.
        assert least - len(problem.units) <= cost <= least + len(problem.units)
        free = dataclasses.replace(problem, per_cost=FAR)
        kept, opened, fits = seat(free.arrays, np.ones(len(every), np.bool_))
        assert problem.graph.cost[kept].sum() + problem.root_cost[opened].sum() == int(least_cost(free, every))


@given(problems())
@EXAMPLES
def test_everyone_is_reached_and_nothing_is_cheaper_than_the_cheapest(problem: Reaching) -> None:
    terminals = np.flatnonzero(problem.units > 0)
    tree = solve(problem.graph, terminals, seconds=60).edges
    forest = reaching(problem, tree)
    assert checked_cost(problem, forest.edges.tolist(), forest.roots.tolist()) == forest.cost
    assert int(least_cost(problem, list(range(problem.graph.edges)))) <= forest.cost


@given(problems())
@EXAMPLES
def test_hanging_better_costs_no_more(problem: Reaching) -> None:
    """Every root opened that is nearest to itself by what was grafted, shortest ways from each: from there on it only
    gets cheaper, and nobody is too far."""
    kept, there = graft(problem.arrays, np.zeros(problem.graph.edges, np.bool_))
    nearest, _ = reach(problem.graph.rows, problem.length, there, problem.root, problem.root_length)
    opened = np.zeros(len(problem.root), np.bool_)
    for r, v in enumerate(problem.root.tolist()):
        opened[r] = problem.root_length[r] == nearest[v] and not opened[problem.root == v].any()

    def cost() -> float:
        hung = hang(problem.arrays, kept, opened)
        reached = problem.units > 0
        assert (hung.depth[reached] <= problem.limit[reached]).all()
        units = int((problem.units[reached] * hung.depth[reached]).sum())
        return float(problem.graph.cost[kept].sum() + problem.root_cost[opened].sum()) + units / problem.per_cost

    before = cost()
    rehang(problem.arrays, kept, opened)
    after = cost()
    assert after <= before + len(problem.units)
    rehang(problem.arrays, kept, opened)
    assert cost() == after
