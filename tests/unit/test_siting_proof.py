"""The checker of sensors' sites finds nothing wrong with a correct choice, and each kind of planted wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from broadstreet.network.siting import (
    Bound,
    FindingKind,
    Means,
    Objective,
    SitingCase,
    SitingStatement,
    choose_sites,
    prove,
)
from broadstreet.network.siting.statement import BoundKind
from tests.siting import HOMES, town_case, town_ground

to = msgspec.structs.replace
Kind = FindingKind
Wrong = Callable[[SitingStatement], SitingStatement]


@pytest.fixture(scope="module")
def case() -> SitingCase:
    return town_case(town_ground(HOMES), budget_cents=700_000, fibre_nodes=())


@pytest.fixture(scope="module")
def map_case(case: SitingCase) -> SitingCase:
    return dataclasses.replace(case, objective=Objective.VARIANCE)


@pytest.fixture(scope="module")
def said(case: SitingCase) -> SitingStatement:
    return choose_sites(case, seconds=5, tries=3)


@pytest.fixture(scope="module")
def map_said(map_case: SitingCase) -> SitingStatement:
    return choose_sites(map_case, seconds=5, tries=3)


def claims(**changes: Any) -> Wrong:
    return lambda said: to(said, **changes)


def first(**changes: Any) -> Wrong:
    """The first site with something changed."""
    return lambda said: to(said, sites=(to(said.sites[0], **changes), *said.sites[1:]))


def connected(**changes: Any) -> Wrong:
    """The first site's connection with something changed."""
    return lambda said: first(connection=to(said.sites[0].connection, **changes))(said)


def dearer(said: SitingStatement) -> SitingStatement:
    """The first site by mobile, at its true price."""
    site = said.sites[0]
    (mobile,) = (offer for offer in site.others if offer.means is Means.MOBILE)
    others = tuple(site.connection if offer is mobile else offer for offer in site.others)
    cents = site.cents + (mobile.cents or 0) - (site.connection.cents or 0)
    return first(connection=mobile, others=others, cents=cents)(said)


def bound(kind: BoundKind, **changes: Any) -> Wrong:
    def changed(said: SitingStatement) -> SitingStatement:
        return to(said, bounds=tuple(to(one, **changes) if one.kind is kind else one for one in said.bounds))

    return changed


def mixed_up(said: SitingStatement) -> SitingStatement:
    """The last site first, each told as what it then gains."""
    last = said.sites[2]
    alone = to(last, after=to(said.today, covered=said.today.covered + int(last.gain)))
    return to(said, sites=(alone, *said.sites[:2]))


WRONGS: dict[str, tuple[Kind, Wrong]] = {
    "of another ground": (Kind.GROUND, claims(ground="0" * 64)),
    "with another radius": (Kind.QUESTION, claims(radius_m=500.0)),
    "with a budget nobody gave": (Kind.QUESTION, claims(budget_cents=None)),
    "with more people than live there": (Kind.QUESTION, claims(audience_total=10_000)),
    "at a place that is no candidate": (Kind.SITE_UNKNOWN, first(place="moon")),
    "with a site twice": (Kind.SITE_TWICE, lambda said: to(said, sites=(*said.sites[:2], said.sites[0]))),
    "with a site elsewhere": (Kind.SITE_PLACE, first(lon=25.0)),
    "with a site on another kind of post": (Kind.SITE_PLACE, first(kind="wall")),
    "with one site too many": (Kind.TOO_MANY, lambda said: to(said, sites=(*said.sites, said.sites[0]))),
    "over the budget": (Kind.OVER_BUDGET, first(cents=600_000)),
    "connected by what does not work": (Kind.UNCONNECTED, connected(means=Means.FIBRE)),
    "connected by what is dearer": (Kind.CONNECTION, dearer),
    "connected for a cent in the euro less": (Kind.OFFER, connected(cents=10_000)),
    "connected for nothing": (Kind.OFFER, connected(cents=None)),
    "heard by another gateway": (Kind.LINK, connected(gateway="hill")),
    "heard with another factor": (Kind.LINK, connected(spreading_factor=9)),
    "heard from nearer": (Kind.LINK, connected(away_m=1.0)),
    "with less lost on the way": (Kind.LINK, connected(loss_db=80.0)),
    "with more to spare": (Kind.LINK, connected(spare_db=80.0)),
    "for less than it costs": (Kind.COST, first(cents=100_000)),
    "with more that can be connected": (Kind.REACHABLE, claims(reachable=99)),
    "with more covered today": (Kind.COVERED, lambda said: to(said, today=to(said.today, covered=77))),
    "with more covered by a site": (
        Kind.COVERED,
        lambda said: first(after=to(said.sites[0].after, covered=said.sites[0].after.covered + 1))(said),
    ),
    "with more covered by all": (Kind.COVERED, lambda said: to(said, all=to(said.all, covered=said.all.covered + 1))),
    "with less left uncertain": (
        Kind.VARIANCE,
        lambda said: first(after=to(said.sites[0].after, mean_variance=0.5))(said),
    ),
    "with the worst left out": (Kind.VARIANCE, lambda said: to(said, today=to(said.today, worst_variance=None))),
    "with more variance before": (Kind.VARIANCE, lambda said: to(said, nothing=to(said.nothing, mean_variance=3.0))),
    "with a gain too great": (Kind.GAIN, lambda said: first(gain=said.sites[0].gain + 1)(said)),
    "in another order": (Kind.ORDER, mixed_up),
    "with a bound that is lower than its prices prove": (
        Kind.CERTIFICATE,
        lambda said: bound(BoundKind.PRICES, value=said.value, certificate=(0,) * 48)(said),
    ),
    "with prices of too few": (Kind.CERTIFICATE, bound(BoundKind.PRICES, certificate=(1.0,))),
    "with prices under nothing": (Kind.CERTIFICATE, bound(BoundKind.PRICES, certificate=(-1.0,) * 48)),
    "with a bound that is passed": (Kind.BOUND_PASSED, bound(BoundKind.SOLVER, value=1.0)),
    "with no number for a bound": (Kind.BOUND_PASSED, bound(BoundKind.SOLVER, value=float("nan"))),
    "called the best and not proved": (
        Kind.OPTIMAL,
        lambda said: to(said, is_optimal=True, bounds=tuple(to(one, value=one.value + 50) for one in said.bounds)),
    ),
    "with greed that covers more": (
        Kind.RIVAL,
        lambda said: to(said, rivals=(to(said.rivals[0], covered=(500.0, 500, 500)), *said.rivals[1:])),
    ),
    "with greed that leaves less": (
        Kind.RIVAL,
        lambda said: to(said, rivals=(to(said.rivals[0], mean_variance=(0.1, 0.1, 0.1)), *said.rivals[1:])),
    ),
    "with greed that goes elsewhere": (
        Kind.RIVAL,
        lambda said: to(said, rivals=(to(said.rivals[0], sites=("moon",)), *said.rivals[1:])),
    ),
}


