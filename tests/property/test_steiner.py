"""What must hold of Steiner trees in any graph: the optimum is found, bounds never lie, and nothing is lost on the
way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.optimiser import Graph, check_tree, solve
from broadstreet.optimiser.ascent import PATIENCES, ascend
from broadstreet.optimiser.crossing import cross
from broadstreet.optimiser.incumbent import Incumbent
from broadstreet.optimiser.instance import Change, Instance
from broadstreet.optimiser.proof import prove
from broadstreet.optimiser.replacement import replace_vertices, shorten
from broadstreet.optimiser.table import Table
from broadstreet.optimiser.thinning import join_terminals, thin
from broadstreet.optimiser.walk import Walker

pytestmark = pytest.mark.xdist_group("optimiser")
EXAMPLES = settings(max_examples=150, deadline=None)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Graph, np.ndarray]:
    """A connected graph of up to nine vertices, with few different costs, so that many trees cost the same."""
    n = draw(st.integers(2, 9))
    most = draw(st.sampled_from([1, 3, 12, 10**12]))
    costs = st.integers(0 if most < 10**6 else 10**12 - 40, most)
    edges = [(v, draw(st.integers(0, v - 1)), draw(costs)) for v in range(1, n)]
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), costs).filter(lambda e: e[0] != e[1])
    edges += draw(st.lists(pairs, max_size=2 * n))
    left, right, cost = np.array(edges, np.int64).T
    terminals = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True))
    return Graph.of(n, left, right, cost), np.array(sorted(terminals), np.int64)


def spanning_cost(graph: Graph, inside: set[int]) -> int | None:
    """What a least spanning tree of some vertices costs; None where they are not connected."""
    parts = {v: {v} for v in inside}
    total = 0
    for e in np.argsort(graph.cost, kind="stable").tolist():
        u, v = int(graph.left[e]), int(graph.right[e])
        if u in inside and v in inside and parts[u] is not parts[v]:
            total += int(graph.cost[e])
            parts[u] |= parts[v]
            for x in parts[v]:
                parts[x] = parts[u]
    return total if len(next(iter(parts.values()))) == len(inside) else None


def optimum(graph: Graph, terminals: np.ndarray) -> int:
    """The cheapest of the least spanning trees of all sets of vertices that hold the terminals."""
    wanted = set(terminals.tolist())
    others = [v for v in range(graph.vertices) if v not in wanted]
    costs = (
        spanning_cost(graph, wanted | set(more))
        for count in range(len(others) + 1)
        for more in itertools.combinations(others, count)
    )
    return min(cost for cost in costs if cost is not None)


def left_optimum(instance: Instance) -> int:
    return instance.fixed_cost + optimum(instance.graph, instance.terminals)


@given(problems())
@EXAMPLES
def test_the_optimum_is_found_and_proven(problem: tuple[Graph, np.ndarray]) -> None:
    graph, terminals = problem
    solution = solve(graph, terminals, seconds=60)
    assert solution.cost == solution.bound == optimum(graph, terminals)
    assert check_tree(graph, terminals, solution.edges) == solution.cost


@given(problems())
@EXAMPLES
def test_no_reduction_loses_the_optimum(problem: tuple[Graph, np.ndarray]) -> None:
    graph, terminals = problem
    best = optimum(graph, terminals)
    first = Instance.of(graph, terminals)
    for reduction in (thin, join_terminals, shorten, replace_vertices):
        instance = first
        for _ in range(4):
            change = reduction(instance)
            instance, _ = instance.apply(change or Change(np.ones(instance.graph.edges, np.bool_)))
            assert left_optimum(instance) == best
        incumbent = Incumbent(graph, terminals, lambda: None)
        walker = Walker(instance, np.random.default_rng(0))
        incumbent.offer(instance, walker.chosen)
        assert best <= incumbent.cost <= walker.cost + instance.fixed_cost
        assert check_tree(graph, terminals, incumbent.edges) == incumbent.cost


@given(problems())
@EXAMPLES
def test_the_bound_holds_from_every_root_and_rules_out_nothing_better(problem: tuple[Graph, np.ndarray]) -> None:
    graph, terminals = problem
    best = optimum(graph, terminals)
    instance = Instance.of(graph, terminals)
    for root, patience in itertools.product(terminals.tolist(), PATIENCES):
        bound, reduced = ascend(graph.rows, graph.cost, instance.terminal, root, patience)
        assert bound <= best
        assert reduced.min(initial=0) >= 0
        incumbent = Incumbent(graph, terminals, lambda: None)
        incumbent.cost = best + 1  # as if a tree of this cost were known
        smaller, bound = prove(instance, incumbent, root, np.random.default_rng(0))
        assert bound <= best
        if incumbent.cost > best:
            assert left_optimum(smaller) == best


@given(problems())
@EXAMPLES
def test_the_table_has_the_optimum(problem: tuple[Graph, np.ndarray]) -> None:
    graph, terminals = problem
    if len(terminals) == 1:
        return
    instance = Instance.of(graph, terminals)
    assert Table.fits(instance)
    table = Table(instance)
    while not table.is_done:
        table.step()
    incumbent = Incumbent(graph, terminals, lambda: None)
    incumbent.offer(instance, table.tree())
    assert check_tree(graph, terminals, incumbent.edges) == incumbent.cost == optimum(graph, terminals)


@given(problems(), st.integers(0, 5))
@EXAMPLES
def test_two_trees_crossed_are_a_tree_no_dearer_than_either(problem: tuple[Graph, np.ndarray], seed: int) -> None:
    graph, terminals = problem
    instance, random = Instance.of(graph, terminals), np.random.default_rng(seed)
    one, other = Walker(instance, random), Walker(instance, random)
    crossed = cross(instance, one.chosen, other.chosen, random)
    cost = check_tree(graph, terminals, np.flatnonzero(crossed))
    assert optimum(graph, terminals) <= cost <= min(one.cost, other.cost)
    assert not (crossed & ~(one.chosen | other.chosen)).any()


@given(problems(), st.integers(0, 5))
@EXAMPLES
def test_every_step_of_a_walk_is_a_tree_and_none_is_dearer(problem: tuple[Graph, np.ndarray], seed: int) -> None:
    graph, terminals = problem
    walker = Walker(Instance.of(graph, terminals), np.random.default_rng(seed))
    cost = walker.cost
    for _ in range(3):
        walker.step()
        assert check_tree(graph, terminals, np.flatnonzero(walker.chosen)) == walker.cost <= cost
        cost = walker.cost
    assert cost >= optimum(graph, terminals)
