"""What holds of the checker on any small ground: a correct design is proved, and whatever is changed in it is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from broadstreet.network.design import SiteKind, Statement
from broadstreet.network.ground import (
    Architecture,
    Demand,
    Ground,
    Office,
    PremisesKind,
    default_architecture,
    default_catalogue,
    default_optics,
    put_together,
)
from broadstreet.network.ground.architecture import Kind
from broadstreet.network.ground.premises import Row
from tests.designs import Drawn, plain, shortest
from tests.ground import at, line, streets, trait
from tests.trial import Trial, correct
from tests.wrongs import ALL

to = msgspec.structs.replace
FEW = settings(max_examples=40, deadline=None)
PON = default_architecture()
OPTICS = default_optics()
ANY = to(OPTICS.classes["B+"], least_loss_db=0.0)
WIDE = to(OPTICS, classes={**OPTICS.classes, "any": ANY})
"""A class that takes splitters of any ratio."""
# Few splits, so that there are several; one and two stages; two fibres each; none shared.
ARCHITECTURES = [
    to(PON, splitters=[4], optical_class="any"),
    to(PON, splitters=[2, 4], optical_class="any", spare_feeder=0.0),
    to(PON, optical_class="any", fibres_per_premises=2, spare_distribution=1.0),
    to(PON, kind=Kind.POINT_TO_POINT, splitters=[], optical_class="any", connectors=3),
]
CORNERS = [(100.0 * i, 100.0 * j) for i in range(4) for j in range(4)]
STEPS = [
    (one, other)
    for one in CORNERS
    for other in CORNERS
    if one < other and sum(map(abs, np.subtract(one, other))) == 100
]
PLACES = st.lists(st.tuples(st.integers(-40, 340), st.integers(-40, 340), st.integers(1, 3)), min_size=1, max_size=6)


def grounded(steps: list[Any], places: list[tuple[int, int, int]], office: tuple[int, int]) -> Ground:
    """Some steps of a grid as streets of two names, premises that need a fibre or several, an office."""
    lines = [line(*step) for step in steps]
    demand = Demand.of(
        Row(f"p{i}", f"House {i}", PremisesKind.ADDRESS, *at(east, north), 1.0, 0.0, fibres, 1.0, False)
        for i, (east, north, fibres) in enumerate(places)
    )
    town = streets(lines, traits=[trait("ab"[i % 2]) for i in range(len(lines))])
    return put_together(town, demand, default_catalogue(), offices=[Office("o", "Office", *at(*office), given=False)])


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    """A ground, and a correct design for all on it that its office reaches."""
    steps = draw(st.lists(st.sampled_from(STEPS), min_size=3, max_size=16, unique=True))
    ground = grounded(steps, draw(PLACES), draw(st.sampled_from([(0, -20), (150, 130), (310, 310)])))
    assume(len(ground.offices) == 1)
    architecture: Architecture = draw(st.sampled_from(ARCHITECTURES))
    reached = sorted(shortest(ground, int(ground.offices.node[0])))
    premises = ground.premises
    is_near = premises.drop_m <= architecture.longest_drop_m
    served = [row for row in range(len(premises)) if int(premises.node[row]) in reached and is_near[row]]
    assume(served)
    statement = plain(Drawn(ground, architecture, WIDE), draw(st.sampled_from(reached)), served)
    return Trial(ground, statement, architecture, WIDE)


Draw = Callable[[st.SearchStrategy[Any]], Any]


def _less(field: str) -> Callable[[Statement, Draw], Statement]:
    """One piece of the design less."""

    def changed(statement: Statement, draw: Draw) -> Statement:
        pieces = getattr(statement.design, field)
        out = draw(st.integers(0, len(pieces) - 1)) if pieces else -1
        kept = tuple(piece for number, piece in enumerate(pieces) if number != out)
        return to(statement, design=to(statement.design, **{field: kept}))

    return changed


def _more(field: str) -> Callable[[Statement, Draw], Statement]:
    """One piece of the design twice."""

    def changed(statement: Statement, draw: Draw) -> Statement:
        pieces = getattr(statement.design, field)
        again = (draw(st.sampled_from(pieces)),) if pieces else ()
        return to(statement, design=to(statement.design, **{field: (*pieces, *again)}))

    return changed


def _other_item(statement: Statement, draw: Draw) -> Statement:
    """One number of the bill another."""
    items = list(statement.bill.items)
    number = draw(st.integers(0, len(items) - 1))
    field = draw(st.sampled_from(["quantity", "labour_cents", "phase"]))
    by = draw(st.integers(2, 100)) * draw(st.sampled_from([-1, 1]))
    items[number] = to(items[number], **{field: getattr(items[number], field) + by})
    return to(statement, bill=to(statement.bill, items=tuple(items)))


def _other_path(statement: Statement, draw: Draw) -> Statement:
    """One claim of a path another."""
    paths = list(statement.paths)
    number = draw(st.integers(0, len(paths) - 1))
    field = draw(st.sampled_from(["premises", "socket", "length_m", "loss_db"]))
    paths[number] = to(paths[number], **{field: getattr(paths[number], field) + 1})
    return to(statement, paths=tuple(paths))


def _other_fibre(statement: Statement, draw: Draw) -> Statement:
    """Two joints of two sites change one end with each other: at one site it may be as good as before."""
    joints = list(statement.design.joints)
    one = draw(st.integers(0, len(joints) - 1))
    other = draw(st.sampled_from([n for n, joint in enumerate(joints) if joint.site != joints[one].site]))
    joints[one], joints[other] = to(joints[one], b=joints[other].b), to(joints[other], b=joints[one].b)
    return to(statement, design=to(statement.design, joints=tuple(joints)))


def _other_node(statement: Statement, draw: Draw) -> Statement:
    """A site that stands where it does not."""
    sites = list(statement.design.sites)
    number = draw(st.integers(0, len(sites) - 1))
    kind = SiteKind.CLOSURE if sites[number].kind is SiteKind.CABINET else sites[number].kind
    sites[number] = to(sites[number], node=sites[number].node + 1, kind=kind)
    return to(statement, design=to(statement.design, sites=tuple(sites)))


FIELDS = ("opened", "served", "sites", "ducts", "cables", "splitters", "joints")
CHANGES = {
    **{f"one of {field} less": _less(field) for field in FIELDS},
    **{f"one of {field} twice": _more(field) for field in FIELDS},
    "an item": _other_item,
    "a path": _other_path,
    "ends": _other_fibre,
    "a node": _other_node,
}


@given(trials())
@FEW
def test_a_correct_design_is_proved(trial: Trial) -> None:
    assert [str(finding) for finding in trial.proved()] == []


@given(trials(), st.sampled_from(sorted(CHANGES)), st.data())
@FEW
def test_whatever_is_changed_in_it_is_found(trial: Trial, name: str, data: st.DataObject) -> None:
    changed = CHANGES[name](trial.statement, data.draw)
    assume(changed != trial.statement)
    findings = Trial(trial.ground, changed, trial.architecture, WIDE).proved()
    assert findings, name


TOWN = correct()


@given(st.lists(st.sampled_from(sorted(set(ALL))), min_size=2, max_size=2, unique=True))
@settings(max_examples=60, deadline=None)
def test_two_wrongs_do_not_make_a_right(kinds: list[Any]) -> None:
    """Two wrongs that are planted together, where that can be, are found as well, and nothing stops the checker."""
    trial = TOWN
    for kind in kinds:
        try:
            trial = ALL[kind](trial)
        except (StopIteration, IndexError, ValueError, AssertionError):
            assume(False)
    assume(trial != TOWN)
    assert trial.proved()
