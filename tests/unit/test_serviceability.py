"""What can be had at a place, in a small town whose design is known piece by piece, and in one that is planned."""

from __future__ import annotations

import random
from functools import cache

import msgspec
import pytest

from benchmarks.serviceability import Outwards, agrees
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.network.design import Fibre, Role, Side, SiteKind, Statement, What
from broadstreet.network.ground import Ground, default_architecture, default_optics, put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.office import Office
from broadstreet.network.plan import plan_tree
from broadstreet.network.serviceability import How, Line, Offer, Product, Serviceability
from tests.ground import at, line, premises, streets, trait
from tests.plan import lit, shortest_ways
from tests.town import planned

GRID = 5
STEP_M = 60.0


@cache
def _grid() -> Ground:
    """Streets five by five, premises on every second of them, an office in a corner."""
    far = (GRID - 1) * STEP_M
    lines = [line((0, n * STEP_M), (far, n * STEP_M)) for n in range(GRID)]
    lines += [line((n * STEP_M, 0), (n * STEP_M, far)) for n in range(GRID)]
    places = [(20 + 40 * n, 8 + 2 * STEP_M * row) for row in range(2) for n in range(6)]
    lon, lat = at(0, -5)
    return put_together(
        streets(lines, traits=[trait(f"Street {n}") for n in range(len(lines))], meet=True),
        premises(places),
        default_catalogue(),
        offices=[Office("exchange", "The exchange", lon, lat)],
    )


@cache
def _planned() -> Statement:
    return plan_tree(_grid(), default_architecture(), default_optics(), [0], shortest_ways(_grid()))


def _service(built: int = 1) -> Serviceability:
    return Serviceability(_grid(), _planned(), default_architecture(), default_optics(), built=built)


def _only(offers: tuple[Offer, ...], product: Product) -> Offer:
    (offer,) = (offer for offer in offers if offer.product is product)
    return offer


def test_who_is_served_has_what_the_plan_says() -> None:
    ground, statement = planned()
    service = Serviceability(ground, statement, default_architecture(), default_optics(), built=1)
    demand = ground.premises.demand
    for path in statement.paths:
        if path.socket == 1:
            offer = _only(service.of(demand.ids[path.premises]).offers, Product.SHARED)
            assert (offer.how, offer.is_today, offer.shared_by) == (How.PLANNED, True, 32)
            assert offer.length_m == pytest.approx(path.length_m)
            assert offer.loss_db == pytest.approx(path.loss_db)
            assert offer.margin_db == pytest.approx(28 - 1 - path.loss_db)
            drop_m = float(ground.premises.drop_m[path.premises])
            assert offer.cents == pytest.approx(21_300 + 2_240 * drop_m, abs=1)


def test_nothing_stands_before_the_first_phase() -> None:
    answer = _service(built=0).of("House 3")
    assert answer.offers and not any(offer.is_today for offer in answer.offers)
    assert answer.today is None
    assert _service(built=1).of("House 3").today is not None


def test_what_comes_later_is_told_if_it_is_cheaper() -> None:
    ground, statement = _grid(), _planned()
    node = ground.premises.node
    later = {row for row in statement.design.opened if ground.ways.courses.middles()[1][row] > at(0, 30)[1]}
    phases = tuple(2 if row in later else 1 for row in statement.design.opened)
    design = msgspec.structs.replace(statement.design, phases=phases)
    service = Serviceability(
        ground, msgspec.structs.replace(statement, design=design), default_architecture(), default_optics(), built=1
    )
    north = max(range(len(node)), key=lambda row: float(ground.premises.demand.lat[row]))
    now, then = (o for o in service.of(ground.premises.demand.ids[north]).offers if o.product is Product.SHARED)
    assert (now.is_today, now.phase, then.is_today, then.phase) == (True, 1, False, 2)
    assert then.how is How.PLANNED
    assert now.cents > then.cents
    assert now.dug_m > 0


def test_what_is_offered_anew_is_free_all_the_way() -> None:
    statement = _planned()
    taken = {
        (end.cable, end.fibre)
        for joint in statement.design.joints
        for end in (joint.a, joint.b)
        if isinstance(end, Fibre)
    }
    cables = {cable.id: cable for cable in statement.design.cables}
    drawn = random.Random(3)
    seen = set[How]()
    service = _service()
    for _ in range(60):
        answer = service.at(*at(drawn.uniform(-40, 280), drawn.uniform(-40, 280)))
        for offer in answer.offers:
            seen.add(offer.how)
            assert offer.cents == sum(item.cents for item in offer.items)
            assert offer.length_m == pytest.approx(sum(hop.length_m for hop in offer.hops))
            assert offer.margin_db >= 0
            if offer.how is not How.PLANNED:
                for hop in (hop for hop in offer.hops if hop.cable and cables[hop.cable].role is not Role.FEEDER):
                    fibres = cables[hop.cable].fibres
                    assert any((hop.cable, fibre) not in taken for fibre in range(1, fibres + 1))
    assert seen == set(How)


def test_the_search_outwards_agrees() -> None:
    service, drawn = _service(built=0), random.Random(5)
    others = [Outwards(reach) for reach in service.reaches]
    for _ in range(100):
        spot = service.places.spot(*at(drawn.uniform(-40, 280), drawn.uniform(-40, 280)))
        assert agrees(service, others, spot)


