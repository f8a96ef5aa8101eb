"""The checker finds nothing wrong with a correct plan, and each kind of planted wrong, in its place."""

from __future__ import annotations

import msgspec
import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Role, SiteKind, What
from broadstreet.network.ground import (
    Office,
    default_architecture,
    default_catalogue,
    default_optics,
    put_together,
)
from broadstreet.network.ground.architecture import Kind
from broadstreet.network.plan import plan_tree
from broadstreet.network.proof import FindingKind, prove
from tests.designs import Drawn, Hanging, plain, route
from tests.ground import at, line, premises, streets
from tests.town import CRITICAL, town
from tests.trial import Trial, correct
from tests.wrongs import ALL, Change, shared_duct


@pytest.fixture(scope="module")
def trial() -> Trial:
    return correct()


def test_a_correct_plan_is_proved(trial: Trial) -> None:
    assert [str(finding) for finding in trial.proved()] == []


def test_there_is_a_planted_plan_for_every_kind() -> None:
    assert set(ALL) == set(FindingKind)


@pytest.mark.parametrize(("kind", "change"), ALL.items(), ids=[kind.name for kind in ALL])
def test_a_planted_wrong_is_caught(trial: Trial, kind: FindingKind, change: Change) -> None:
    found = change(trial).proved()
    assert kind in {finding.kind for finding in found}, [str(finding) for finding in found]


def test_a_finding_has_its_place_and_says_what_is_true(trial: Trial) -> None:
    finding = ALL[FindingKind.DROP_TOO_LONG](trial).proved()[0]
    assert (finding.lon, finding.lat) == at(300, 0)
    assert (finding.where, finding.claimed, finding.true) == ("premises p000, socket 1", "at most 12 m", "20.00 m")
    assert "premises p000, socket 1 (lon 24.945404, lat 60.170000)" in str(finding)


def test_a_splitter_of_the_first_stage_stands_in_a_cabinet(trial: Trial) -> None:
    splitter = trial.statement.design.splitters[0]
    closure = trial.site(SiteKind.CLOSURE).id
    found = trial.swap("splitters", splitter, msgspec.structs.replace(splitter, site=closure)).proved()
    (told,) = (finding for finding in found if finding.kind is FindingKind.SPLITTER_SITE)
    assert (told.claimed, told.true) == (f"of stage 0 in closure {closure}", "in a cabinet")


def test_a_drop_is_measured_along_ways_too() -> None:
    """Three houses 30 m apart share a closure: two of the drops go along the street."""
    ground = put_together(
        streets([line((0, 0), (200, 0))]),
        premises([(100, 10), (130, 10), (160, 10)]),
        default_catalogue(),
        offices=[Office("exchange", "", *at(0, -5))],
    )
    optics = default_optics()
    statement = plan_tree(ground, default_architecture(), optics, [0], range(len(ground.ways)))
    assert [site.kind for site in statement.design.sites].count(SiteKind.CLOSURE) == 1
    for longest_m, kinds in ((70.5, []), (69.5, [FindingKind.DROP_TOO_LONG]), (39.5, [FindingKind.DROP_TOO_LONG] * 2)):
        architecture = msgspec.structs.replace(default_architecture(), longest_drop_m=longest_m)
        assert [finding.kind for finding in prove(statement, ground, architecture, optics)] == kinds


def test_a_duct_that_both_ways_lie_in_is_named(trial: Trial) -> None:
    found = [finding.true for finding in shared_duct(trial).proved() if finding.kind is FindingKind.WAYS_SHARED]
    assert "way 1 is shared, and duct d0 in it" in found
    assert "way 8 is shared" in found


def test_what_is_opened_costs_what_the_ground_says(trial: Trial) -> None:
    """The bill's trenches, permits by the metre, crossings and plant are the ground's own price of the opened ways."""
    opening = {What.TRENCH, What.PERMIT, What.CROSSING, What.PLANT}
    items = [item for item in trial.statement.bill.items if item.what in opening and item.unit != "street"]
    opened = list(trial.statement.design.opened)
    of_the_ground = int(trial.ground.ways.open_cents[opened].sum())
    assert sum(item.cents for item in items) == pytest.approx(of_the_ground, abs=len(opened) + len(items))
    assert {item.key for item in items if item.what is What.CROSSING} == {"street", "tram"}


