"""Streets become a graph: where lines meet and where they do not, what is mended, what stays as long as it was."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import LineString

from broadstreet.model.errors import TooLarge
from broadstreet.network.ground.courses import Courses, Plane
from broadstreet.network.ground.graph import chains, components, parts
from broadstreet.network.ground.ways import Ways, ways_of
from tests.ground import line, metres, streets, trait


def drawn(ways: Ways) -> set[tuple[tuple[float, float], ...]]:
    """Each way's course in metres, from west to east."""
    starts = ways.courses.starts
    courses = (
        [metres(ways.courses.lon[p], ways.courses.lat[p]) for p in range(starts[i], starts[i + 1])]
        for i in range(len(ways))
    )
    return {tuple(min(course, course[::-1])) for course in courses}


def nodes(ways: Ways) -> set[tuple[float, float]]:
    return {metres(lon, lat) for lon, lat in zip(ways.lon, ways.lat, strict=True)}


def test_lines_meet_where_they_share_a_point() -> None:
    ways = ways_of(streets([line((0, 0), (50, 0), (100, 0)), line((50, 0), (50, 80))]))
    assert drawn(ways) == {((0, 0), (50, 0)), ((50, 0), (100, 0)), ((50, 0), (50, 80))}
    assert nodes(ways) == {(0, 0), (50, 0), (100, 0), (50, 80)}
    assert (ways.a < ways.b).all()


def test_a_bridge_does_not_meet_the_street_below_but_its_end_does_meet() -> None:
    below, bridge = line((0, 0), (50, 0), (100, 0)), line((50, -50), (50, 0), (50, 50))
    over = ways_of(streets([below, bridge], levels=[0, 1]))
    assert len(over) == 2
    assert components(len(over.lon), over.a, over.b).tolist().count(0) == 2
    assert len(ways_of(streets([below, bridge], levels=[0, 0]))) == 4
    ramp = ways_of(streets([below, line((50, -50), (50, 0))], levels=[0, 1]))
    assert len(ramp) == 3


def test_lines_that_cross_meet_only_where_the_source_says_so() -> None:
    cross = [line((0, 0), (100, 0)), line((50, -50), (50, 50))]
    assert len(ways_of(streets(cross))) == 2
    joined = ways_of(streets(cross, meet=True))
    assert len(joined) == 4
    assert (50, 0) in nodes(joined)
    assert joined.cleaned.crossings_joined == 1
    assert len(ways_of(streets(cross, meet=True, levels=[0, 1]))) == 2


@pytest.mark.parametrize("gap_m", [0.1, 0.45])
def test_an_end_that_just_misses_is_led_there(gap_m: float) -> None:
    ways = ways_of(streets([line((0, 0), (100, 0)), line((50, gap_m), (50, 80))]))
    assert len(ways) == 3
    assert ways.cleaned.ends_snapped == 1
    ends = ways_of(streets([line((0, 0), (50, 0)), line((50 + gap_m, 0), (100, 0))]))
    assert drawn(ends) == {((0, 0), (50, 0), (100, 0))} or drawn(ends) == {
        ((0, 0), (round(50 + gap_m, 1), 0), (100, 0))
    }


def test_an_end_that_misses_by_more_or_on_another_level_stays() -> None:
    assert len(ways_of(streets([line((0, 0), (100, 0)), line((50, 0.7), (50, 80))]))) == 2
    assert len(ways_of(streets([line((0, 0), (100, 0)), line((50, 0.7), (50, 80))]), snap_m=1.0)) == 3
    assert len(ways_of(streets([line((0, 0), (100, 0)), line((50, 0.2), (50, 80))], levels=[0, 1]))) == 2


def test_ends_that_miss_each_other_in_a_bunch_all_meet() -> None:
    fan = [line((0.1 * i, 0.05 * i), (100 * (i - 1.5), 100)) for i in range(4)]
    ways = ways_of(streets(fan))
    assert len(set(components(len(ways.lon), ways.a, ways.b).tolist())) == 1


