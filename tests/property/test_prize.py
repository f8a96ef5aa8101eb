"""What must hold of trees that collect prizes, in any graph: the optimum is found, bounds never lie, and on graphs too
large to try everything a tree is one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser import Collected, Graph, Lots, OverBudget, Spender, check_tree, collect
from broadstreet.optimiser.prize import prune_prizes

pytestmark = pytest.mark.xdist_group("optimiser")
EXAMPLES = settings(max_examples=100, deadline=None)

Problem = tuple[Graph, int, np.ndarray, list[int]]


@st.composite
def problems(draw: st.DrawFn, is_tree: bool = False) -> Problem:
    """A graph of up to eight vertices, not always connected, with a root, prizes, and vertices that must be joined."""
    n = draw(st.integers(2, 8))
    most = draw(st.sampled_from([1, 3, 12, 10**12]))
    costs = st.integers(0 if most < 10**6 else 10**12 - 40, most)
    prizes = st.integers(0, 2 * most) | st.just(0)
    edges = [(v, draw(st.integers(0, v - 1)), draw(costs)) for v in range(1, n)]
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), costs).filter(lambda e: e[0] != e[1])
    edges += [] if is_tree else draw(st.lists(pairs, max_size=2 * n))
    left, right, cost = np.array(edges, np.int64).T
    root = draw(st.integers(0, n - 1))
    terminals = draw(st.lists(st.integers(0, n - 1), max_size=2))
    if not is_tree and draw(st.booleans()):  # a part of its own
        left, right, cost = np.append(left, n), np.append(right, n + 1), np.append(cost, most)
        n += 2
    prize = np.array([draw(prizes) for _ in range(n)], np.int64)
    return Graph.of(n, left, right, cost), root, prize, terminals


def optimum(problem: Problem) -> int:
    """The cheapest of the least spanning trees of all sets of vertices that hold the root and the terminals, with what
    each forgoes."""
    graph, root, prize, terminals = problem
    wanted = {root, *terminals}
    others = [v for v in range(graph.vertices) if v not in wanted]
    found = []
    for count in range(len(others) + 1):
        for more in itertools.combinations(others, count):
            inside = wanted | set(more)
            spanned = spanning_cost(graph, inside)
            if spanned is not None:
                found.append(spanned + sum(int(prize[v]) for v in range(graph.vertices) if v not in inside))
    return min(found)


def spanning_cost(graph: Graph, inside: set[int]) -> int | None:
    """What a least spanning tree of some vertices costs; None where they are not connected."""
    part = {v: v for v in inside}
    total = 0
    for e in np.argsort(graph.cost, kind="stable").tolist():
        u, v = int(graph.left[e]), int(graph.right[e])
        if u in inside and v in inside and part[u] != part[v]:
            total += int(graph.cost[e])
            part = {x: part[v] if at == part[u] else at for x, at in part.items()}
    return total if len(set(part.values())) == 1 else None


def check(problem: Problem, collected: Collected) -> None:
    """From the definition alone: a tree with the root and the terminals, that costs what is said."""
    graph, root, prize, terminals = problem
    inside = np.flatnonzero(collected.inside).tolist()
    assert {root, *terminals} <= set(inside)
    edges = check_tree(graph, inside, collected.edges)
    assert {v for e in collected.edges for v in (int(graph.left[e]), int(graph.right[e]))} <= set(inside)
    assert collected.cost == edges + int(prize[~collected.inside].sum())
    assert collected.bound <= collected.cost


@given(problems())
@EXAMPLES
def test_the_optimum_is_found_and_proven(problem: Problem) -> None:
    graph, root, prize, terminals = problem
    collected = collect(graph, root, prize, terminals=terminals, seconds=60)
    assert collected.cost == collected.bound == optimum(problem)
    check(problem, collected)


@given(problems(is_tree=True))
@EXAMPLES
def test_a_tree_is_pruned_to_the_best_it_holds(problem: Problem) -> None:
    """On a graph that is a tree the best of the trees it holds is the optimum."""
    graph, root, prize, terminals = problem
    terminal = np.zeros(graph.vertices, np.bool_)
    terminal[[root, *terminals]] = True
    kept, gain = prune_prizes(graph.rows, graph.cost, prize, terminal, np.ones(graph.edges, np.bool_), root)
    assert int(prize.sum()) - gain == optimum(problem)
    inside = {root, *graph.left[kept].tolist(), *graph.right[kept].tolist()}
    assert gain == sum(int(prize[v]) for v in inside) - check_tree(graph, inside, np.flatnonzero(kept))


@pytest.mark.parametrize("seed", range(4))
def test_larger_ones_have_a_tree_and_a_bound(seed: int) -> None:
    """A grid of 900 crossings, half of which have a prize that pays two or three edges; and the work broken off, which
    leaves a tree and a bound, too."""
    random = np.random.default_rng(seed)
    at = np.arange(900).reshape(30, 30)
    left = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    right = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    graph = Graph.of(900, left, right, random.integers(50, 150, len(left)))
    prize = random.integers(0, 250, 900) * (random.random(900) < 0.5)
    problem = graph, 0, prize, [int(random.integers(900))]
    ticks = itertools.count()
    told: list[Collected] = []
    best = collect(
        graph, 0, prize, terminals=problem[3], seconds=40.0, clock=lambda: float(next(ticks)), on_progress=told.append
    )
    check(problem, best)
    check(problem, told[0])
    assert told[0].cost >= best.cost > best.bound * 0.97
    assert best.bound > 0
    assert max(each.bound for each in told) <= best.cost


def test_what_is_no_problem_is_refused() -> None:
    graph = Graph.of(4, np.array([0, 2]), np.array([1, 3]), np.array([5, 5]))
    nothing = np.zeros(4, np.int64)
    with pytest.raises(InvalidInput, match="Terminal 3 cannot be reached from the root 0"):
        collect(graph, 0, nothing, terminals=[3], seconds=1)
    with pytest.raises(InvalidInput, match="vertices of the graph, 0 to 3"):
        collect(graph, 4, nothing, seconds=1)
    for prizes in (nothing[:2], nothing - 1, nothing + 2**61):
        with pytest.raises(InvalidInput, match="Prizes are one for each of 4 vertices"):
            collect(graph, 0, prizes, seconds=1)


@st.composite
def purchases(draw: st.DrawFn) -> tuple[Graph, int, Lots, int]:
    graph, root, _, _ = draw(problems().filter(lambda problem: problem[0].vertices < 8))
    most = max(1, int(graph.cost.max()))
    lot = st.tuples(
        st.integers(0, graph.vertices - 1),
        st.integers(0, 5),
        st.integers(0, most),
        st.sampled_from([False] * 4 + [True]),
    )
    vertex, points, cost, needed = np.array(draw(st.lists(lot, min_size=1, max_size=5)), np.int64).T
    lots = Lots(vertex, points, cost, needed.astype(np.bool_))
    return graph, root, lots, draw(st.integers(0, 3 * most))


def dearest(purchase: tuple[Graph, int, Lots, int]) -> tuple[int | None, int | None]:
    """The most points that the budget buys, by trying all lots (None: not even what is needed), and what that costs at
    the least (None: it cannot be reached)."""
    graph, root, lots, budget = purchase
    nothing = np.zeros(graph.vertices, np.int64)
    best = least = None
    for taken in itertools.product([False, True], repeat=len(lots)):
        which = np.array(taken)
        if (lots.needed & ~which).any():
            continue
        try:
            whole = optimum((graph, root, nothing, lots.vertex[which].tolist())) + int(lots.cost[which].sum())
        except ValueError:
            continue  # no way leads there
        least = whole if least is None else min(least, whole)
        if whole <= budget:
            best = max(best or 0, int(lots.points[which].sum()))
    return best, least


@given(purchases())
@EXAMPLES
def test_a_budget_buys_no_more_than_its_bound(purchase: tuple[Graph, int, Lots, int]) -> None:
    graph, root, lots, budget = purchase
    best, least = dearest(purchase)
    spender = Spender(graph, root, lots, budget, seconds=60)
    if least is None:
        with pytest.raises(InvalidInput, match="cannot be reached"):
            spender.run()
        return
    if best is None:
        with pytest.raises(OverBudget) as over:
            spender.run()
        assert budget < least == over.value.least == over.value.cost
        return
    bought = spender.run()
    for budget_now, found in ((budget, bought), (budget // 2, spender.fit(budget // 2))):
        inside = {root, *lots.vertex[found.taken].tolist()}
        inside |= {v for e in found.edges for v in (int(graph.left[e]), int(graph.right[e]))}
        edges = check_tree(graph, inside, found.edges)
        assert found.cost == edges + int(lots.cost[found.taken].sum())
        assert found.points == int(lots.points[found.taken].sum())
        assert (lots.needed <= found.taken).all()
        assert found.cost <= budget_now or found.cost == int(least or 0)
    assert bought.cost <= budget
    assert bought.points <= best <= spender.bound
    again = Spender(graph, root, lots, budget, seconds=60)
    again.run(spender.price or None)
    assert best <= again.bound