def test_a_full_splitter_asks_for_another_and_a_full_cabinet_takes_nobody() -> None:
    statement = _planned()
    design = statement.design
    place = at(200, 246)
    before = _only(_service().at(*place).offers, Product.SHARED)
    assert not any(item.what is What.SPLITTER for item in before.items)
    # As if its splitter were one of as many ways as it has customers.
    served = sum(len(paths) for paths in lit(design).values())
    small = msgspec.structs.replace(
        design, splitters=tuple(msgspec.structs.replace(splitter, ratio=served) for splitter in design.splitters)
    )
    full = msgspec.structs.replace(statement, design=small)
    service = Serviceability(_grid(), full, default_architecture(), default_optics(), built=1)
    after = _only(service.at(*place).offers, Product.SHARED)
    assert [item.key for item in after.items if item.what is What.SPLITTER] == ["32"]
    assert any(item.what is What.PORT for item in after.items)
    narrow = msgspec.structs.replace(
        small,
        sites=tuple(
            msgspec.structs.replace(site, size=served) if site.kind is SiteKind.CABINET else site
            for site in small.sites
        ),
    )
    catalogue = _grid().catalogue
    assert served not in catalogue.cabinet, "such a cabinet is none of the catalogue's"
    fuller = msgspec.structs.replace(statement, design=narrow)
    answer = Serviceability(_grid(), fuller, default_architecture(), default_optics(), built=1).at(*place)
    assert {offer.product for offer in answer.offers} == {Product.OWN}
    assert all(hop.first == "office-0" for offer in answer.offers for hop in offer.hops)


def test_a_full_closure_has_another_beside_it() -> None:
    statement = _planned()
    design = statement.design
    sites = tuple(
        msgspec.structs.replace(site, size=0) if site.kind is SiteKind.CLOSURE else site for site in design.sites
    )
    full = msgspec.structs.replace(statement, design=msgspec.structs.replace(design, sites=sites))
    closures = []
    for one in (statement, full):
        service = Serviceability(_grid(), one, default_architecture(), default_optics(), built=1)
        feeds = service.reaches[0].starts
        closures.append(sum(any(i.what is What.CLOSURE for i in start.items) for start in feeds if start.site))
    assert closures[0] == 0 < closures[1]


def test_too_far_from_any_way_is_refused_with_what_would_help() -> None:
    answer = _service().at(*at(-150, 0))
    assert answer.offers == ()
    assert "150 m away" in answer.refusal and "100 m" in answer.refusal


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="is no place"):
        _service().at(24.9, 91.0)
    with pytest.raises(InvalidInput, match="is no place"):
        _service().at(float("nan"), 60.0)


@pytest.mark.parametrize("said", ["p003", "House 3", "house  3", "HÖUSE 3"])
def test_an_address_is_found_as_people_write_it(said: str) -> None:
    assert _service().of(said).premises == "p003"


def test_an_address_that_is_not_there_is_refused_with_what_is_like_it() -> None:
    assert _service().of("House 1").premises == "p001"  # though House 10 begins so too
    with pytest.raises(NotFound, match="12 addresses are like"):
        _service().of("Hous")
    with pytest.raises(NotFound) as unknown:
        _service().of("Hause 33")
    assert "House 3" in str(unknown.value.remedy)


def test_the_own_fibre_goes_past_the_splitters() -> None:
    own = _only(_service().of("House 3").offers, Product.OWN)
    assert (own.shared_by, own.how) == (1, How.SPARE)
    assert any(item.what is What.PORT for item in own.items)
    shared = _only(_service().of("House 3").offers, Product.SHARED)
    assert own.loss_db < shared.loss_db - 15


def test_an_offer_says_how_fast_its_line_is() -> None:
    offers = _service().of("House 3").offers
    assert _only(offers, Product.SHARED).line == Line("B+", 2488.32, 1244.16)
    assert _only(offers, Product.OWN).line == Line("10GBASE-LR", 10312.5, 10312.5)
    ground, statement = planned()
    optics = default_optics()
    short = msgspec.structs.replace(optics.classes["10GBASE-LR"], longest_m=1.0)
    silent = msgspec.structs.replace(optics.classes["B+"], down_mbit_per_s=None, up_mbit_per_s=None)
    optics = msgspec.structs.replace(optics, classes={**optics.classes, "10GBASE-LR": short, "B+": silent})
    offers = Serviceability(ground, statement, default_architecture(), optics, built=1).of("House 3").offers
    assert {offer.line for offer in offers} == {Line("B+", None, None)}, "no class for one reaches that far"


def test_fibres_are_cut_where_they_are_joined() -> None:
    """The free fibres of a stretch are those that no joint on either side of it begins or ends."""
    service = _service()
    stages = service.stages
    begun = {
        (end.cable, end.fibre)
        for joint in stages.design.joints
        for end in (joint.a, joint.b)
        if isinstance(end, Fibre) and end.side is Side.DOWN
    }
    for cable in stages.design.cables:
        used = {fibre for name, fibre in begun if name == cable.id}
        assert set().union(*stages.taken[cable.id]) == used
