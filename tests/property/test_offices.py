"""What holds of plans from several offices on small random towns: everyone is lit within reach by one office, and no
set of offices costs less than the bound."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.network.design import Port
from broadstreet.network.ground.architecture import default_architecture
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.fault import BadGround, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import default_optics
from broadstreet.network.plan import plan_fibre
from broadstreet.network.proof import prove
from tests.ground import at, line, premises, streets
from tests.plan import lit, nearest_m

FEW = settings(max_examples=12, deadline=None)
OPTICS = default_optics()


@st.composite
def towns(draw: st.DrawFn) -> Ground:
    """A grid of streets of 100 m with some left out, houses beside them, two to four offices at any price."""
    corners = [(100 * i, 100 * j) for i in range(5) for j in range(5)]
    edges = [((x, y), (x + east, y + 100 - east)) for x, y in corners for east in (0, 100)]
    kept = [edge for edge in edges if draw(st.integers(0, 6))] or edges
    place = st.tuples(st.integers(0, 500), st.integers(0, 500))
    places = draw(st.lists(place, min_size=3, max_size=14, unique=True))
    spots = draw(st.lists(place, min_size=2, max_size=4, unique=True))
    offices = [
        Office(f"o{n}", f"Office {n}", *at(*spot), given=False, cents=draw(st.sampled_from([0, 500_000, 7_400_000])))
        for n, spot in enumerate(spots)
    ]
    return put_together(streets([line(*edge) for edge in kept]), premises(places), default_catalogue(), offices=offices)


@given(towns().filter(lambda ground: len(ground.premises) > 0 and len(ground.offices) > 1), st.integers(200, 900))
@FEW
def test_everyone_is_lit_within_reach_by_one_office(ground: Ground, longest_m: int) -> None:
    architecture = msgspec.structs.replace(default_architecture(), longest_way_m=float(longest_m))
    rows = list(range(len(ground.offices)))
    try:
        best = plan_fibre(ground, architecture, OPTICS, rows, seconds=0.5)
    except BadGround as refused:
        assert {fault.kind for fault in refused.faults} == {FaultKind.OUT_OF_REACH}
        far = nearest_m(ground, rows) > longest_m
        assert len(refused.faults) == far.sum() > 0
        return
    assert prove(best, ground, architecture, OPTICS) == []
    sites = {site.id: site for site in best.design.sites}
    office_of: dict[int, set[int]] = {}
    for socket, paths in lit(best.design).items():
        for path in paths:
            (port,) = (end for end in (path[0].a, path[0].b) if isinstance(end, Port))
            office_of.setdefault(sites[socket.site].premises or 0, set()).add(sites[port.site].office or 0)
    assert {row: len(offices) for row, offices in office_of.items()} == dict.fromkeys(range(len(ground.premises)), 1)
    assert max(path.length_m for path in best.paths) <= longest_m
    assert best.bound_cents <= best.cost_cents
    for left_out in rows:
        try:
            other = plan_fibre(ground, architecture, OPTICS, [row for row in rows if row != left_out], seconds=0.2)
        except BadGround:
            continue
        assert best.bound_cents <= other.cost_cents


def test_the_nearest_office_is_as_far_as_a_ruler_says() -> None:
    """The measure above is worth something: along one street it is the difference of two numbers."""
    ground = put_together(
        streets([line((0, 0), (500, 0))]),
        premises([(100, 10), (400, 10)]),
        default_catalogue(),
        offices=[Office("a", "West", *at(0, 5)), Office("b", "East", *at(500, 5))],
    )
    assert np.allclose(nearest_m(ground, [0]), [115, 415], atol=0.5)
    assert np.allclose(nearest_m(ground, [0, 1]), [115, 115], atol=0.5)
