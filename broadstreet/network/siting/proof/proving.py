"""The checker of a choice of sites: every number of a statement found anew, with its case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import I8
from broadstreet.network.siting.case import Objective, SitingCase
from broadstreet.network.siting.place import Place
from broadstreet.network.siting.proof.audience import Coverage, Flags, coverage_of, seen_by, weigh
from broadstreet.network.siting.proof.bounds import Choice, by_directions, by_prices, by_shares
from broadstreet.network.siting.proof.finding import Finding
from broadstreet.network.siting.proof.finding import FindingKind as Kind
from broadstreet.network.siting.proof.kriging import variances
from broadstreet.network.siting.proof.money import Cost, costs_of
from broadstreet.network.siting.statement import Bound, BoundKind, Offer, Outcome, Rival, SitedSensor, SitingStatement

SAME: Final = 1e-6
"""Variances are the same that differ by less than this share of the sill: they are sums in another order."""
SAME_DB: Final = 0.02
SAME_AWAY_M: Final = 0.1


def prove(statement: SitingStatement, case: SitingCase) -> list[Finding]:
    """Everything that is wrong with the statement; nothing: it is proved.

    A bound by the solver's branching is taken at its word, but that nothing may pass it. What chance comes to is not
    drawn again; what greed, or other sites, come to is counted, where the sites are named.
    """
    if statement.ground != case.ground.digest:
        return [Finding(Kind.GROUND, "the statement", statement.ground, case.ground.digest)]
    return _Proof(statement, case).run()


@dataclass(slots=True)
class _Truth:
    """What is true of the case: who is covered by whom, and what each candidate costs."""

    weight: I8
    candidates: Coverage
    today: Coverage
    costs: list[Cost]

    def covered(self, sites: Sequence[int], *, with_today: bool = True) -> tuple[int, int]:
        """How much these candidates and today's sensors cover, at least and at most."""

        def some(own: Flags, stands: Flags) -> Flags:
            found = own[:, list(sites)].any(axis=1)
            return np.asarray(found | stands.any(axis=1) if with_today else found)

        least = some(self.candidates.surely, self.today.surely)
        most = some(self.candidates.maybe, self.today.maybe)
        return weigh(self.weight, least), weigh(self.weight, most)


