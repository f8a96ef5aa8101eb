"""What holds of any ground: no metre is lost, everyone hangs on a way, and the same inputs give the same bytes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.network.ground.assembly import Limits, put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.courses import Courses, distances_m
from broadstreet.network.ground.graph import chains, components
from broadstreet.network.ground.ways import ways_of
from tests.ground import line, premises, streets, trait

FEW = settings(max_examples=40, deadline=None)
CORNERS = [(100.0 * i, 100.0 * j) for i in range(4) for j in range(4)]

Course = list[tuple[float, float]]


def walked(start: int, turns: list[tuple[int, int]]) -> Course:
    """A walk along the edges of a grid, which stays where an edge would lead out of it."""
    course = [CORNERS[start]]
    for east, north in turns:
        step = course[-1][0] + 100 * east, course[-1][1] + 100 * north
        course.append(step if step in CORNERS else course[-1])
    return course


# Streets share points, run over each other, form rings, turn back and stand still.
TURNS = st.lists(st.sampled_from([(0, 1), (1, 0), (0, -1), (-1, 0)]), min_size=1, max_size=6)
COURSES = st.lists(st.builds(walked, st.integers(0, 15), TURNS), min_size=1, max_size=10)
NAMES = st.lists(st.sampled_from("ab"), min_size=10, max_size=10)
PLACE = st.tuples(st.integers(-40, 340), st.integers(-40, 340))


def steps(course: Course) -> set[tuple[tuple[float, float], ...]]:
    """The straight pieces of a course, each once, whichever way it runs."""
    return {tuple(sorted(pair)) for pair in pairwise(course) if pair[0] != pair[1]}


@given(COURSES, NAMES)
@FEW
def test_splitting_and_merging_lose_no_metre_and_invent_none(courses: list[Course], names: list[str]) -> None:
    """The ways are the distinct edges that were walked, and hang together as those do."""
    drawn = streets([line(*course) for course in courses], traits=[trait(name) for name in names[: len(courses)]])
    ways = ways_of(drawn)
    pieces = sorted({step for course in courses for step in steps(course)})
    wanted = Courses.of([line(*piece) for piece in pieces]).lengths_m().sum() if pieces else 0.0
    assert np.isclose(ways.courses.lengths_m().sum(), wanted, rtol=1e-9)
    assert (ways.a < ways.b).all()
    assert len(set(ways.ids())) == len(ways)
    # Every end is where the node is.
    first, last = ways.courses.ends()
    assert np.array_equal(ways.lon[ways.a], ways.courses.lon[first])
    assert np.array_equal(ways.lat[ways.b], ways.courses.lat[last])
    # What hung together hangs together: the grid's points by union of the steps.
    label = components(len(ways.lon), ways.a, ways.b)
    corners = {corner: number for number, corner in enumerate(CORNERS)}
    a, b = (np.array([corners[piece[end]] for piece in pieces], dtype=np.int64) for end in (0, 1))
    touched = np.unique(np.concatenate((a, b)))
    assert len(set(label.tolist())) == len(set(components(len(CORNERS), a, b)[touched].tolist()))
    # Nothing is left that could be merged, but in rings.
    degree = Counter(np.concatenate((ways.a, ways.b)).tolist())
    for node, count in degree.items():
        at_node = np.flatnonzero((ways.a == node) | (ways.b == node))
        if count == 2 and len(set(ways.trait[at_node].tolist())) == 1:
            ends = Counter(np.concatenate((ways.a[at_node], ways.b[at_node])).tolist())
            assert len(ends) == 2


@given(COURSES, st.lists(PLACE, max_size=12))
@FEW
def test_everyone_hangs_on_a_way_or_is_a_fault(courses: list[Course], places: list[tuple[float, float]]) -> None:
    lines = [line(*course) for course in [*courses, [(0.0, 0.0), (300.0, 0.0)]]]
    limits = Limits(drop_m=60, island_m=1)
    inputs = streets(lines), premises(places), default_catalogue()
    ground = put_together(*inputs, limits=limits)
    plain = ways_of(inputs[0])
    assert np.isclose(ground.ways.length_m.sum(), plain.courses.lengths_m().sum(), rtol=0, atol=5e-3)
    reached = ground.premises
    assert len(reached) + ground.counts.unreached == len(places)
    assert len([fault for fault in ground.faults if "House" in fault.what]) == ground.counts.unreached
    ends = np.concatenate((ground.ways.a, ground.ways.b))
    assert np.isin(reached.node, ends).all()
    drops = distances_m(reached.demand.lon, reached.demand.lat, ground.lon[reached.node], ground.lat[reached.node])
    assert np.allclose(drops, reached.drop_m)
    assert (drops <= 60.6).all()
    # Each is on the way that is said, and that way's pieces make it up.
    of = ground.ways.way
    for node, way in zip(reached.node, reached.way, strict=True):
        assert node in np.concatenate((ground.ways.a[of == way], ground.ways.b[of == way]))
    whole = np.bincount(of, weights=ground.ways.length_m, minlength=len(plain))
    assert np.allclose(whole, plain.courses.lengths_m(), rtol=0, atol=5e-3)
    assert put_together(*inputs, limits=limits).digest == ground.digest


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda e: e[0] != e[1]), max_size=20))
@FEW
def test_chains_hold_each_edge_once_and_end_apart(edges: list[tuple[int, int]]) -> None:
    a, b = (np.array([edge[end] for edge in edges], dtype=np.int64) for end in (0, 1))
    found = chains(9, a, b, np.zeros(len(edges), dtype=np.int64))
    assert sorted(edge for chain in found for edge, _ in chain) == list(range(len(edges)))
    for chain in found:
        nodes = [(edges[edge][::-1] if turned else edges[edge]) for edge, turned in chain]
        assert all(one[1] == other[0] for one, other in pairwise(nodes))
        assert nodes[0][0] != nodes[-1][1] or len(chain) == 1


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=2, max_size=8))
@FEW
def test_ends_that_almost_meet_are_joined_and_others_are_not(places: list[tuple[int, int]]) -> None:
    """Two streets end a little apart at each place; places lie a metre or more from each other."""
    spots = [(3.0 * x, 3.0 * y) for x, y in dict.fromkeys(places)]
    out = [line(spot, (1000.0 + 9 * i, 5000.0)) for i, spot in enumerate(spots)]
    back = [line((x + 0.3, y), (-1000.0 - 9 * i, -5000.0)) for i, (x, y) in enumerate(spots)]
    ways = ways_of(streets(out + back, levels=list(range(len(out))) * 2))
    label = components(len(ways.lon), ways.a, ways.b)
    assert len(set(label.tolist())) == len(spots)
