"""What must hold of networks with two ways, in any graph: the optimum is found, bounds never lie, ways are apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser import Graph, RingSolver, apart, check_rings, sole_edges, solve_rings
from broadstreet.optimiser.bridges import is_sound
from broadstreet.optimiser.cuts import IN, OUT
from broadstreet.optimiser.kernel import kernel_of
from broadstreet.optimiser.relaxation import Relaxation

pytestmark = pytest.mark.xdist_group("optimiser")
EXAMPLES = settings(max_examples=40, deadline=None)
EDGES_MAX = 10
SECONDS = 60.0

Problem = tuple[Graph, list[int], np.ndarray, np.ndarray]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A connected graph of few vertices, with few different costs, so that many networks cost the same; roots,
    terminals, and which of them are critical."""
    n = draw(st.integers(2, 6))
    most = draw(st.sampled_from([1, 3, 12, 10**12]))
    costs = st.integers(0 if most < 10**6 else 10**12 - 40, most)
    edges = [(v, draw(st.integers(0, v - 1)), draw(costs)) for v in range(1, n)]
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), costs).filter(lambda e: e[0] != e[1])
    edges += draw(st.lists(pairs, max_size=EDGES_MAX - len(edges)))
    left, right, cost = np.array(edges, np.int64).T
    some = st.lists(st.integers(0, n - 1), max_size=n, unique=True)
    roots = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=2, unique=True))
    terminals, critical = (np.array(sorted(draw(some)), np.int64) for _ in range(2))
    return Graph.of(n, left, right, cost), roots, terminals, critical


def networks(problem: Problem) -> list[np.ndarray]:
    """Every choice of edges that is a network, tried by the definition."""
    graph, roots, terminals, critical = problem
    found = []
    for mask in range(1 << graph.edges):
        edges = np.flatnonzero([mask >> e & 1 for e in range(graph.edges)])
        try:
            check_rings(graph, roots, terminals, critical, edges)
        except InvalidInput:
            continue
        found.append(edges)
    return found


def optimum(problem: Problem) -> int:
    return min(int(problem[0].cost[edges].sum()) for edges in networks(problem))


@given(problems())
@EXAMPLES
def test_the_optimum_is_found_and_proven(problem: Problem) -> None:
    solution = solve_rings(*problem, seconds=SECONDS)
    assert solution.cost == solution.bound == optimum(problem)
    assert check_rings(*problem, solution.edges) == solution.cost


@given(problems())
@EXAMPLES
def test_cases_alone_find_it_too(problem: Problem) -> None:
    """Where the linear program is asked nothing first, all that it would have said comes out by cases."""
    solver = RingSolver(*problem, seconds=SECONDS)
    best = optimum(problem)
    solver.relaxation = Relaxation(solver.kernel, np.random.default_rng(0))
    assert solver.relaxation.bound + solver.kernel.fixed_cost <= best
    solver.bound = 0
    solver._cases()
    assert solver.solution.cost == solver.solution.bound == best


@given(problems(), st.integers(0, 2**31))
@EXAMPLES
def test_no_bound_is_above_what_it_bounds(problem: Problem, seed: int) -> None:
    """Of the whole kernel, and of any case of it, after every round."""
    graph, roots, terminals, critical = problem
    kernel = kernel_of(graph, roots, terminals, critical)
    random = np.random.default_rng(seed)
    edges = kernel.graph.edges
    state = random.choice([0, 0, IN, OUT], edges)
    costs, cases = [], []
    for mask in range(1 << edges):
        held = np.array([mask >> e & 1 for e in range(edges)], np.bool_)
        if is_sound(kernel.graph.rows, held, kernel.root, kernel.terminal, kernel.critical):
            costs.append(int(kernel.graph.cost[held].sum()))
            if held[state == IN].all() and not held[state == OUT].any():
                cases.append(costs[-1])
    assert min(costs) + kernel.fixed_cost == optimum(problem)  # nothing is lost on the way to the kernel
    relaxation = Relaxation(kernel, random)
    far = 10**14
    for decided, whole in ((np.zeros(edges, np.int64), costs), (state, cases)):
        relaxation.decide(decided)
        for _ in range(10):
            more = relaxation.round(far)
            assert relaxation.bound <= min(whole, default=far * 10)
            if not more:
                break


@given(problems(), st.integers(0, 2**31))
@EXAMPLES
def test_ways_are_parted_into_two_trees(problem: Problem, seed: int) -> None:
    graph, roots, _, critical = problem
    random = np.random.default_rng(seed)
    front = graph.vertices
    ends = [graph.left, graph.right]
    for at, root in ((end, root) for root in roots for end in (0, 1)):
        ends[at] = np.append(ends[at], root)
        ends[1 - at] = np.append(ends[1 - at], front)
    joined = Graph.of(front + 1, ends[0], ends[1], np.zeros(len(ends[0]), np.int64))
    twice = [v for v in critical.tolist() if sole_edges(joined, front)[v] == -2]
    first, second = apart(graph, roots, range(graph.edges), twice, random.random(graph.edges))
    ways = [ways_from(graph, roots, edges.tolist()) for edges in (first, second)]
    assert ways[0].keys() == set(range(graph.vertices))
    for v in twice:
        assert not set(ways[0][v]) & set(ways[1][v])
    for v in set(critical.tolist()) - set(twice) - set(roots):
        with pytest.raises(InvalidInput, match="no two ways"):
            apart(graph, roots, range(graph.edges), [v], np.ones(graph.edges))


def ways_from(graph: Graph, roots: list[int], edges: list[int]) -> dict[int, tuple[int, ...]]:
    """The way to each vertex that these edges, a tree from each root, lead to."""
    ways: dict[int, tuple[int, ...]] = dict.fromkeys(roots, ())
    waiting = list(roots)
    while waiting:
        v = waiting.pop()
        for e in edges:
            for one, other in ((graph.left[e], graph.right[e]), (graph.right[e], graph.left[e])):
                if one == v and other not in ways:
                    ways[int(other)] = (*ways[v], e)
                    waiting.append(int(other))
    assert len(edges) == len(ways) - len(set(roots))
    return ways