class _Proof:
    def __init__(self, statement: SitingStatement, case: SitingCase) -> None:
        self.statement, self.case = statement, case
        self.found: list[Finding] = []
        seen = seen_by(case)
        candidates, today = (coverage_of(case, seen, places) for places in (case.candidates, case.today))
        self.truth = _Truth(seen.weight, candidates, today, costs_of(case, case.candidates))
        self.row = {place.id: row for row, place in enumerate(case.candidates)}

    def run(self) -> list[Finding]:
        self._check_question()
        sites = self._check_sites()
        if len(sites) == len(self.statement.sites):
            self._check_gains(sites)
            self._check_order(sites)
        everyone = [row for row, cost in enumerate(self.truth.costs) if cost.means]
        self._check_outcome("nothing", self.statement.nothing, [], with_today=False)
        self._check_outcome("today", self.statement.today, [])
        self._check_outcome("all", self.statement.all, everyone)
        self._same(Kind.REACHABLE, "candidates that can be connected", self.statement.reachable, len(everyone))
        self._check_bounds()
        for rival in self.statement.rivals:
            self._check_rival(rival)
        return self.found

    def _report(self, kind: Kind, where: str, claimed: object, true: object) -> None:
        self.found.append(Finding(kind, where, str(claimed), str(true)))

    def _same(self, kind: Kind, where: str, claimed: object, true: object) -> None:
        if claimed != true:
            self._report(kind, where, claimed, true)

    def _check_question(self) -> None:
        case, said = self.case, self.statement
        asked = {
            "objective": case.objective.value,
            "audience": case.audience.value,
            "radius_m": case.radius_m,
            "is_on_foot": case.is_on_foot,
            "count": case.count,
            "budget_cents": case.budget_cents,
            "currency": case.prices.currency,
            "candidates": len(case.candidates),
            "audience_total": int(self.truth.weight.sum()),
        }
        for name, value in asked.items():
            self._same(Kind.QUESTION, name, getattr(said, name), value)

    def _check_sites(self) -> list[int]:
        """The rows of the sites that are candidates."""
        sites: list[int] = []
        for site in self.statement.sites:
            row = self.row.get(site.place)
            if row is None:
                self._report(Kind.SITE_UNKNOWN, site.place, "a candidate", "there is none of this id")
                continue
            if row in sites:
                self._report(Kind.SITE_TWICE, site.place, "twice", "once")
            sites.append(row)
            place = self.case.candidates[row]
            self._same(Kind.SITE_PLACE, site.place, (site.lon, site.lat, site.kind), (place.lon, place.lat, place.kind))
            self._check_connection(site, self.truth.costs[row])
        case, spent = self.case, sum(site.cents for site in self.statement.sites)
        if case.count is not None and len(self.statement.sites) > case.count:
            self._report(Kind.TOO_MANY, "sites", len(self.statement.sites), f"at most {case.count}")
        if case.budget_cents is not None and spent > case.budget_cents:
            self._report(Kind.OVER_BUDGET, "sites", f"{spent} cents", f"at most {case.budget_cents}")
        return sites

    def _check_connection(self, site: SitedSensor, cost: Cost) -> None:
        for offer in (site.connection, *site.others):
            self._check_offer(site, offer, cost)
        taken = cost.means.get(site.connection.means)
        if taken is None or cost.least is None:
            self._report(Kind.UNCONNECTED, site.place, site.connection.means.value, ", ".join(cost.means) or "nothing")
            return
        grain = cost.grain(site.connection.means)
        if cost.base + taken - cost.least > max(grain, cost.grain(cost.cheapest)):
            self._report(Kind.CONNECTION, site.place, site.connection.means.value, cost.cheapest.value)
        if abs(site.cents - (cost.base + taken)) > grain:
            self._report(Kind.COST, site.place, site.cents, cost.base + taken)

    def _check_offer(self, site: SitedSensor, offer: Offer, cost: Cost) -> None:
        where, true = f"{site.place}, {offer.means}", cost.means.get(offer.means)
        if offer.cents is None or true is None:
            is_so = offer.cents is None and true is None
        else:
            is_so = abs(offer.cents - true) <= cost.grain(offer.means)
        if not is_so:
            self._report(Kind.OFFER, where, offer.cents, true)
        if offer.gateway is None:
            return
        signal = cost.signal
        if signal is None:
            self._report(Kind.LINK, where, offer.gateway, "no gateway")
            return
        claimed = offer.gateway, offer.spreading_factor
        near = (
            abs((offer.away_m or 0.0) - signal.away_m) <= SAME_AWAY_M
            and abs((offer.loss_db or 0.0) - signal.loss_db) <= SAME_DB
            and abs((offer.spare_db or 0.0) - signal.spare_db) <= SAME_DB
        )
        if claimed != (signal.gateway, signal.factor) or not near:
            self._report(Kind.LINK, where, (*claimed, offer.away_m, offer.loss_db, offer.spare_db), signal)

    def _check_outcome(self, where: str, said: Outcome, sites: list[int], *, with_today: bool = True) -> None:
        least, most = self.truth.covered(sites, with_today=with_today)
        if not least <= said.covered <= most:
            self._report(Kind.COVERED, where, said.covered, least if least == most else f"{least} to {most}")
        if self.case.map is None:
            self._same(Kind.VARIANCE, where, (said.mean_variance, said.worst_variance), (None, None))
            return
        left = variances(self.case, self.case.map, self._places(sites, with_today=with_today))
        grain = SAME * self.case.map.covariance.sill
        for name, claimed, true in (
            ("mean", said.mean_variance, float(left.mean())),
            ("worst", said.worst_variance, float(left.max())),
        ):
            if claimed is None or not abs(claimed - true) <= grain:
                self._report(Kind.VARIANCE, f"{where}, {name}", claimed, true)

    def _places(self, sites: Sequence[int], *, with_today: bool = True) -> list[Place]:
        chosen = [self.case.candidates[row] for row in sites]
        return [*self.case.today, *chosen] if with_today else chosen

    def _value(self, outcome: Outcome) -> float:
        if self.case.objective is Objective.COVERAGE:
            return float(outcome.covered)
        return outcome.mean_variance if outcome.mean_variance is not None else float("nan")

    def _check_gains(self, sites: list[int]) -> None:
        """Each site's outcome, and what it gains beyond those before it."""
        before = self.statement.today
        sign = 1 if self.case.objective is Objective.COVERAGE else -1
        for number, site in enumerate(self.statement.sites):
            self._check_outcome(f"{site.place}, the {number + 1}. site", site.after, sites[: number + 1])
            true = sign * (self._value(site.after) - self._value(before))
            if not abs(site.gain - true) <= self._grain():
                self._report(Kind.GAIN, site.place, site.gain, true)
            before = site.after

    def _grain(self) -> float:
        return 0.0 if self.case.map is None else 2 * SAME * self.case.map.covariance.sill

    def _check_order(self, sites: list[int]) -> None:
        """No site could have come before another and gained more there."""
        for number, site in enumerate(self.statement.sites):
            later = sites[number + 1 :]
            gains: Sequence[float]
            if self.case.objective is Objective.COVERAGE:
                before = self.truth.covered(sites[:number])[1]
                gains = [self.truth.covered([*sites[:number], row])[0] - before for row in later]
            else:
                gains = self._lowered(sites[:number], later)
            best = max(gains, default=0.0)
            if best > site.gain + self._grain():
                self._report(Kind.ORDER, site.place, site.gain, best)

    def _lowered(self, sites: list[int], later: list[int]) -> list[float]:
        assert self.case.map is not None
        left = variances(self.case, self.case.map, self._places(sites)).mean()
        each = (variances(self.case, self.case.map, self._places([*sites, row])).mean() for row in later)
        return [float(left - value) for value in each]

    def _check_bounds(self) -> None:
        said = self.statement
        covers = self.case.objective is Objective.COVERAGE
        value = self._value(said.outcome)
        for bound in said.bounds:
            proved = self._proved(bound)
            passed = bound.value < value if covers else bound.value > value + self._grain()
            if passed or not np.isfinite(bound.value):
                self._report(Kind.BOUND_PASSED, bound.kind, bound.value, value)
            if bound.kind is BoundKind.SOLVER:
                continue
            if proved is None or (bound.value < proved if covers else bound.value > proved + self._grain()):
                self._report(Kind.CERTIFICATE, bound.kind, bound.value, proved)
        if said.is_optimal and abs(said.bound - value) > self._grain():
            self._report(Kind.OPTIMAL, "the statement", "proved the best", f"{value} of {said.bound}")

    def _proved(self, bound: Bound) -> float | None:
        """What a certificate proves; None where it is of another objective, or no certificate. What a candidate costs
        is taken to be what it may cost at most, so that no bound is blamed for a cent."""
        case, truth = self.case, self.truth
        dearest = [cost.least + cost.grain(cost.cheapest) if cost.least is not None else 0 for cost in truth.costs]
        cents = np.array(dearest, dtype=np.int64)
        usable = np.array([bool(cost.means) for cost in truth.costs])
        choice = Choice(cents, usable, case.count, case.budget_cents)
        if case.objective is Objective.COVERAGE:
            if bound.kind is not BoundKind.PRICES:
                return None
            already = np.asarray(truth.today.maybe.any(axis=1))
            return by_prices(bound, choice, truth.weight, truth.candidates.surely, already)
        assert case.map is not None
        if bound.kind is BoundKind.SHARES:
            return by_shares(case, case.map, bound, choice)
        return by_directions(case, case.map, bound, choice) if bound.kind is BoundKind.DIRECTIONS else None

    def _check_rival(self, rival: Rival) -> None:
        if not rival.sites:
            return
        sites = [self.row[id] for id in rival.sites if id in self.row]
        if len(sites) < len(rival.sites):
            self._report(Kind.RIVAL, rival.name, "sites that are candidates", "some are none")
            return
        with_today = rival.name != "elsewhere"
        least, most = self.truth.covered(sites, with_today=with_today)
        if not least <= rival.covered[0] <= most:
            self._report(Kind.RIVAL, f"{rival.name}, covered", rival.covered[0], least)
        if self.case.map is not None and rival.mean_variance is not None:
            left = float(variances(self.case, self.case.map, self._places(sites, with_today=with_today)).mean())
            if not abs(rival.mean_variance[0] - left) <= self._grain():
                self._report(Kind.RIVAL, f"{rival.name}, variance", rival.mean_variance[0], left)