def test_what_is_drawn_twice_is_there_once_and_what_has_no_length_is_gone() -> None:
    once = line((0, 0), (50, 20), (100, 0))
    ways = ways_of(streets([once, once, LineString(once.coords[::-1]), line((0, 0), (0, 0)), line((100, 0), (200, 0))]))
    assert drawn(ways) == {((0, 0), (50, 20), (100, 0), (200, 0))}
    assert (ways.cleaned.duplicates, ways.cleaned.without_length, ways.cleaned.merged) == (4, 1, 2)
    assert ways.sources == (("way/0", "way/4"),)


def test_of_two_that_lie_on_each_other_the_one_that_may_be_dug_stays() -> None:
    once = line((0, 0), (100, 0))
    ways = ways_of(streets([once, once], traits=[trait("a", may_dig=False), trait("b")]))
    assert ways.of_trait("name").tolist() == ["b"]


def test_two_streets_between_the_same_corners_are_two() -> None:
    ways = ways_of(
        streets([line((0, 0), (50, 20), (100, 0)), line((0, 0), (50, -20), (100, 0)), line((0, 0), (0, 99))])
    )
    assert len(ways) == 2 + 1
    assert ways_of(streets([line((0, 0), (9, 9))] * 2), keep_parallels=True).courses.counts.tolist() == [2, 2]


def test_ways_are_merged_where_just_two_of_one_trait_meet() -> None:
    row = [line((100 * i, 0), (100 * i + 100, 0)) for i in range(4)]
    whole = ways_of(streets(row))
    assert len(whole) == 1
    assert whole.sources == (("way/0", "way/1", "way/2", "way/3"),)
    named = ways_of(streets(row, traits=[trait("a"), trait("a"), trait("b"), trait("b")]))
    assert sorted(named.of_trait("name").tolist()) == ["a", "b"]
    total = Courses.of(row).lengths_m().sum()
    assert whole.courses.lengths_m().sum() == pytest.approx(total, rel=1e-12)
    assert total == pytest.approx(400, abs=0.1)


def test_a_ring_alone_and_a_loop_at_a_street_end_nowhere_where_they_begin() -> None:
    ring = line((0, 0), (50, 0), (50, 50), (0, 50), (0, 0))
    alone = ways_of(streets([ring]))
    assert len(alone) == 2
    hanging = ways_of(streets([ring, line((-80, 0), (0, 0))]))
    assert len(hanging) == 3
    there_and_back = ways_of(streets([line((0, 0), (50, 0), (0, 0))]))
    assert len(there_and_back) == 1
    for ways in (alone, hanging, there_and_back):
        assert (ways.a != ways.b).all()


def test_the_order_of_the_source_does_not_matter() -> None:
    lines = [line((0, 0), (50, 0), (100, 0)), line((50, 0), (50, 80)), line((100, 0), (50, 80)), line((0, 0), (9, 90))]
    one, other = ways_of(streets(lines)), ways_of(streets(lines[::-1]))
    assert one.ids() == other.ids()
    assert len(set(one.ids())) == len(one) == 3
    assert np.array_equal(one.courses.lon, other.courses.lon)


def test_no_streets_are_no_ways() -> None:
    assert len(ways_of(streets([]))) == 0
    assert len(ways_of(streets([line((0, 0), (0, 0))]))) == 0


def test_a_ground_has_a_greatest_span() -> None:
    with pytest.raises(TooLarge, match="over the bound of 4") as caught:
        Plane.about(np.array([24.0, 24.1, 29.0, 24.2]), np.array([60.0, 60.1, 60.1, 60.0]))
    assert caught.value.where == "lon 29.000000, lat 60.100000, which is farthest from the others"


def test_parts_are_numbered_by_size() -> None:
    a, b = np.array([0, 1, 4, 6]), np.array([1, 2, 5, 7])
    assert components(8, a, b).tolist() == [0, 0, 0, 3, 4, 4, 6, 6]
    assert parts(8, a, b).tolist() == [0, 0, 0, -1, 1, 1, 2, 2]


def test_a_long_chain_is_one_part() -> None:
    order = np.random.default_rng(1).permutation(5000)
    assert not components(5000, order[:-1], order[1:]).any()


def test_chains_of_a_lollipop() -> None:
    found = chains(5, np.array([0, 1, 2, 3, 1]), np.array([1, 2, 3, 4, 4]), np.zeros(5, dtype=np.int64))
    assert sorted(edge for chain in found for edge, _ in chain) == [0, 1, 2, 3, 4]
    assert [(0, True)] in found or [(0, False)] in found