def test_a_loss_by_hand(trial: Trial) -> None:
    """330 m of fibre at 0.4 dB a kilometre, a splitter of 32, a splice and four connectors."""
    path = trial.statement.paths[0]
    assert path.length_m == pytest.approx(10 + 200 + 100 + 20, abs=0.05)
    assert path.loss_db == pytest.approx(0.132 + 17.8 + 0.1 + 4 * 0.5, abs=1e-3)
    wrong = msgspec.structs.replace(path, loss_db=path.loss_db + 0.011)
    found = trial.claims(paths=(wrong, *trial.statement.paths[1:])).proved()
    assert [finding.kind for finding in found] == [FindingKind.LOSS]


def test_phases_are_proved_and_each_item_in_its_own() -> None:
    """What lies beyond the first premises is built in the second phase; its cable, closure and drop are paid in it."""
    ground = town()
    near, far = int(ground.premises.node[0]), int(ground.premises.node[2])
    beyond = route(ground, near, far)
    drawn = Drawn(ground, phase_of=dict.fromkeys(beyond, 2))
    office = drawn.office()
    hanging = Hanging(drawn, office, near, (0, 2), route(ground, office.node, near))
    hanging.hang([(near, (0,))], [])
    hanging.hang([(far, (2,))], beyond)
    trial = Trial(ground, drawn.statement())
    assert [str(finding) for finding in trial.proved()] == []
    late = {item.what for item in trial.statement.bill.items if item.phase == 2}
    assert late == {What.TRENCH, What.PERMIT, What.DUCT, What.CABLE, What.CLOSURE, What.JOINT, What.DROP}
    everything_first = msgspec.structs.replace(trial.statement.design, phases=())
    kinds = {finding.kind for finding in trial.claims(design=everything_first).proved()}
    assert {FindingKind.BILL_UNFOUNDED, FindingKind.BILL_QUANTITY} <= kinds


@pytest.mark.parametrize(
    ("kind", "splitters", "role", "is_right"),
    [
        (Kind.PON, [32], Role.DISTRIBUTION, False),
        (Kind.POINT_TO_POINT, [], Role.DISTRIBUTION, True),
        (Kind.POINT_TO_POINT, [], Role.FEEDER, True),
    ],
)
def test_a_feeder_is_parted_from_distribution(kind: Kind, splitters: list[int], role: Role, is_right: bool) -> None:
    """What comes from the office is a feeder before a splitter or a cabinet; without splitters it need not be one."""
    ground = town()
    changes = {"kind": kind, "splitters": splitters, "connectors": 3, "optical_class": "B+"}
    architecture = msgspec.structs.replace(default_architecture(), **changes)
    trial = Trial(ground, plain(Drawn(ground, architecture), int(ground.premises.node[0]), (0, 1)), architecture)
    feeder = trial.cable(Role.FEEDER)
    kinds = trial.swap("cables", feeder, msgspec.structs.replace(feeder, role=role)).kinds()
    assert (FindingKind.ROLE not in kinds) == is_right
    behind = trial.cable(Role.DISTRIBUTION)
    late = trial.swap("cables", behind, msgspec.structs.replace(behind, role=Role.FEEDER))
    assert FindingKind.ROLE in late.kinds()


def test_a_critical_site_needs_no_second_way_where_there_is_none() -> None:
    """With Back Street left out there is one way, and with it there are two."""
    ground = town()
    alone = plain(Drawn(ground), int(ground.premises.node[CRITICAL]), (CRITICAL,))
    assert Trial(ground, alone).kinds() == {FindingKind.SECOND_MISSING}
    closed = town(closed=("Closed Lane", "Back Street"))
    drawn = Drawn(closed)
    assert Trial(closed, plain(drawn, int(closed.premises.node[CRITICAL]), (CRITICAL,))).kinds() == set()


def test_an_architecture_without_prices_is_refused(trial: Trial) -> None:
    wrong = msgspec.structs.replace(default_architecture(), splitters=[128])
    with pytest.raises(InvalidInput, match="a splitter of 128 has no price"):
        Trial(trial.ground, trial.statement, wrong).proved()
