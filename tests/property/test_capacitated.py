"""What must hold of trees with stations, in any graph: the optimum is found and proven, no bound lies, and on graphs
too large to try everything an answer is one."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser import Capacitated, Graph, Size, Station, Stationed, check_stations, solve_stations
from broadstreet.optimiser.least import stations_bound, units_bound
from broadstreet.optimiser.program import NONE, Program
from broadstreet.optimiser.sharing import together_bound

pytestmark = pytest.mark.xdist_group("optimiser")


@st.composite
def problems(draw: st.DrawFn) -> Capacitated:
    """A connected graph of up to five vertices and seven edges with up to four terminals, and many ties."""
    n = draw(st.integers(1, 5))
    most = draw(st.sampled_from([1, 4, 20]))
    edges = [(v, draw(st.integers(0, v - 1)), draw(st.integers(0, most))) for v in range(1, n)]
    if n > 1:
        pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(0, most))
        edges += draw(st.lists(pairs.filter(lambda edge: edge[0] != edge[1]), max_size=7 - len(edges)))
    left, right, cost = np.array(edges, np.int64).reshape(-1, 3).T
    unit = np.array([draw(st.integers(0, 3)) for _ in edges], np.int64)
    terminals = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=4))
    sizes = draw(st.lists(st.tuples(st.integers(3, 8), st.integers(0, 3 * most)), min_size=1, max_size=3))
    return Capacitated.of(
        Graph.of(n, left, right, cost),
        unit,
        draw(st.integers(0, n - 1)),
        np.array(terminals),
        np.array([draw(st.integers(1, 3)) for _ in terminals]),
        sizes,
        ratio=draw(st.integers(1, 4)),
        splitter=draw(st.integers(0, most)),
    )


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    """All ways to part them into groups."""
    if not items:
        yield []
        return
    first, *rest = items
    for others in partitions(rest):
        yield [[first], *others]
        for at, group in enumerate(others):
            yield [*others[:at], [first, *group], *others[at + 1 :]]


def least(problem: Capacitated, opened: tuple[int, ...]) -> float:
    """The cheapest way to hang everyone on stations, with these edges opened: each parting into groups, each group at
    each vertex."""
    graph, n = problem.graph, problem.graph.vertices
    away = np.full((n, n), np.inf)
    away[np.arange(n), np.arange(n)] = 0
    for e in opened:
        u, v = graph.left[e], graph.right[e]
        away[u, v] = away[v, u] = min(away[u, v], problem.unit[e])
    for middle in range(n):
        away = np.minimum(away, away[:, middle, None] + away[None, middle])

    def alone(group: list[int]) -> float:
        units = int(problem.demand[group].sum())
        sizes = [size.cost for size in problem.sizes if size.capacity >= units]
        if not sizes:
            return float("inf")
        up = -(-units // problem.ratio)
        legs = (problem.demand[group][:, None] * away[problem.terminals[group]]).sum(axis=0)
        return float((legs + up * away[problem.root]).min()) + min(sizes) + up * problem.splitter

    groups = [sum(map(alone, groups)) for groups in partitions(list(range(len(problem.terminals))))]
    return min(groups) + int(graph.cost[list(opened)].sum())


def optimum(problem: Capacitated) -> int:
    edges = range(problem.graph.edges)
    sets = itertools.chain.from_iterable(itertools.combinations(edges, count) for count in range(len(edges) + 1))
    return int(min(least(problem, opened) for opened in sets))


def check(problem: Capacitated, solution: Stationed) -> None:
    assert check_stations(problem, solution.edges.tolist(), solution.stations) == solution.cost
    assert solution.bound <= solution.cost


@given(problems())
@settings(max_examples=60, deadline=None)
def test_the_optimum_is_found_and_proven(problem: Capacitated) -> None:
    told: list[Stationed] = []
    solution = solve_stations(problem, seconds=60, on_progress=told.append)
    best = optimum(problem)
    assert solution.cost == solution.bound == best
    check(problem, solution)
    for each in told:
        check(problem, each)
        assert each.bound <= best <= each.cost
    free = dataclasses.replace(problem.graph, cost=np.zeros_like(problem.graph.cost))
    beside = int(least(dataclasses.replace(problem, graph=free), tuple(range(free.edges))))
    assert stations_bound(problem) + units_bound(problem) <= beside
    assert together_bound(problem) <= beside


def grid(seed: int) -> Capacitated:
    """400 crossings, at 60 of which somebody is."""
    random = np.random.default_rng(seed)
    at = np.arange(400).reshape(20, 20)
    left = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    right = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    graph = Graph.of(400, left, right, random.integers(50, 150, len(left)))
    unit, terminals = random.integers(1, 9, len(left)), random.choice(400, 60)
    demand = random.integers(1, 6, 60)
    return Capacitated.of(graph, unit, 0, terminals, demand, [(12, 200), (40, 350)], ratio=8, splitter=30)


@pytest.mark.parametrize("seed", range(3))
def test_larger_ones_have_an_answer_and_a_bound(seed: int) -> None:
    """The work is broken off after so many looks at the clock, the same answer each time, and not worse than stations
    on a Steiner tree."""
    problem = grid(seed)
    found = []
    for _ in range(2):
        told: list[Stationed] = []
        solution = solve_stations(
            problem, seconds=400, seed=seed, clock=itertools.count().__next__, on_progress=told.append
        )
        check(problem, solution)
        assert [each.cost for each in told] == sorted((each.cost for each in told), reverse=True)
        assert solution.cost < told[0].cost
        found.append((solution.cost, solution.bound, solution.stations, solution.edges.tolist()))
    assert found[0] == found[1]


def line() -> Capacitated:
    """A root and three places in a line, with somebody at each but the root."""
    graph = Graph.of(4, np.array([0, 1, 2]), np.array([1, 2, 3]), np.array([10, 10, 10]))
    return Capacitated.of(
        graph, np.array([1, 1, 1]), 0, np.array([1, 2, 3]), np.array([2, 2, 2]), [(4, 7), (6, 9)], ratio=4, splitter=5
    )


def test_an_answer_costs_what_its_pieces_do() -> None:
    problem = line()
    # Edges; two from each side to the middle; a station; six units become two, which go two edges up.
    assert check_stations(problem, [0, 1, 2], [Station(2, 1, (0, 1, 2))]) == 30 + 2 + 2 + 9 + 2 * 5 + 2 * 2


@pytest.mark.parametrize(
    ("edges", "stations", "what"),
    [
        ([0, 1, 1, 2], [Station(2, 1, (0, 1, 2))], "twice"),
        ([0, 1, 3], [Station(2, 1, (0, 1, 2))], "none of the graph's"),
        ([0, 1, 2], [Station(2, 1, (0, 1))], "no station"),
        ([0, 1, 2], [Station(2, 1, (0, 1, 2)), Station(1, 0, (0,))], "two"),
        ([0, 1, 2], [Station(2, 1, (0, 1, 2)), Station(1, 0, ())], "empty"),
        ([0, 1, 2], [Station(2, 2, (0, 1, 2))], "no size"),
        ([0, 1, 2], [Station(2, 0, (0, 1, 2))], "no room"),
        ([0, 1], [Station(2, 1, (0, 1, 2))], "No opened edges"),
        ([1, 2], [Station(2, 1, (0, 1, 2))], "No opened edges"),
    ],
)
def test_what_is_no_answer_is_seen(edges: list[int], stations: list[Station], what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        check_stations(line(), edges, stations)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"sizes": ()}, "Stations take"),
        ({"sizes": (Size(4, -1),)}, "Stations take"),
        ({"unit": np.array([1])}, "price for a unit"),
        ({"terminals": np.array([1, 2, 9])}, "are vertices"),
        ({"demand": np.array([1, 2])}, "each with a demand"),
        ({"demand": np.array([1, 2, 7])}, "Terminal 2 needs 7"),
        ({"demand": np.array([1, 0, 2])}, "Terminal 1 needs 0"),
        ({"ratio": 0}, "splitter"),
        ({"splitter": 2**60}, "cost more than"),
    ],
)
def test_what_is_no_problem_is_refused(changed: dict[str, Any], what: str) -> None:
    wrong = dataclasses.replace(line(), **changed)
    with pytest.raises(InvalidInput, match=what):
        Capacitated.of(
            wrong.graph,
            wrong.unit,
            wrong.root,
            wrong.terminals,
            wrong.demand,
            wrong.sizes,
            ratio=wrong.ratio,
            splitter=wrong.splitter,
        )


def test_who_cannot_be_reached_is_named() -> None:
    graph = Graph.of(3, np.array([0]), np.array([1]), np.array([1]))
    problem = Capacitated.of(graph, np.array([1]), 0, np.array([1, 2]), np.array([1, 1]), [(4, 1)], ratio=2, splitter=0)
    with pytest.raises(InvalidInput, match="cannot be reached"):
        solve_stations(problem, seconds=1)


def test_that_there_is_no_answer_is_proved_in_whole_numbers() -> None:
    """Two columns of at most 1 cannot be 3; with one of at most 2 they can, and cost what they must."""
    program = Program()
    columns = program.columns([5, 7], 2)
    program.row(3, [(int(column), 1) for column in columns], NONE)
    program.row(-NONE, [(int(columns[0]), 1), (int(columns[1]), -1)], 0)
    program.ready()
    low = np.zeros(2, np.int64)
    assert program.solve(low, np.array([1, 1]), bool).total == NONE
    proved = program.solve(low, np.array([1, 2]), bool)
    assert -(-proved.total // proved.grain) == 5 + 2 * 7
    halves = program.solve(low, np.array([2, 2]), bool)
    assert -(-halves.total // halves.grain) == 18, "one and a half of each"
    assert halves.value.tolist() == pytest.approx([1.5, 1.5])