def kinds(said: SitingStatement, case: SitingCase) -> set[Kind]:
    return {finding.kind for finding in prove(said, case)}


def test_a_correct_choice_is_proved(
    case: SitingCase, said: SitingStatement, map_case: SitingCase, map_said: SitingStatement
) -> None:
    assert [str(finding) for finding in prove(said, case)] == []
    assert [str(finding) for finding in prove(map_said, map_case)] == []
    assert len(said.sites) == len(map_said.sites) == 3
    assert said.is_optimal
    assert [rival.name for rival in said.rivals] == ["greedy", "random", "elsewhere"]


def test_there_is_a_planted_wrong_for_every_kind() -> None:
    assert {kind for kind, _ in WRONGS.values()} == set(FindingKind)


@pytest.mark.parametrize(("kind", "wrong"), WRONGS.values(), ids=WRONGS.keys())
def test_a_planted_wrong_is_caught(case: SitingCase, said: SitingStatement, kind: Kind, wrong: Wrong) -> None:
    assert kind in kinds(wrong(said), case)


@pytest.mark.parametrize(
    "changed",
    [
        bound(BoundKind.SHARES, certificate=(1.0,)),
        bound(BoundKind.SHARES, certificate=(2.0,) * 30),
        bound(BoundKind.SHARES, certificate=(0.0,) * 30),
        lambda said: bound(BoundKind.SHARES, value=said.value)(said),
        lambda said: bound(BoundKind.DIRECTIONS, value=said.value)(said),
        bound(BoundKind.DIRECTIONS, certificate=(-1.0,)),
        bound(BoundKind.DIRECTIONS, certificate=()),
        lambda said: to(said, bounds=(*said.bounds, Bound(BoundKind.PRICES, 0.0, (1.0,)))),
    ],
)
def test_a_bound_on_variance_that_its_certificate_does_not_prove_is_caught(
    map_case: SitingCase, map_said: SitingStatement, changed: Wrong
) -> None:
    assert kinds(changed(map_said), map_case) == {Kind.CERTIFICATE}


def test_a_map_that_nobody_asked_for_is_caught(case: SitingCase, said: SitingStatement) -> None:
    assert kinds(said, dataclasses.replace(case, map=None)) == {Kind.VARIANCE}


def test_no_gateway_is_heard_where_there_is_none(case: SitingCase, said: SitingStatement) -> None:
    assert Kind.LINK in kinds(said, dataclasses.replace(case, gateways=()))


def test_a_finding_says_what_is_true(case: SitingCase, said: SitingStatement) -> None:
    (finding,) = prove(claims(reachable=29)(said), case)
    assert str(finding) == ("how many can be connected: candidates that can be connected: claimed 29; true is 30")
