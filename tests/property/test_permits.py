"""How many streets every plan digs in, against every set of streets that there is."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.graph import components
from broadstreet.network.ground.ground import NO_STREET, Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.plan.permits import least_street_permits
from tests.ground import at, line, premises, streets, trait

CORNERS = [(200 * i, 200 * j) for i in range(3) for j in range(3)]
EDGES = [(a, b) for a, b in combinations(CORNERS, 2) if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 200]


@st.composite
def towns(draw: st.DrawFn) -> Ground:
    """A grid of streets, some of many blocks and some without a name, with premises and one or two offices."""
    names = draw(st.lists(st.sampled_from(["", "A", "B", "C", "D", "E"]), min_size=len(EDGES), max_size=len(EDGES)))
    beside = st.sampled_from(EDGES)
    part = st.sampled_from([0.0, 0.3, 0.5])
    spots = [(draw(beside), draw(part)) for _ in range(draw(st.integers(1, 5)))]
    places = [(a[0] + f * (b[0] - a[0]) + 4, a[1] + f * (b[1] - a[1]) + 3) for (a, b), f in spots]
    offices = [Office(f"o{i}", "Office", *at(*draw(st.sampled_from(CORNERS)))) for i in range(draw(st.integers(1, 2)))]
    return put_together(
        streets([line(*edge) for edge in EDGES], traits=[trait(name) for name in names]),
        premises(places),
        default_catalogue(),
        offices=offices,
    )


def nodes_of(ground: Ground) -> list[list[int]]:
    """For each premises where its drop may leave."""
    return [[node for node, _ in hooks] for hooks in ground.hanging(range(len(ground.premises)))]


def fewest(ground: Ground) -> int:
    """By trying every set of streets: the fewest in which ways join everyone, from one hook of theirs, to an office."""
    ways, hanging = ground.ways, nodes_of(ground)
    for count in range(len(ground.streets) + 1):
        for chosen in combinations(range(len(ground.streets)), count):
            kept = [row for row in range(len(ways)) if int(ways.street[row]) in {NO_STREET, *chosen}]
            place = components(len(ground.lon), ways.a[kept], ways.b[kept])
            lit = set(place[ground.offices.node].tolist())
            if all(lit.intersection(place[nodes].tolist()) for nodes in hanging):
                return count
    raise AssertionError("the grid hangs together")


@given(towns())
def test_no_plan_digs_in_fewer_streets(ground: Ground) -> None:
    least = least_street_permits(ground, range(len(ground.premises)))
    assert least <= fewest(ground)
    assert (least > 0) == (fewest(ground) > 0)
    # Who hangs on one street alone needs that one.
    ways, offices = ground.ways, set(ground.offices.node.tolist())
    streets_at: dict[int, set[int]] = {}
    for ends in (ways.a, ways.b):
        for node, street in zip(ends.tolist(), ways.street.tolist(), strict=True):
            streets_at.setdefault(node, set()).add(street)
    known = [(nodes, set().union(*(streets_at[node] for node in nodes))) for nodes in nodes_of(ground)]
    alone = {min(found) for nodes, found in known if len(found) == 1 and not offices.intersection(nodes)}
    assert least >= len(alone - {NO_STREET})
