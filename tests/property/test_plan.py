"""What holds of every plan, on small random streets: light, room, spare, price and bound, each counted here anew."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.network.design import Cable, Design, Fibre, Joint, Leg, Role, Side, SiteKind, Socket, Statement, What
from broadstreet.network.ground.architecture import Architecture, Kind, default_architecture
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import SURFACES, Surface, default_catalogue
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.laid import least_cents_per_m
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import default_optics
from broadstreet.network.ground.premises import Demand, PremisesKind, Row
from broadstreet.network.plan import plan_tree, way_cents
from broadstreet.network.proof import prove
from tests.ground import at, line, streets, trait
from tests.plan import lit, shortest_ways

FEW = settings(max_examples=30, deadline=None)

# Any loss goes: what a class asks of a path is tried by itself.
OPTICS = msgspec.structs.replace(
    default_optics(),
    classes={
        "B+": msgspec.structs.replace(default_optics().classes["B+"], least_loss_db=0.0, most_loss_db=60.0),
    },
)
CATALOGUE = default_catalogue()
# Sizes so small that every bound is met on a few streets.
TIGHT = msgspec.structs.replace(
    CATALOGUE,
    cable={size: CATALOGUE.cable[size] for size in (4, 12, 24)},
    cabinet={48: CATALOGUE.cabinet[48]},
    closure={24: CATALOGUE.closure[24]},
)


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    splitters = draw(st.sampled_from([[32], [8], [4, 8], [2, 4], []]))
    return msgspec.structs.replace(
        default_architecture(),
        kind=Kind.PON if splitters else Kind.POINT_TO_POINT,
        splitters=splitters,
        fibres_per_premises=draw(st.integers(1, 2)),
        connectors=draw(st.integers(0, 2 + 2 * len(splitters))),
        longest_distribution_m=draw(st.sampled_from([120.0, 300.0, 1500.0])),
        spare_distribution=draw(st.sampled_from([0.0, 0.2])),
    )


@st.composite
def grounds(draw: st.DrawFn) -> Ground:
    """A grid of streets of 60 m with some left out, and premises beside them."""
    corners = [(60 * i, 60 * j) for i in range(4) for j in range(4)]
    edges = [((x, y), (x + east, y + 60 - east)) for x, y in corners for east in (0, 60)]
    kept = [edge for edge in edges if draw(st.integers(0, 5))] or edges
    surfaces = st.sampled_from([Surface.ASPHALT, Surface.GRASS])
    traits = [trait(f"{k % 5}", surface=draw(surfaces)) for k in range(len(kept))]
    place = st.tuples(st.integers(-30, 250), st.integers(-30, 250))
    places = draw(st.lists(place, min_size=1, max_size=25, unique=True))
    fibres = [draw(st.sampled_from([1, 1, 1, 2, 5, 30])) for _ in places]
    demand = Demand.of(
        Row(f"p{i:03}", f"House {i}", PremisesKind.ADDRESS, *at(*place), 1.0, 0.0, fibres[i], 1.0, False)
        for i, place in enumerate(places)
    )
    return put_together(
        streets([line(*edge) for edge in kept], traits=traits),
        demand,
        draw(st.sampled_from([CATALOGUE, TIGHT])),
        offices=[Office("co", "Office", *at(draw(st.integers(0, 240)), 5))],
    )


@st.composite
def statements(draw: st.DrawFn) -> tuple[Ground, Architecture, Statement]:
    ground = draw(grounds().filter(lambda ground: len(ground.premises) > 0))
    architecture = draw(architectures())
    opened = shortest_ways(ground)
    return ground, architecture, plan_tree(ground, architecture, OPTICS, [0], opened)


def sockets(ground: Ground, architecture: Architecture) -> Counter[int]:
    each = architecture.fibres_per_premises
    return Counter({row: int(count) * each for row, count in enumerate(ground.premises.demand.fibres)})


def _are_fibres(joint: Joint) -> bool:
    return isinstance(joint.a, Fibre) and isinstance(joint.b, Fibre)


def light_reaches_every_socket_by_one_path(ground: Ground, architecture: Architecture, statement: Statement) -> None:
    design = statement.design
    found = lit(design)
    rows = {site.id: site.premises for site in design.sites}
    assert Counter(rows[socket.site] for socket in found) == sockets(ground, architecture)
    stages = {splitter.id: splitter.stage for splitter in design.splitters}
    closures = {site.id for site in design.sites if site.kind is SiteKind.CLOSURE}
    claimed = {(path.premises, path.socket): path for path in statement.paths}
    assert len(claimed) == len(found)
    for socket, paths in found.items():
        (path,) = paths
        fused = [joint for joint in path if joint.site in closures and _are_fibres(joint)]
        assert not any(joint.is_connector for joint in fused)
        wanted = min(architecture.connectors, len(path) - len(fused))
        assert sum(joint.is_connector for joint in path) == wanted
        passed = [end for joint in path for end in (joint.a, joint.b) if isinstance(end, Leg) and end.leg == 0]
        assert [stages[leg.splitter] for leg in passed] == list(range(len(architecture.splitters)))
        splices = sum(not joint.is_connector for joint in path)
        said = claimed[rows[socket.site] or 0, socket.socket]
        loss_db = said.length_m / 1000 * OPTICS.worst_db_per_km("B+") + splices * 0.1
        loss_db += 0.5 * (len(path) - splices) + sum(OPTICS.splitter[r].loss_db for r in architecture.splitters)
        assert said.loss_db == pytest.approx(loss_db)


def cables_lead_where_they_say_and_keep_their_spare(
    ground: Ground, architecture: Architecture, statement: Statement
) -> None:
    design = statement.design
    node = {site.id: site.node for site in design.sites}
    spare = {Role.FEEDER: architecture.spare_feeder, Role.DISTRIBUTION: architecture.spare_distribution, Role.DROP: 0.0}
    used = lit_fibres(design)
    for cable in design.cables:
        assert len(set(cable.sites)) == len(cable.sites) == len(cable.ways) + 1
        for (start, end), stretch in zip(pairwise(cable.sites), cable.ways, strict=True):
            here = node[start]
            for way in stretch:
                ends = {int(ground.ways.a[way]), int(ground.ways.b[way])}
                assert here in ends
                (here,) = ends - {here}
            assert here == node[end]
        assert cable.fibres in ground.catalogue.cable
        assert used[cable.id] * (1 + spare[cable.role]) <= cable.fibres + 1e-9


def lit_fibres(design: Design) -> Counter[str]:
    """How many fibres of each cable are joined where it begins."""
    first = {cable.id: cable.sites[0] for cable in design.cables}
    joined = [end for joint in design.joints for end in (joint.a, joint.b) if isinstance(end, Fibre)]
    assert all(end.fibre >= 1 for end in joined)
    return Counter(end.cable for end in joined if end.side is Side.DOWN and end.site == first[end.cable])


def nothing_is_fuller_than_it_may_be(ground: Ground, architecture: Architecture, statement: Statement) -> None:
    design, catalogue = statement.design, ground.catalogue
    joints = Counter(joint.site for joint in design.joints)
    behind = Counter(
        joint.site for joint in design.joints for end in (joint.a, joint.b) if isinstance(end, Leg) and end.leg
    )
    splitters = Counter(splitter.site for splitter in design.splitters)
    for site in design.sites:
        if site.kind is SiteKind.CLOSURE:
            assert site.size is not None and 0 < joints[site.id] <= site.size
        if site.kind is SiteKind.CABINET:
            assert site.size is not None and behind[site.id] * (1 + architecture.spare_cabinet) <= site.size
            assert splitters[site.id] <= catalogue.cabinet[site.size].splitters
    held: dict[tuple[str, int], list[Cable]] = defaultdict(list)
    lies = {duct.id: duct for duct in design.ducts}
    for cable in design.cables:
        for stretch, ducts in zip(cable.ways, cable.ducts, strict=True):
            for way, duct in zip(stretch, ducts, strict=True):
                assert way in lies[duct].ways
                held[duct, way].append(cable)
    for (id, _), cables in held.items():
        kind = catalogue.duct[lies[id].kind]
        assert len(cables) <= kind.cables
        assert max(cable.fibres for cable in cables) <= kind.largest_cable_fibres
    assert {way for duct in design.ducts for way in duct.ways} == set(design.opened)


def premises_are_as_near_as_they_must_be(ground: Ground, architecture: Architecture, statement: Statement) -> None:
    design = statement.design
    length = {
        cable.id: [ground.ways.length_m[list(stretch)].sum() for stretch in cable.ways] for cable in design.cables
    }
    sites = {site.id: site for site in design.sites}
    cables = {cable.id: cable for cable in design.cables}
    said = {(path.premises, path.socket): path.length_m for path in statement.paths}
    for socket, (path,) in lit(design).items():
        behind_m = dict.fromkeys(Role, 0.0)
        ends = [end for joint in path for end in (joint.a, joint.b) if isinstance(end, Fibre)]
        for start, end in zip(ends[::2], ends[1::2], strict=True):
            cable = cables[start.cable]
            assert (start.cable, start.fibre) == (end.cable, end.fibre)
            between = slice(cable.sites.index(start.site), cable.sites.index(end.site))
            behind_m[cable.role] += float(sum(length[cable.id][between]))
        drop_m = float(ground.premises.drop_m[sites[socket.site].premises or 0])
        assert behind_m[Role.DROP] + drop_m <= architecture.longest_drop_m + 1e-6
        if architecture.splitters:
            on_m = behind_m[Role.DISTRIBUTION] + behind_m[Role.DROP] + drop_m
            assert on_m <= architecture.longest_distribution_m + 1e-6
        lead_m = float(ground.offices.lead_m[0])
        assert said[sites[socket.site].premises or 0, socket.socket] == pytest.approx(
            sum(behind_m.values()) + drop_m + lead_m
        )


def the_bill_is_what_a_recount_says_and_no_bound_is_above_it(
    ground: Ground, architecture: Architecture, statement: Statement
) -> None:
    design, catalogue = statement.design, ground.catalogue
    counted = {(item.what, item.key, item.unit): item.quantity for item in statement.bill.items}
    ways = ground.ways
    trench: dict[str, float] = defaultdict(float)
    for way in design.opened:
        trench[SURFACES[ways.surface[way]].value] += float(ways.length_m[way])
    assert {key[1]: q for key, q in counted.items() if key[0] is What.TRENCH} == pytest.approx(trench)
    streets = {int(ways.street[way]) for way in design.opened} - {-1}
    assert counted.get((What.PERMIT, "", "street"), 0) == len(streets)
    assert counted[What.DROP, "", "each"] == sum(cable.role is Role.DROP for cable in design.cables)
    assert counted.get((What.JOINT, "", "each"), 0) == sum(not joint.is_connector for joint in design.joints)
    cable_m: dict[str, float] = defaultdict(float)
    node = {site.id: site for site in design.sites}
    for cable in design.cables:
        cable_m[str(cable.fibres)] += sum(float(ways.length_m[way]) for stretch in cable.ways for way in stretch)
        if node[cable.sites[0]].kind is SiteKind.OFFICE:
            cable_m[str(cable.fibres)] += float(ground.offices.lead_m[0])
    assert {k: m for k, m in cable_m.items() if m} == pytest.approx(
        {key[1]: q for key, q in counted.items() if key[0] is What.CABLE}
    )
    cents = sum(m * catalogue.cable[int(key)].per_m_cents for key, m in cable_m.items())
    assert sum(item.cents for item in statement.bill.items if item.what is What.CABLE) == pytest.approx(cents, abs=9)
    assert sum(term.spent_cents for term in statement.terms) == statement.cost_cents
    exact = float((ways.open_cents + ways.length_m * least_cents_per_m(ground))[list(design.opened)].sum())
    assert int(way_cents(ground)[list(design.opened)].sum()) <= exact + len(design.opened)
    on_tree = plan_tree(
        ground,
        architecture,
        OPTICS,
        [0],
        design.opened,
        opening_cents=int(way_cents(ground)[list(design.opened)].sum()),
    )
    assert on_tree.design == design
    assert prove(on_tree, ground, architecture, OPTICS) == []
    for term in on_tree.terms:
        assert 0 <= term.bound_cents <= term.spent_cents, term


@given(statements())
@FEW
def test_a_plan_is_whole_and_sound(planned: tuple[Ground, Architecture, Statement]) -> None:
    ground, architecture, statement = planned
    light_reaches_every_socket_by_one_path(ground, architecture, statement)
    cables_lead_where_they_say_and_keep_their_spare(ground, architecture, statement)
    nothing_is_fuller_than_it_may_be(ground, architecture, statement)
    premises_are_as_near_as_they_must_be(ground, architecture, statement)
    the_bill_is_what_a_recount_says_and_no_bound_is_above_it(ground, architecture, statement)


def test_sockets_of_a_premises_are_numbered_from_one() -> None:
    ground = put_together(
        streets([line((0, 0), (100, 0))]),
        Demand.of([Row("p", "House", PremisesKind.ADDRESS, *at(50, 10), 1.0, 0.0, 3, 1.0, False)]),
        CATALOGUE,
        offices=[Office("co", "Office", *at(0, 5))],
    )
    design = plan_tree(ground, default_architecture(), OPTICS, [0], shortest_ways(ground)).design
    assert sorted(socket.socket for socket in lit(design)) == [1, 2, 3]
    assert all(isinstance(socket, Socket) for socket in lit(design))
