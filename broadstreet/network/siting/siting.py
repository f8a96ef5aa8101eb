"""From what is asked to a statement: what reaches the candidates, the sites, their order, their rivals."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import I8
from broadstreet.network.siting.case import Objective, SitingCase
from broadstreet.network.siting.covering import Cover, greedily, guarantee
from broadstreet.network.siting.exact import most_covering
from broadstreet.network.siting.field import Field, Left, field_of
from broadstreet.network.siting.limits import Limits
from broadstreet.network.siting.lowering import lowered
from broadstreet.network.siting.reach import Reach, reaches
from broadstreet.network.siting.relaxation import directions_bound, shares_bound
from broadstreet.network.siting.statement import Bound, Outcome, Rival, SitedSensor, SitingStatement
from broadstreet.network.siting.targets import covered_by, targets_of

TRIES: Final = 50
"""How many choices at random stand beside what is chosen."""
SEARCH_SHARE: Final = 0.6
"""Of the time for a map, for its sites; the rest is for the bounds."""
ELSEWHERE_SHARE: Final = 0.2
"""Of the time, for what as many sensors as stand today could come to elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A case, looked at: what covers whom, what is uncertain, what may be chosen."""

    case: SitingCase
    cover: Cover
    field: Field | None
    limits: Limits

    def outcome(self, chosen: list[int]) -> Outcome:
        sites = np.array(chosen, dtype=np.int64)
        return _outcome(self.cover.total(chosen), None if self.field is None else self.field.variances(sites))


def choose_sites(
    case: SitingCase,
    *,
    seconds: float = 60.0,
    seed: int = 0,
    tries: int = TRIES,
    clock: Callable[[], float] = time.monotonic,
    is_stopped: Callable[[], bool] = lambda: False,
) -> SitingStatement:
    """The best sites found, with what is claimed of them. seconds: for the search; looking at the case comes before.
    is_stopped: asked while it is sought, whether to end with the best there is."""
    began_s = clock()
    reach = reaches(case)
    scene = _scene(case, reach)
    share = 1 - ELSEWHERE_SHARE if case.today else 1.0
    search = _Search(seed, clock, is_stopped)
    chosen, greedy, bounds, is_optimal = _searched(scene, seconds * share, search)
    sites = _in_order(scene, chosen, reach)
    nothing = _outcome(0, None if case.map is None else np.full(len(case.map.lon), case.map.covariance.sill))
    return SitingStatement(
        ground=case.ground.digest,
        objective=case.objective.value,
        audience=case.audience.value,
        radius_m=case.radius_m,
        is_on_foot=case.is_on_foot,
        count=case.count,
        budget_cents=case.budget_cents,
        currency=case.prices.currency,
        candidates=len(case.candidates),
        reachable=int(scene.limits.usable.sum()),
        audience_total=int(scene.cover.weight.sum()),
        nothing=nothing,
        today=scene.outcome([]),
        all=scene.outcome(np.flatnonzero(scene.limits.usable).tolist()),
        sites=sites,
        bounds=bounds,
        is_optimal=is_optimal,
        greedy_share=guarantee(scene.limits) if case.objective is Objective.COVERAGE else None,
        rivals=(
            _rival(scene, "greedy", [greedy]),
            _rival(scene, "random", _at_random(scene.limits, seed, tries)),
            *((_elsewhere(case, reach, seconds * ELSEWHERE_SHARE, search),) if case.today else ()),
        ),
        source=case.map.covariance.source if case.map is not None else "",
        seconds=round(clock() - began_s, 3),
    )


def _scene(case: SitingCase, reach: list[Reach]) -> _Scene:
    targets = targets_of(case)
    already = np.zeros(len(targets.weight), dtype=np.bool_)
    for rows in covered_by(case, targets, case.today):
        already[rows] = True
    cover = Cover(tuple(covered_by(case, targets, case.candidates)), targets.weight, already)
    cents: I8 = np.array([one.cents for one in reach], dtype=np.int64)
    usable = np.array([one.best is not None for one in reach], dtype=np.bool_)
    limits = Limits(cents, usable, case.count, case.budget_cents)
    return _Scene(case, cover, None if case.map is None else field_of(case, case.map), limits)


@dataclass(frozen=True, slots=True)
class _Search:
    """How it is sought."""

    seed: int
    clock: Callable[[], float]
    is_stopped: Callable[[], bool]

    def until(self, end_s: float) -> Callable[[], bool]:
        """Whether one may go on."""
        return lambda: self.clock() < end_s and not self.is_stopped()


def _searched(scene: _Scene, seconds: float, search: _Search) -> tuple[list[int], list[int], tuple[Bound, ...], bool]:
    """The sites, those of greed, the bounds, and whether nothing is better."""
    end_s = search.clock() + seconds
    if scene.case.objective is Objective.COVERAGE:
        greedy = greedily(scene.cover, scene.limits)
        found = most_covering(scene.cover, scene.limits, greedy, seconds, search.seed, search.is_stopped)
        return found.chosen, greedy, found.bounds, found.is_optimal
    field = scene.field
    assert field is not None  # a case without a map does not ask for its variance
    rest_s = end_s - seconds * (1 - SEARCH_SHARE)
    chosen, greedy = lowered(field, scene.limits, search.seed, search.until(rest_s))
    bounds = (shares_bound(field, scene.limits, search.until(end_s)), directions_bound(field, scene.limits))
    return chosen, greedy, bounds, not chosen


def _in_order(scene: _Scene, chosen: list[int], reach: list[Reach]) -> tuple[SitedSensor, ...]:
    """The sites, each the one that gains most beyond those before it; those that gain nothing are left out."""
    case, weight = scene.case, scene.cover.weight
    covered = scene.cover.already.copy()
    left = None if scene.field is None else Left.of(scene.field)
    rest = sorted(chosen)
    found = []
    while rest:
        if case.objective is Objective.COVERAGE:
            gains = [float(weight[scene.cover.by[site]][~covered[scene.cover.by[site]]].sum()) for site in rest]
        else:
            assert left is not None
            gains = left.gains()[rest].tolist()
        best = int(np.argmax(gains))
        if gains[best] <= 0:
            break
        site = rest.pop(best)
        covered[scene.cover.by[site]] = True
        if left is not None:
            left.take(site)
        after = _outcome(int(weight[covered].sum()), None if left is None else left.variance)
        found.append(_sited(case, site, reach[site], gains[best], after))
    return tuple(found)


def _sited(case: SitingCase, site: int, reach: Reach, gain: float, after: Outcome) -> SitedSensor:
    place = case.candidates[site]
    assert reach.best is not None  # nothing else is chosen
    others = tuple(offer for offer in reach.offers if offer is not reach.best)
    named = (place.id, place.lon, place.lat, place.label, place.kind)
    return SitedSensor(*named, reach.cents, reach.best, others, gain, after)


def _outcome(covered: int, variances: np.ndarray[tuple[int], np.dtype[np.float64]] | None) -> Outcome:
    if variances is None:
        return Outcome(covered, None, None)
    return Outcome(covered, float(variances.mean()), float(variances.max()))


def _at_random(limits: Limits, seed: int, tries: int) -> list[list[int]]:
    """Choices at random, each filled up while anything fits."""
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(tries):
        chosen: list[int] = []
        for site in chance.permutation(np.flatnonzero(limits.usable)).tolist():
            if limits.holds([*chosen, site]):
                chosen.append(site)
        found.append(chosen)
    return found


def _rival(scene: _Scene, name: str, choices: list[list[int]]) -> Rival:
    outcomes = [scene.outcome(chosen) for chosen in choices]
    covered = [outcome.covered for outcome in outcomes]
    left = [outcome.mean_variance for outcome in outcomes if outcome.mean_variance is not None]
    means = (sum(left) / len(left), min(left), max(left)) if left else None
    sites = tuple(scene.case.candidates[site].id for site in choices[0]) if len(choices) == 1 else ()
    return Rival(name, len(choices), (sum(covered) / len(covered), max(covered), min(covered)), means, sites)


def _elsewhere(case: SitingCase, reach: list[Reach], seconds: float, search: _Search) -> Rival:
    """As many sensors as stand today, without those."""
    scene = _scene(replace(case, today=(), count=len(case.today), budget_cents=None), reach)
    return _rival(scene, "elsewhere", [_searched(scene, seconds, search)[0]])
