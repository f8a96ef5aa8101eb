"""The dynamic programme that places closures and cabinets against every choice there is, on small trees."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.network.ground.courses import F8
from broadstreet.network.plan.gathering import EXACT_LEVELS, Branching, Gathering, gather, owners
from broadstreet.network.plan.rooted import Rooted

MOST = 6
FAR_M = 1e6


@st.composite
def problems(draw: st.DrawFn) -> Gathering:
    """A tree of up to seven positions with a table of prices that has steps and no order."""
    size = draw(st.integers(1, 7))
    up = [-1] + [draw(st.integers(0, position - 1)) for position in range(1, size)]
    # Positions are numbered as Rooted does: a subtree's follow one another.
    order: list[int] = []
    waiting = [0]
    while waiting:
        here = waiting.pop()
        order.append(here)
        waiting += [child for child in range(size) if up[child] == here]
    at = {old: new for new, old in enumerate(order)}
    up = [-1 if up[old] < 0 else at[up[old]] for old in order]
    length_m = [0.0] + [float(draw(st.integers(1, 9))) for _ in range(size - 1)]
    depth_m = [0.0] * size
    below: list[list[int]] = [[] for _ in range(size)]
    for position in range(1, size):
        depth_m[position] = depth_m[up[position]] + length_m[position]
        below[up[position]].append(position)
    tree = Rooted(list(range(size)), up, list(range(size)), length_m, depth_m, below, {i: i for i in range(size)})
    units = [draw(st.integers(0, 3)) for _ in range(size)]
    tail_m = [float(draw(st.integers(0, 3))) for _ in range(size)]
    forced = [draw(st.integers(0, 9)) == 0 and units[position] > 0 for position in range(size)]
    carry = np.array([0.0, *(float(draw(st.integers(0, 5))) for _ in range(40))])
    shared = float(draw(st.integers(0, 4)))
    take = np.array([0.0, *(float(draw(st.integers(0, 60))) for _ in range(40))])
    fed = float(draw(st.integers(0, 2)))

    def carry_cents(position: int, most: int, total: int) -> F8:
        count = np.arange(most + 1)
        cents: F8 = length_m[position] * (carry[: most + 1] + shared * (count < total))
        return cents

    def take_cents(position: int, most: int) -> F8:
        return take[: most + 1] + fed * depth_m[position]

    limit_m = float(draw(st.sampled_from([4, 8, 15, 1000])))
    branching = draw(st.sampled_from([None, Branching(2.0, 5.0), Branching(0.0, 9.0)]))
    return Gathering(tree, units, tail_m, forced, limit_m, MOST, carry_cents, take_cents, branching)


def cost(problem: Gathering, taken: tuple[bool, ...]) -> float:
    """What one choice costs; infinite where it is none."""
    tree = problem.tree
    owner = owners(tree, taken)
    total = 0.0
    for position, units in enumerate(problem.units):
        if units:
            if owner[position] < 0 or (problem.forced[position] and owner[position] != position):
                return np.inf
            way_m = tree.depth_m[position] - tree.depth_m[owner[position]] + problem.tail_m[position]
            if owner[position] != position and way_m > problem.limit_m:
                return np.inf
    under = [[other for other in range(len(tree)) if is_under(tree, other, position)] for position in range(len(tree))]
    for position in range(len(tree)):
        here = sum(problem.units[o] for o in under[position] if owner[o] == position)
        if taken[position]:
            if not here or here > MOST + problem.units[position] * problem.forced[position]:
                return np.inf
            total += problem.take_cents(position, here)[here]
        if problem.branching:
            total += parted(problem, owner, position, taken[position])
        if position:
            lies = sum(problem.units[o] for o in under[position])
            on = sum(problem.units[o] for o in under[position] if owner[o] < position)
            if on > MOST:
                return np.inf
            total += problem.carry_cents(position, on, lies)[on]
    return float(total)


def parted(problem: Gathering, owner: list[int], position: int, is_taking: bool) -> float:
    """What parting what was taken below costs at a position."""
    tree, branching = problem.tree, problem.branching
    assert branching is not None
    cents, before = 0.0, 0
    for child in tree.below[position]:
        under = [other for other in range(len(tree)) if is_under(tree, other, child)]
        passing = sum(problem.units[o] for o in under if owner[o] >= child)
        if before and passing:
            cents += min(before, passing) * branching.splice_cents + branching.closure_cents * (not is_taking)
        before += passing
    return cents


def is_under(tree: Rooted, position: int, top: int) -> bool:
    while position > top:
        position = tree.up[position]
    return position == top


@given(problems())
@settings(max_examples=150, deadline=None)
def test_no_choice_is_cheaper_than_the_one_that_is_found(problem: Gathering) -> None:
    found = gather(problem)
    assert len(problem.tree) <= EXACT_LEVELS
    least = min(cost(problem, choice) for choice in product((False, True), repeat=len(problem.tree)))
    assert found.cents == least
    if np.isfinite(least):
        assert cost(problem, tuple(found.taken)) == least
